"""How often downloads of one link may begin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from readingroom.clock import FakeClock
from readingroom.errors import TooManyRequests
from readingroom.shares.pace import COSTLY_SECONDS, FILES_A_MINUTE, ZIPS_A_MINUTE, Pace


def begun(pace: Pace, link: str, what: str, tries: int) -> int:
    """How many of so many tries were let through."""
    let = 0
    for _ in range(tries):
        try:
            pace.begin(link, what)
        except TooManyRequests:
            continue
        let += 1
    return let


def test_a_link_begins_so_many_a_minute_and_others_are_not_held_up() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    assert begun(pace, "a", "zip", ZIPS_A_MINUTE + 5) == ZIPS_A_MINUTE
    assert begun(pace, "b", "zip", 1) == 1
    assert begun(pace, "a", "file", FILES_A_MINUTE + 5) == FILES_A_MINUTE
    clock.advance(timedelta(seconds=50))
    with pytest.raises(TooManyRequests) as refused:
        pace.begin("a", "zip")
    assert refused.value.retry_after == 10
    clock.advance(timedelta(seconds=10))
    assert begun(pace, "a", "zip", ZIPS_A_MINUTE) == ZIPS_A_MINUTE


def test_a_clock_that_is_set_back_shuts_nothing() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    begun(pace, "a", "zip", ZIPS_A_MINUTE)
    clock.advance(timedelta(hours=-2))
    pace.begin("a", "zip")


def test_one_costly_download_is_taken_up_at_a_time() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    pace.begin_costly("a")
    pace.begin_costly("b")
    with pytest.raises(TooManyRequests):
        pace.begin_costly("a")
    clock.advance(timedelta(seconds=COSTLY_SECONDS + 1))
    pace.begin_costly("a")
