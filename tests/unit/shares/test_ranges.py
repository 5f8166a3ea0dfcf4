"""What a range of a zip costs beyond its own bytes."""

from __future__ import annotations

import pytest
from readingroom.shares.ranges import read_for_nothing
from readingroom.zipstream import Layout, Learnt

SIZES = [1000, 70_000, 0, 5000]


def layout(*known: int, stored: bool = False) -> Layout:
    crcs: list[int | None] = [1 if stored else None] * len(SIZES)
    names = [f"{n}.dcm" for n in range(len(SIZES))]
    return Layout(names, SIZES, crcs, [0] * len(SIZES), learnt=Learnt(dict.fromkeys(known, 1)))


def test_the_beginning_and_the_whole_cost_nothing_more() -> None:
    whole = layout()
    for start, stop in ((0, 1), (0, whole.length), (0, whole.directory_start)):
        assert read_for_nothing(whole, start, stop) == 0


@pytest.mark.parametrize("last", [1, 22, 100])
def test_the_end_costs_all_files_whose_crc_is_not_known(last: int) -> None:
    for known, cost in (((), 76_000), ((1,), 6000), ((0, 1, 2, 3), 0)):
        made = layout(*known)
        assert read_for_nothing(made, made.length - last, made.length) == cost
    stored = layout(stored=True)
    assert read_for_nothing(stored, stored.length - last, stored.length) == 0


def test_a_range_in_a_file_costs_that_files_beginning() -> None:
    made = layout()
    second = made.entry(1)
    assert read_for_nothing(made, second.data + 40_000, second.data + 40_010) == 40_000
    assert read_for_nothing(made, second.data, second.data + 10) == 0
    to_the_end = read_for_nothing(made, second.data + 40_000, made.length)
    assert to_the_end == 40_000 + 1000, "the file before it is read for its CRC alone"
    assert read_for_nothing(made, second.data + second.packed - 1, made.length) <= 1000 + second.size
