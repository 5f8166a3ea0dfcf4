"""Where time comes from: the system's clock, or one that tests set by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Gives the time in UTC, and seconds that never run backwards."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; for measuring spans."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._seconds = 0.0

    def now(self) -> datetime:
        """The moment the clock was last moved to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds the clock has been moved by."""
        return self._seconds

    def advance(self, span: timedelta) -> None:
        """Move the clock forward."""
        self._now += span
        self._seconds += span.total_seconds()


def iso(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC with a trailing Z, as every answer of ours gives times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
