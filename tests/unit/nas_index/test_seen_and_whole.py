"""The set of seen files, and how whole a series is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.nas_index.integrity import gaps, judge
from readingroom.nas_index.seen import Seen


@given(st.lists(st.integers(0, 100_000)))
def test_seen_is_a_set_of_ids(ids: list[int]) -> None:
    seen = Seen()
    for each in ids:
        seen.add(each)
    assert len(seen) == len(set(ids))
    assert all(each in seen for each in ids)
    assert 100_001 not in seen


def test_ten_million_ids_are_a_few_megabytes() -> None:
    seen = Seen()
    seen.add(10_000_000)
    assert seen.size < 2_600_000


@pytest.mark.parametrize(
    ("files", "uids", "numbered", "numbers", "span", "said"),
    [
        (3, 3, 3, 3, 3, "complete"),
        (3, 3, 3, 3, 4, "gaps"),
        (4, 3, 4, 3, 3, "duplicates"),
        (4, 3, 4, 3, 9, "gaps"),
        (1, 1, 0, 0, 0, "complete"),
        (2, 2, 0, 0, 0, "unknown"),
        (6, 6, 6, 3, 3, "complete"),  # two phases with the same numbers
    ],
)
def test_a_series_is_judged(files: int, uids: int, numbered: int, numbers: int, span: int, said: str) -> None:
    assert judge(files, uids, numbered, numbers, span) == said


def test_gaps_are_the_ranges_between_the_first_number_and_the_last() -> None:
    assert gaps([9, 1, 2, 2, 5]) == [(3, 4), (6, 8)]
    assert gaps([-2, 0]) == [(-1, -1)]
    assert gaps([7]) == gaps([]) == []
