"""A process that brings series into Orthanc: `python -m readingroom.nas_index.import_worker`, started by import_series.

It takes one import after the other until none waits, then ends. It outlives Orthanc; a restart is waited for.
"""

from __future__ import annotations

import sys
import threading
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Row

from readingroom.audit import Trail
from readingroom.clock import Clock, SystemClock
from readingroom.db import Database, open_database
from readingroom.errors import NotFound, PacsUnreachable, ReadingRoomError, SourceError
from readingroom.identity import Caller, Identity, token_signer
from readingroom.nas_index import series as finding
from readingroom.nas_index.import_events import SeriesImportFinished
from readingroom.nas_index.import_jobs import Figures, State
from readingroom.nas_index.import_moving import Moving
from readingroom.nas_index.import_series import SLOTS, jobs_of, slots_of
from readingroom.nas_index.series_files import SeriesFiles
from readingroom.pacs import Pacs
from readingroom.pacs_http import HttpPacs
from readingroom.procedures import Taken, begin_process
from readingroom.procedures.patience import PatientPacs
from readingroom.settings import Settings

log = structlog.get_logger(__name__)


class ImportWork:
    """Does what imports ask for."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, pacs: Pacs, stopping: threading.Event
    ) -> None:
        self._settings = settings
        self._database = database
        self._trail = Trail(database, clock)
        self._pacs = PatientPacs(pacs, stopping)
        self._stopping = stopping
        self.jobs = jobs_of(settings, database, clock)

    def until_none_waits(self) -> None:
        """Do all that waits, unless other processes are at it already."""
        slots = slots_of(self._settings)
        # After a slot was given back once more: who asked for an import in that moment saw it taken.
        while self.jobs.take() is not None and not self._stopping.is_set():
            for slot in SLOTS:
                try:
                    with slots.held(slot):
                        self._drain()
                    break
                except Taken:
                    continue
            else:
                return

    def _drain(self) -> None:
        files = SeriesFiles(self._settings, self._database)
        try:
            while not self._stopping.is_set() and (job_id := self.jobs.take()) is not None:
                try:
                    self.do(job_id, files)
                except NotFound:
                    continue  # another process was quicker, or it was called off
        finally:
            files.close()

    def do(self, job_id: str, files: SeriesFiles) -> State:
        """Do one import, to its record's end; errors end it, they are not raised. Raises NotFound if it waits not."""
        with self.jobs.alive(job_id) as job:
            moving = Moving(
                files, self._pacs, self._settings.import_workers, lambda figures: self.jobs.beat(job_id, figures)
            )
            try:
                series = finding.find(self._database, job.series_key, self.jobs.source_name(job.source_id))
                moving.move(files.of_series(series), series.uid, self._stopping)
                state, message = self._ending(moving)
            except PacsUnreachable as error:
                state, message = "interrupted", f"{error.message}. Started again, the import brings what is missing."
            except SourceError as error:
                state, message = "failed", f"{error.message}. {error.suggestion}".strip()
            except ReadingRoomError as error:
                state, message = "failed", error.message
            except Exception as error:
                log.exception("series import failed", job=job_id)
                state, message = "failed", f"The import broke off ({type(error).__name__}); see logs/series-import.log."
            self._close(job, moving.figures, state, message)
        return state

    def _ending(self, moving: Moving) -> tuple[State, str]:
        figures = moving.figures
        if moving.is_cancelled:
            return "cancelled", "Cancelled; what was brought in stays."
        if figures.files_done < figures.files_total:
            return "interrupted", "Stopped from outside; started again, the import brings what is missing."
        if not figures.files_failed:
            return "done", ""
        message = f"{figures.files_failed} of {figures.files_total} files could not be brought in."
        return ("failed" if figures.files_failed == figures.files_total else "done"), message

    def _close(self, job: Row[Any], figures: Figures, state: State, message: str) -> None:
        event = SeriesImportFinished(
            entity_id=job.series_key,
            outcome="ok" if state == "done" and not figures.files_failed else "failed",
            job=job.id,
            state=state,
            files=figures.files_done,
            already_there=figures.files_there,
            failed=figures.files_failed,
            bytes=figures.bytes_done,
        )
        caller = Caller(Identity(job.started_by, "service"), str(uuid4()), "")
        with self._database.write() as connection:
            self.jobs.end(connection, job.id, state, figures, message)
            self._trail.record(event, caller, connection)
        log.info("series import ended", job=job.id, state=state, files=figures.files_done, failed=figures.files_failed)


def main() -> int:
    """Do what waits; 0 whatever came of it."""
    stopping = begin_process()
    settings = Settings.load()
    database = open_database(settings.database_url)
    clock = SystemClock()
    signer = token_signer(settings, clock)
    pacs = HttpPacs(settings.orthanc_url, lambda: f"Bearer {signer.service_token('index')}")
    try:
        ImportWork(settings, database, clock, pacs, stopping).until_none_waits()
    finally:
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
