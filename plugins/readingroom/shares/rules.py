"""The rules of a link, pure: what state it is in at a time, what may be had of it, how long a guesser waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Literal

State = Literal["active", "expired", "revoked", "owner_disabled", "used_up", "preparing", "failed"]
STATES: tuple[State, ...] = ("active", "expired", "revoked", "owner_disabled", "used_up", "preparing", "failed")

FREE_FAILURES = 3
"""Wrong passcodes that cost nothing: people mistype."""

LONGEST_FOR_LINK = timedelta(minutes=15)
LONGEST_FOR_ADDRESS = timedelta(hours=1)

SHUT_AFTER = 100
"""Failures after which a link takes no passcode until it is extended.

At one try in 15 minutes a link of 30 days would still allow some 2,900: a third of all four-digit numbers. With this
it is a hundred, and the ramp up to there takes a day.
"""

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)

FORGET_ADDRESS = timedelta(hours=24)
"""An address that showed no wrong passcode for so long starts afresh."""

FINISH = timedelta(hours=24)
"""How long a download that was begun may be resumed without being counted again."""

SIZES_A_DOWNLOAD = 3
STREAMS_A_DOWNLOAD = 20
"""A counted download may be taken up again until it passed three times and began twenty times: a bad line needs
dozens of streams for one size, or loses a small series whole several times; who fetches it afresh does both."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link as it stands in the table; `facts` by DICOM keyword, sizes in bytes."""

    id: str
    series_key: str
    series_uid: str
    study_uid: str
    origin: str
    source: str
    facts: Mapping[str, str]
    file_count: int
    size_bytes: int
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    password_hash: str | None
    max_downloads: int | None
    download_count: int
    access_count: int
    last_accessed: datetime | None
    failed_attempts: int
    locked_until: datetime | None
    deidentified: bool
    copy_state: str | None
    copy_message: str
    note: str
    copy_done: int = 0
    accept_burned_in: bool = False
    owner_disabled: bool = False  # the account that made it is disabled: it opens nothing as long as that is so

    def state(self, now: datetime) -> State:
        """What it is at that time; what ended it for good comes before what can pass."""
        if self.revoked_at is not None:
            return "revoked"
        if now >= self.expires_at:
            return "expired"
        if self.owner_disabled:
            return "owner_disabled"
        if self.max_downloads is not None and self.download_count >= self.max_downloads:
            return "used_up"
        if self.copy_state == "failed":
            return "failed"
        return "preparing" if self.copy_state in ("queued", "preparing") else "active"

    def stands(self, now: datetime) -> bool:
        """Whether it is neither revoked nor past its end, nor its owner disabled: what began may be finished."""
        return self.revoked_at is None and now < self.expires_at and not self.owner_disabled

    def opens(self, now: datetime) -> bool:
        """Whether its holder is let in at all."""
        return self.state(now) in ("active", "preparing", "failed")

    @property
    def is_shut(self) -> bool:
        """Whether it was guessed at too often."""
        return self.failed_attempts >= SHUT_AFTER

    @property
    def downloads_left(self) -> int | None:
        """How many more; None without a limit."""
        return None if self.max_downloads is None else max(self.max_downloads - self.download_count, 0)


def is_spent(downloads: int, size: int, passed: int, streams: int) -> bool:
    """Whether so many counted downloads of `size` bytes are over, after `streams` answers of `passed` bytes in all."""
    return passed >= downloads * size * SIZES_A_DOWNLOAD and streams >= downloads * STREAMS_A_DOWNLOAD


@dataclass(frozen=True, slots=True)
class Tries:
    """Failures in a row, and until when no further try is looked at."""

    failures: int = 0
    locked_until: datetime | None = None

    def allows(self, now: datetime) -> bool:
        """Whether a passcode is looked at now."""
        return self.locked_until is None or now >= self.locked_until

    def next(self, now: datetime, longest: timedelta, shut_after: int = 0) -> Tries:
        """After one more try, counted as a failure before it is known: so a thousand at once count as a thousand."""
        if not self.allows(now):
            return self
        failures = self.failures + 1
        if shut_after and failures >= shut_after:
            return Tries(failures, FOREVER)
        wait = delay(failures, longest)
        return Tries(failures, now + wait if wait else None)

    def before(self, now: datetime, longest: timedelta) -> Tries:
        """Without the last try, which was not looked at."""
        failures = max(self.failures - 1, 0)
        until = min(self.locked_until, now + longest) if self.locked_until else None
        return Tries(failures, until)


def delay(failures: int, longest: timedelta) -> timedelta:
    """How long nothing is taken after that many failures: 0 for the first three, then 1 s, 2 s, 4 s … `longest`."""
    if failures <= FREE_FAILURES:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(failures - FREE_FAILURES - 1, 30)), longest)


def address_key(ip: str) -> str:
    """What an address is counted under: itself, or the /64 that one IPv6 household has (RFC 6177)."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip[:64]
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
