"""Byte ranges of an upload: whatever order parts come in, the ranges are those of a set of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.errors import BadRequest
from readingroom.imaging.received import MAX_RANGES, Received

parts = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda p: (p[0], p[0] + p[1])), max_size=30)


def of(ranges: list[tuple[int, int]]) -> Received:
    received = Received()
    for start, stop in ranges:
        received = received.with_range(start, stop)
    return received


@given(parts)
def test_ranges_are_a_set_of_bytes(ranges: list[tuple[int, int]]) -> None:
    known = {byte for start, stop in ranges for byte in range(start, stop)}
    received = of(ranges)
    assert {byte for start, stop in received.ranges for byte in range(start, stop)} == known
    assert received.count == len(known)
    assert received.end == max(known, default=-1) + 1


@given(parts)
def test_ranges_are_sorted_and_never_touch(ranges: list[tuple[int, int]]) -> None:
    flat = [edge for each in of(ranges).ranges for edge in each]
    assert flat == sorted(set(flat))


@given(parts, st.integers(0, 90))
def test_what_is_missing_and_what_is_there_are_the_whole(ranges: list[tuple[int, int]], total: int) -> None:
    received = of(ranges)
    there = {byte for start, stop in received.within(0, total) for byte in range(start, stop)}
    gaps = {byte for start, stop in received.missing(total) for byte in range(start, stop)}
    assert there | gaps == set(range(total)) and not there & gaps


@given(parts, st.randoms())
def test_the_order_of_parts_does_not_matter(ranges: list[tuple[int, int]], random: object) -> None:
    shuffled = list(ranges)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert of(shuffled).ranges == of(ranges).ranges


def test_the_row_keeps_them() -> None:
    assert Received.read(of([(8, 16), (0, 4)]).text()).ranges == ((0, 4), (8, 16))
    assert Received.read("[]").ranges == ()


def test_a_part_at_every_other_byte_is_refused() -> None:
    received = of([(2 * n, 2 * n + 1) for n in range(MAX_RANGES)])
    with pytest.raises(BadRequest):
        received.with_range(2 * MAX_RANGES, 2 * MAX_RANGES + 1)
    assert received.with_range(1, 2).count == MAX_RANGES + 1  # filling a gap is always right
