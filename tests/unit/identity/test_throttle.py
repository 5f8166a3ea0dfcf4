"""Failed sign-ins cost growing time, and nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from readingroom.clock import FakeClock
from readingroom.errors import TooManyRequests
from readingroom.identity import throttle
from readingroom.identity.throttle import FREE_ATTEMPTS, LONGEST_DELAY, Throttle, delay

HOME, STRANGE = "192.0.2.7", "203.0.113.9"


def fail(by: Throttle, times: int, name: str = "alice", ip: str = STRANGE) -> None:
    for _ in range(times):
        by.failed(name, ip)


def test_a_few_mistakes_cost_nothing() -> None:
    door = Throttle(FakeClock())
    fail(door, FREE_ATTEMPTS - 1)
    door.check("alice", STRANGE)


def test_the_delay_doubles_up_to_its_limit() -> None:
    assert [delay(n) for n in range(FREE_ATTEMPTS, FREE_ATTEMPTS + 4)] == [1, 2, 4, 8]
    assert delay(1000) == LONGEST_DELAY


def test_the_wait_is_told_and_then_over() -> None:
    clock = FakeClock()
    door = Throttle(clock)
    fail(door, FREE_ATTEMPTS + 3)
    with pytest.raises(TooManyRequests) as raised:
        door.check("alice", STRANGE)
    assert raised.value.retry_after in (8, 9)
    clock.advance(timedelta(seconds=8))
    door.check("alice", STRANGE)


def test_another_address_does_not_help_and_another_name_is_free() -> None:
    door = Throttle(FakeClock())
    fail(door, FREE_ATTEMPTS + 3)
    with pytest.raises(TooManyRequests):
        door.check("alice", "198.51.100.1")
    door.check("bob", STRANGE)


def test_a_stranger_cannot_keep_the_owner_out_of_where_she_signed_in_before() -> None:
    door = Throttle(FakeClock())
    door.succeeded("alice", HOME)
    fail(door, 50)
    door.check("alice", HOME)
    with pytest.raises(TooManyRequests):
        door.check("alice", STRANGE)


def test_a_known_address_has_to_wait_for_its_own_failures() -> None:
    door = Throttle(FakeClock())
    door.succeeded("alice", HOME)
    fail(door, 50, ip=HOME)
    with pytest.raises(TooManyRequests):
        door.check("alice", HOME)


def test_success_starts_afresh() -> None:
    clock = FakeClock()
    door = Throttle(clock)
    fail(door, FREE_ATTEMPTS)
    clock.advance(timedelta(seconds=5))
    door.succeeded("alice", STRANGE)
    fail(door, FREE_ATTEMPTS - 1)
    door.check("alice", STRANGE)


def test_an_hour_without_failures_is_forgiven() -> None:
    clock = FakeClock()
    door = Throttle(clock)
    fail(door, 20)
    clock.advance(timedelta(hours=2))
    fail(door, 1)
    door.check("alice", STRANGE)


def test_a_million_invented_names_take_no_more_memory_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_NAMES", 100)
    door = Throttle(FakeClock())
    for n in range(1000):
        door.failed(f"name{n}", STRANGE)
    assert len(door._failures) == 100
