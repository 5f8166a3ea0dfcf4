"""Which frames a request names, and which requests are refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.errors import BadRequest
from readingroom.frames.wanted import MOST, Span, wanted

COUNT = 5_000


def of(*spans: Span) -> list[int]:
    return list(wanted(spans, COUNT, ["raw"], "fast").indices)


def test_spans_go_up_and_down_in_the_order_asked_for() -> None:
    assert of(7, (3, 5), (12, 10), 0, (9, 9)) == [7, 3, 4, 5, 12, 11, 10, 0, 9]


@given(st.lists(st.one_of(st.integers(0, COUNT - 1), st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)))))
def test_any_request_is_those_frames_or_refused(spans: list[Span]) -> None:
    frames = sum(1 if isinstance(each, int) else abs(each[0] - each[1]) + 1 for each in spans)
    if not 0 < frames <= MOST:
        with pytest.raises(BadRequest):
            of(*spans)
        return
    found = of(*spans)
    assert len(found) == frames
    for each in reversed(spans):
        first, last = (each, each) if isinstance(each, int) else each
        length = abs(last - first) + 1
        found, mine = found[:-length], found[-length:]
        assert (mine[0], mine[-1]) == (first, last)
        assert all(abs(b - a) == 1 for a, b in pairwise(mine))


@pytest.mark.parametrize("span", [COUNT, -1, (0, COUNT), (-1, 0), (COUNT, 0), (0, 10**12)])
def test_a_frame_that_is_none_is_refused(span: Span) -> None:
    with pytest.raises(BadRequest, match="frames 0 to 4999"):
        of(1, span)


def test_two_thousand_are_the_most() -> None:
    assert len(of((0, 1998), 7)) == MOST
    with pytest.raises(BadRequest, match="2000"):
        of((0, 1999), 7)


def test_raw_is_accepted_whatever_is_said_and_what_nobody_knows_is_refused() -> None:
    assert wanted([0], 1, [], "slow").accept == {"raw"}
    assert wanted([0], 1, ["jpls", "raw"], "fast").accept == {"raw", "jpls"}
    with pytest.raises(BadRequest, match="webp"):
        wanted([0], 1, ["raw", "webp"], "fast")
