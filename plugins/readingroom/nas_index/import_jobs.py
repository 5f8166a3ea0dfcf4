"""The record of imports of series into Orthanc: which are asked for, how far they are, whether they still live."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import Conflict, ImportRunning, NotFound
from readingroom.nas_index.import_tables import nas_import
from readingroom.nas_index.series import Series
from readingroom.nas_index.tables import nas_source
from readingroom.procedures import Lifeline, Taken

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]

UNDER_WAY = ("queued", "running")

INTERRUPTED = "The process of this import ended before its work did; started again, it brings what is missing."

MAX_ERRORS = 100
"""Errors of single files that are kept of one import: more tell nothing new."""

MAX_MESSAGE = 2000


@dataclass(slots=True)
class Figures:
    """How far an import is; files and bytes."""

    files_total: int = 0
    files_done: int = 0
    files_there: int = 0
    files_failed: int = 0
    bytes_total: int = 0
    bytes_done: int = 0
    orthanc_series_id: str = ""
    errors: list[dict[str, str]] = field(default_factory=list)

    def columns(self) -> dict[str, Any]:
        """By column."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "errors"}
        return values | {"errors": json.dumps(self.errors[:MAX_ERRORS])}


class ImportJobs:
    """All imports of this installation, of whichever process or machine."""

    def __init__(self, database: Database, clock: Clock, locks: Path) -> None:
        self._database = database
        self._clock = clock
        self._lifeline = Lifeline(locks, "series-import")

    def begin(self, series: Series, started_by: str) -> str:
        """Write down a new import, `queued`. Raises ImportRunning while that series is being imported."""
        self.bury()
        job_id, now = str(uuid.uuid4()), self._clock.now()
        row = {
            "id": job_id,
            "series_key": series.key,
            "source_id": series.source_id,
            "state": "queued",
            "started_by": started_by,
            "started_at": now,
            "heartbeat_at": now,
            "files_total": series.file_count,
            "bytes_total": series.size,
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(nas_import).values(row))
        except IntegrityError:
            other = self.latest(series.key)
            detail = {"jobId": other.id if other is not None else None}
            raise ImportRunning("That series is being imported already.", detail=detail) from None
        return job_id

    def take(self) -> str | None:
        """The id of the import that waits longest; None when none does."""
        waiting = (
            select(nas_import.c.id)
            .where(nas_import.c.state == "queued")
            .order_by(nas_import.c.started_at, nas_import.c.id)
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.scalar(waiting)

    @contextmanager
    def alive(self, job_id: str) -> Iterator[Row[Any]]:
        """Be the process of that import while in the block: a kill is then seen at once. Raises NotFound."""
        gone = NotFound("That import does not wait (any more).")
        try:
            with self._lifeline.held(job_id):
                with self._database.write() as connection:
                    taken = connection.execute(
                        update(nas_import)
                        .where(nas_import.c.id == job_id, nas_import.c.state == "queued")
                        .values(state="running", heartbeat_at=self._clock.now())
                        .returning(nas_import)
                    ).first()
                if taken is None:
                    raise gone
                yield taken
        except Taken:
            raise gone from None

    def beat(self, job_id: str, figures: Figures) -> bool:
        """Tell how far it is; whether it shall go on."""
        with self._database.write() as connection:
            asked = connection.execute(
                update(nas_import)
                .where(nas_import.c.id == job_id)
                .values(**figures.columns(), heartbeat_at=self._clock.now())
                .returning(nas_import.c.asked)
            ).scalar()
        return asked != "cancel"

    def end(self, connection: Connection, job_id: str, state: State, figures: Figures, message: str) -> None:
        """Close it, within the caller's transaction."""
        now = self._clock.now()
        closing = {"state": state, "asked": "", "finished_at": now, "heartbeat_at": now}
        connection.execute(
            update(nas_import)
            .where(nas_import.c.id == job_id)
            .values(**figures.columns(), **closing, message=message[:MAX_MESSAGE])
        )

    def cancel(self, job_id: str) -> None:
        """Ask it to stop; one that waits is closed at once. Raises Conflict when it is over."""
        mine = nas_import.c.id == job_id
        now = self._clock.now()
        with self._database.write() as connection:
            waiting = update(nas_import).where(mine, nas_import.c.state == "queued")
            if connection.execute(waiting.values(state="cancelled", finished_at=now)).rowcount:
                return
            running = update(nas_import).where(mine, nas_import.c.state == "running")
            if not connection.execute(running.values(asked="cancel")).rowcount:
                raise Conflict("That import is over.")

    def latest(self, series_key: str) -> Row[Any] | None:
        """The newest import of that series, with its source's name; None when it was never imported."""
        self.bury()
        newest = (
            select(nas_import, nas_source.c.name.label("source_name"))
            .join(nas_source, nas_source.c.id == nas_import.c.source_id)
            .where(nas_import.c.series_key == series_key)
            .order_by(nas_import.c.state.in_(UNDER_WAY).desc(), nas_import.c.started_at.desc(), nas_import.c.id)
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.execute(newest).first()

    def waiting(self) -> int:
        """How many wait for a process."""
        counted = select(func.count()).where(nas_import.c.state == "queued")
        with self._database.read() as connection:
            return int(connection.scalar(counted) or 0)

    def source_name(self, source_id: int) -> str:
        """The name of a source."""
        with self._database.read() as connection:
            return str(connection.scalar(select(nas_source.c.name).where(nas_source.c.id == source_id)))

    def bury(self) -> None:
        """Close imports whose process is gone: `interrupted`, and the series may be imported again."""
        running = select(nas_import.c.id, nas_import.c.heartbeat_at).where(nas_import.c.state == "running")
        with self._database.read() as connection:
            rows = connection.execute(running).all()
        now = self._clock.now()
        for row in rows:
            if self._lifeline.is_dead(row.id, now - row.heartbeat_at):
                self._abandon(row.id)

    def _abandon(self, job_id: str) -> None:
        closing = {"state": "interrupted", "asked": "", "finished_at": self._clock.now(), "message": INTERRUPTED}
        with self._database.write() as connection:
            connection.execute(
                update(nas_import).where(nas_import.c.id == job_id, nas_import.c.state == "running").values(**closing)
            )
