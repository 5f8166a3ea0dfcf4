"""The order of lists: newest study first, then id; undated ones last; dates as ranges of positions."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.nas_index.positions import LAST_ID, UNDATED, between, day, position


def test_newer_studies_come_first_and_undated_ones_last() -> None:
    dates = ["20240118", "2024.01.17", "20231231", "", "20240230", "0000"]
    places = [position(each, 7) for each in dates]
    assert places[:3] == sorted(places[:3])
    assert all(place >= UNDATED for place in places[3:])
    assert position("20240118", 1) < position("20240118", 2)


@pytest.mark.parametrize("said", ["", "x", "20241301", "20240230", "00000000", "2024"])
def test_what_is_no_date_is_none(said: str) -> None:
    assert day(said) == 0


def test_every_position_is_whole_in_every_language() -> None:
    assert 0 < position("", LAST_ID) < 1 << 53


@given(st.dates(), st.dates(), st.dates(), st.integers(1, LAST_ID))
def test_a_range_of_dates_holds_the_studies_between_them(study: date, one: date, other: date, series: int) -> None:
    first, last = min(one, other), max(one, other)
    place = position(study.strftime("%Y%m%d") if study.year >= 1000 else f"{study.year:04d}{study:%m%d}", series)
    begin, end = between(first, last)
    assert (begin <= place <= end) == (first <= study <= last)
    assert between(None, last)[0] <= place <= between(None, last)[1] if study <= last else True
    begin, end = between(None, None)
    assert begin <= place <= end


def test_a_range_leaves_out_what_has_no_date() -> None:
    place = position("", 5)
    assert between(None, None)[1] >= place
    assert between(None, date.max)[1] < place
    assert between(date.min, None)[1] < place
