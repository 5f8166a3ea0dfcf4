"""Brings catalogued series into Orthanc on behalf of somebody; other processes do the work, two at a time."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import NotFound
from readingroom.identity import Caller
from readingroom.nas_index import series as finding
from readingroom.nas_index.import_events import SeriesImportCancelled, SeriesImportStarted
from readingroom.nas_index.import_jobs import ImportJobs
from readingroom.nas_index.nas_config import ConfigFile
from readingroom.nas_index.series import Series
from readingroom.procedures import Lifeline, start_process
from readingroom.settings import Settings

log = structlog.get_logger(__name__)

WORKER = "readingroom.nas_index.import_worker"

SLOTS = ("1", "2")
"""Processes that import at a time: one large series does not keep a small one waiting, and fifty do not bring down
the NAS."""

STARTING_SECONDS = 15.0
"""A process that was started is not started again within this: it needs a moment to take its slot."""


class SeriesImports:
    """Starts, follows and calls off imports."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, trail: Trail) -> None:
        self._settings = settings
        self._database = database
        self._trail = trail
        self.jobs = jobs_of(settings, database, clock)
        self._slots = slots_of(settings)
        self._started: list[float] = []

    def start(self, caller: Caller, key: str, source: str = "") -> str:
        """Have a series brought into Orthanc; the job's id.

        What Orthanc has of it already is left as it is: an import that was cut off goes on when it is started again.
        Raises NotFound, and ImportRunning while that series is being imported.
        """
        series = finding.find(self._database, key, source)
        job_id = self.jobs.begin(series, caller.identity.user)
        event = SeriesImportStarted(entity_id=series.key, job=job_id, source=series.source, files=series.file_count)
        self._trail.record(event, caller)
        self.see_to_it()
        return job_id

    def status(self, key: str) -> tuple[Series, Row[Any] | None]:
        """The series and its newest import, None where there was none. Raises NotFound."""
        series = finding.find(self._database, key)
        row = self.jobs.latest(series.key)
        if row is not None and row.state == "queued":
            self.see_to_it()
        return series, row

    def cancel(self, caller: Caller, key: str) -> Row[Any]:
        """Call the newest import of a series off; what was brought in stays. Raises NotFound, Conflict."""
        series, row = self.status(key)
        if row is None:
            raise NotFound("That series was never imported.")
        self.jobs.cancel(row.id)
        self._trail.record(SeriesImportCancelled(entity_id=series.key, job=row.id), caller)
        return self.jobs.latest(series.key) or row

    def go_on(self) -> None:
        """After a start of Orthanc: close what was cut off, and do what still waits."""
        self.jobs.bury()
        if self.jobs.waiting():
            self.see_to_it()

    def see_to_it(self) -> None:
        """Start a process unless as many as may be are at work: each takes what waits until nothing does.

        Nothing is left behind: a process looks once more after it has given its slot back (see import_worker).
        """
        now = time.monotonic()
        self._started = [each for each in self._started if now - each < STARTING_SECONDS]
        free = sum(self._slots.is_dead(slot, timedelta.max) for slot in SLOTS)
        if free <= 0 or len(self._started) >= min(len(SLOTS), self.jobs.waiting()):
            return
        mark = now
        self._started.append(mark)

        def ended(_status: int) -> None:
            if mark in self._started:
                self._started.remove(mark)
            self.jobs.bury()

        try:
            start_process(self._settings, WORKER, [], "series-import.log", ended, variables(self._settings))
        except OSError as error:
            # The import stays queued: whoever asks for its state has it tried again.
            log.error("the import's process could not be started", why=error.strerror)


def jobs_of(settings: Settings, database: Database, clock: Clock) -> ImportJobs:
    """The record of imports of this installation."""
    return ImportJobs(database, clock, settings.data / "run")


def slots_of(settings: Settings) -> Lifeline:
    """The locks of the processes that import."""
    return Lifeline(settings.data / "run", "series-import-slot")


def variables(settings: Settings) -> dict[str, str]:
    """What a process must know beside what every one is told, where settings did not come from the environment."""
    return {
        "NAS_CONFIG": str(ConfigFile(settings).place),
        "NAS_ALLOWED_ROOTS": ",".join(settings.nas_roots),
        "NAS_PATH_MAP": settings.nas_path_map,
        "IMPORT_WORKERS": str(settings.import_workers),
    }
