"""What the process of a run does: has it done, whatever comes of it, and closes the record."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Row

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import ReadingRoomError, SourceNotFound, SourceUnreachable
from readingroom.identity import Caller, Identity
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.doing import LOST, Doing
from readingroom.nas_index.events import IndexFinished
from readingroom.nas_index.firebird.database import DatabaseAway
from readingroom.nas_index.run_source import RunSource
from readingroom.nas_index.runs import Runs, State
from readingroom.nas_index.told import report
from readingroom.nas_index.watch import RunStopped
from readingroom.settings import Settings

log = structlog.get_logger(__name__)


class Work:
    """Does one run."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, catalogue: Catalogue) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._catalogue = catalogue
        self._trail = Trail(database, clock)
        self.runs = runs_of(settings, database, clock)

    def run(self, run_id: str, stopping: threading.Event) -> State:
        """Do that run, from its beginning to its record's end; errors end it, they are not raised.

        `stopping` ends it early, as interrupted. Raises NotFound where no such run is waiting.
        """
        with self.runs.alive(run_id) as run:
            source = RunSource(self._settings, self._database, self._catalogue, self.runs, run)
            doing = Doing(source, self.runs, self._clock, self._settings.data / "cache", run, stopping)
            error: BaseException | None = None
            try:
                state, message = doing.run()
            except RunStopped:
                state, message = doing.stopped()
            except DatabaseAway as away:  # which says nothing of the source
                state, message, error = "failed", away.message, away
            except (SourceUnreachable, SourceNotFound) as lost:
                state, message, error = "offline", lost.message, lost
                self._catalogue.offline(run.source_id, lost.message)
            except ReadingRoomError as refused:
                state, message, error = "failed", refused.message, refused
            except Exception as unknown:
                log.exception("index run failed", run=run_id)
                error = unknown
                state, message = "failed", report(unknown)["message"]
            self._close(run, doing, state, message, error)
        return state

    def _close(self, run: Row[Any], doing: Doing, state: State, message: str, error: BaseException | None) -> None:
        figures = doing.figures()
        event = IndexFinished(
            entity_id=run.id,
            outcome="ok" if state == "done" else "failed",
            state=state,
            files=figures["files_processed"],
            added=figures["added"],
            changed=figures["changed"],
            gone=figures["gone"],
            errors=figures["errors"],
        )
        caller = Caller(Identity(run.started_by, "service"), str(uuid4()), "")
        with self._database.write() as connection:
            if error is not None or doing.is_lost:
                self.runs.note(connection, run, LOST if error is None else report(error))
                figures["errors"] += 1
            self.runs.end(connection, run.id, state, figures, message)
            self._trail.record(event, caller, connection)
        log.info("index run ended", run=run.id, state=state, **figures)


def runs_of(settings: Settings, database: Database, clock: Clock) -> Runs:
    """The record of runs of this installation."""
    return Runs(database, clock, settings.data / "run")
