"""The rules of a link under a clock that tests move: states, delays, and a million guesses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from readingroom.shares.rules import (
    FOREVER,
    LONGEST_FOR_ADDRESS,
    LONGEST_FOR_LINK,
    SHUT_AFTER,
    Link,
    State,
    Tries,
    address_key,
    delay,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

LINK = Link(
    id="l", series_key="k", series_uid="1.2", study_uid="1", origin="nas", source="archive", facts={}, file_count=1,
    size_bytes=1, created_by="alice", created_at=NOON, expires_at=NOON + 24 * HOUR, revoked_at=None,
    password_hash=None, max_downloads=None, download_count=0, access_count=0, last_accessed=None, failed_attempts=0,
    locked_until=None, deidentified=False, copy_state=None, copy_message="", note="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "active"),
        ({"max_downloads": 2, "download_count": 1}, "active"),
        ({"max_downloads": 2, "download_count": 2}, "used_up"),
        ({"expires_at": NOON}, "expired"),
        ({"expires_at": NOON + timedelta(microseconds=1)}, "active"),
        ({"revoked_at": NOON - HOUR}, "revoked"),
        ({"owner_disabled": True}, "owner_disabled"),
        ({"owner_disabled": True, "expires_at": NOON}, "expired"),
        ({"owner_disabled": True, "max_downloads": 1, "download_count": 1, "copy_state": "failed"}, "owner_disabled"),
        ({"copy_state": "queued"}, "preparing"),
        ({"copy_state": "preparing"}, "preparing"),
        ({"copy_state": "failed"}, "failed"),
        ({"copy_state": "ready"}, "active"),
        ({"revoked_at": NOON, "expires_at": NOON, "max_downloads": 1, "download_count": 1}, "revoked"),
        ({"expires_at": NOON, "max_downloads": 1, "download_count": 1, "copy_state": "failed"}, "expired"),
        ({"max_downloads": 1, "download_count": 1, "copy_state": "failed"}, "used_up"),
    ],
)
def test_a_link_is_in_one_state_at_a_time(changes: dict[str, object], state: State) -> None:
    assert replace(LINK, **changes).state(NOON) == state  # type: ignore[arg-type]  # the fields are named above


def test_a_link_opens_to_the_last_moment_and_not_a_moment_longer() -> None:
    end = LINK.expires_at
    assert LINK.opens(end - timedelta(microseconds=1))
    assert not LINK.opens(end)
    assert not LINK.stands(end)


def test_what_was_begun_may_be_finished_when_none_are_left_but_not_when_it_was_revoked() -> None:
    used_up = replace(LINK, max_downloads=1, download_count=1)
    assert not used_up.opens(NOON)
    assert used_up.stands(NOON)
    assert not replace(used_up, revoked_at=NOON).stands(NOON)


def test_downloads_left_never_goes_below_nothing() -> None:
    assert LINK.downloads_left is None
    assert replace(LINK, max_downloads=3, download_count=1).downloads_left == 2
    assert replace(LINK, max_downloads=1, download_count=3).downloads_left == 0


def test_three_mistakes_are_free_and_then_each_wait_is_twice_the_last() -> None:
    waits = [delay(n, LONGEST_FOR_LINK).total_seconds() for n in range(16)]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert delay(10**9, LONGEST_FOR_ADDRESS) == HOUR


def test_a_try_before_its_time_is_not_looked_at_and_does_not_lengthen_the_wait() -> None:
    tries = Tries()
    for _ in range(4):
        tries = tries.next(NOON, LONGEST_FOR_LINK)
    assert not tries.allows(NOON)
    assert tries.next(NOON, LONGEST_FOR_LINK) == tries
    assert tries.allows(NOON + timedelta(seconds=1))


def guessed(count: int, every: timedelta, lasting: timedelta = timedelta(days=30)) -> tuple[int, Tries]:
    """How many of so many guesses at one link were looked at."""
    tries, looked_at, now = Tries(), 0, NOON
    for _ in range(count):
        if tries.allows(now):
            looked_at += 1
            tries = tries.next(now, LONGEST_FOR_LINK, SHUT_AFTER)
        now += every
        if now > NOON + lasting:
            break
    return looked_at, tries


@pytest.mark.parametrize(
    ("every", "at_most"),
    [
        (timedelta(0), 4),  # all at once
        (timedelta(milliseconds=10), 25),  # three hours long
        (timedelta(days=30) / 1_000_000, SHUT_AFTER),  # as long as a link lives
    ],
)
def test_of_a_million_guesses_at_a_link_next_to_none_are_looked_at(every: timedelta, at_most: int) -> None:
    looked_at, tries = guessed(1_000_000, every)
    assert looked_at <= at_most
    assert tries.failures == looked_at


def test_a_patient_guesser_ends_before_a_shut_link() -> None:
    looked_at, tries = guessed(3000, timedelta(minutes=16))
    assert looked_at == SHUT_AFTER
    assert tries.locked_until == FOREVER


def test_a_million_guesses_at_a_thousand_links_from_one_address_are_few() -> None:
    """One address, a fresh link for each guess: only its own delay holds it."""
    tries, looked_at, now = Tries(), 0, NOON
    for _ in range(1_000_000):
        if tries.allows(now):
            looked_at += 1
            tries = tries.next(now, LONGEST_FOR_ADDRESS)
        now += timedelta(days=1) / 1_000_000
    assert looked_at < 40


@pytest.mark.parametrize(
    ("ip", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("not an address", "not an address"),
    ],
)
def test_an_ipv6_household_is_one_address(ip: str, key: str) -> None:
    assert address_key(ip) == key
