"""Names of downloads, places for streams, and figures that go up and down."""

from __future__ import annotations

import threading

import pytest
from readingroom.errors import TooManyRequests
from readingroom.metrics import Metrics
from readingroom.shares.naming import zip_name
from readingroom.shares.places import HeldBody, Places


@pytest.mark.parametrize(
    ("facts", "deidentified", "name"),
    [
        ({"Modality": "CT", "StudyDate": "20260131", "SeriesNumber": "3"}, False, "CT_2026-01-31_series_3.zip"),
        ({"Modality": "CT", "StudyDate": "20260131", "SeriesNumber": "3"}, True, "CT_series_3.zip"),
        ({}, False, "DICOM_series.zip"),
        ({"Modality": "../x y", "StudyDate": "yesterday", "SeriesNumber": "1;rm"}, False, "XY_series_1.zip"),
        ({"Modality": "MR", "PatientName": "Mokoena^Thandi", "SeriesDescription": "Mokoena"}, False, "MR_series.zip"),
    ],
)
def test_a_zip_is_named_after_what_it_shows_and_never_after_whom(
    facts: dict[str, str], deidentified: bool, name: str
) -> None:
    assert zip_name(facts, deidentified) == name


def test_a_link_has_its_places_and_all_links_together_theirs() -> None:
    places = Places(per_link=2, in_all=3)
    first, _, _ = places.take("a"), places.take("a"), places.take("b")
    for link in ("a", "c"):
        with pytest.raises(TooManyRequests) as refused:
            places.take(link)
        assert refused.value.retry_after > 0
    first.give_back()
    first.give_back()  # a second time gives nothing
    places.take("c")
    with pytest.raises(TooManyRequests):
        places.take("b")


def test_a_body_gives_its_place_back_once_however_it_ends() -> None:
    places = Places(per_link=1, in_all=1)
    read = HeldBody([b"1", b"2"], places.take("a"))
    assert b"".join(read) == b"12"
    never_read = HeldBody([b"1"], places.take("a"))
    never_read.close()
    half = HeldBody([b"1", b"2"], places.take("a"))
    pieces = iter(half)
    assert next(pieces) == b"1"
    half.close()
    half.close()
    places.take("a")


def test_of_a_hundred_at_once_as_many_get_a_place_as_there_are() -> None:
    places, got = Places(per_link=4, in_all=64), []
    ready = threading.Barrier(100)

    def take() -> None:
        ready.wait()
        try:
            got.append(places.take("a"))
        except TooManyRequests:
            pass

    takers = [threading.Thread(target=take) for _ in range(100)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert len(got) == 4


def test_a_figure_that_cannot_be_had_leaves_the_others_be() -> None:
    metrics = Metrics()
    metrics.add("requests_total", 2)
    metrics.gauge("shares_active", lambda: 7)
    metrics.gauge("broken", lambda: 1 // 0)
    assert metrics.snapshot() == {"requests_total": 2, "shares_active": 7}
