"""Starts imports by the clock: daily at a time, or every so many hours."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from readingroom.cases.import_start import Imports
from readingroom.clock import Clock
from readingroom.errors import ImportRunning, SettingsError
from readingroom.identity import Caller, Identity

log = structlog.get_logger(__name__)

LOOK_SECONDS = 20.0
"""How often the schedule looks at the clock."""

GRACE = timedelta(hours=1)
"""A daily import that was missed by more than this waits for the next day: nobody expects it at noon."""

_DAILY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_EVERY = re.compile(r"every\s+(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE)
_UNITS = {"m": timedelta(minutes=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to import: at a time of day (UTC), or whenever a span has passed since the last import began."""

    at: tuple[int, int] | None = None
    every: timedelta | None = None

    def due_since(self, now: datetime, last: datetime | None) -> datetime | None:
        """The moment an import is due for, when none began at it or after it; None while there is nothing to do."""
        if self.at is not None:
            moment = now.astimezone(UTC).replace(hour=self.at[0], minute=self.at[1], second=0, microsecond=0)
            if moment > now:
                moment -= timedelta(days=1)
            return moment if now - moment < GRACE and (last is None or last < moment) else None
        every = self.every or timedelta(days=1)
        if last is None:
            return now - every
        return last + timedelta(microseconds=1) if now - last >= every else None


def parse_schedule(text: str) -> Schedule | None:
    """Read `HH:MM` (daily, UTC) or `every 6h`; None for an empty one. Raises SettingsError."""
    text = text.strip()
    if not text:
        return None
    if found := _DAILY.fullmatch(text):
        return Schedule(at=(int(found[1]), int(found[2])))
    found = _EVERY.fullmatch(text)
    if found and int(found[1]):
        return Schedule(every=int(found[1]) * _UNITS[found[2].lower()])
    raise SettingsError(f"IMPORT_SCHEDULE is {text!r}; it takes `HH:MM` (daily, UTC) or `every 6h`")


class Scheduler:
    """A thread that starts the configured import when it is due; of several servers on one database, one does.

    Raises SettingsError for a schedule that cannot be read, or that has no source.
    """

    def __init__(self, imports: Imports, schedule: str, clock: Clock, *, deidentify: bool = False) -> None:
        self._imports = imports
        self._schedule = parse_schedule(schedule)
        if self._schedule is not None and not imports.has_source:
            raise SettingsError("IMPORT_SCHEDULE is set and IMPORT_SOURCE is not: there is nothing to import")
        self._clock = clock
        self._deidentify = deidentify
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look at the clock, if anything is scheduled."""
        if self._schedule is not None and self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="import-schedule", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Start nothing more; an import that runs goes on."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def look(self) -> str | None:
        """Start the import if it is due; returns its run's id."""
        if self._schedule is None:
            return None
        source = self._imports.allowed(None).url
        due = self._schedule.due_since(self._clock.now(), self._imports.runs.last_started(source))
        if due is None:
            return None
        caller = Caller(Identity("schedule", "service"), str(uuid4()), "")
        try:
            return self._imports.start(caller, deidentify=self._deidentify, unless_since=due)
        except ImportRunning:
            return None  # another server was first, or somebody started it by hand

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:
                log.exception("scheduled import could not be started")
