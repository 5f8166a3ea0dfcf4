"""A clock that runs as the machine's does, and can be set forward: files have the machine's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from readingroom.clock import SystemClock


class MovedClock(SystemClock):
    """The machine's clock and some time more."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """That moment, UTC."""
        return datetime.now(UTC) + self.ahead
