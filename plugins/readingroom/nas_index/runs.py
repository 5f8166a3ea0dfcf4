"""The record of index runs: who may start one, how far it is, what is asked of it, whether it is still alive."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import Conflict, IndexRunning, NotFound
from readingroom.nas_index.tables import nas_error, nas_run, nas_source
from readingroom.procedures import Lifeline, Taken

State = Literal["queued", "running", "paused", "done", "failed", "cancelled", "interrupted", "offline"]
"""offline: the source stayed away; interrupted: the process ended before its work did."""

UNDER_WAY = ("queued", "running", "paused")

GOES_ON = "The process of this run ended before its work did; the next run goes on from there."

GOING_ON = "restart"
"""Who starts a run that was cut off when this machine or this instance went down."""

MAX_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is asked to do."""

    source_id: int
    path: str = ""
    """Below the source; empty: all of it."""
    method: str = "auto"
    workers: int = 0
    """Files at a time; 0: as many as fit the source."""
    limit: int = 0
    """Files at most; 0: all."""
    accept_loss: bool = False
    """Whether files that are missing were removed on purpose, however many they are."""


class Runs:
    """All runs of this installation, of whichever process or machine."""

    def __init__(self, database: Database, clock: Clock, locks: Path) -> None:
        self._database = database
        self._clock = clock
        self._lifeline = Lifeline(locks, "index")

    def begin(self, wish: Wish, started_by: str) -> str:
        """Write down a new run, `queued`. Raises IndexRunning while that source has one under way."""
        self.bury()
        run_id, now = str(uuid.uuid4()), self._clock.now()
        row = {
            "id": run_id,
            "source_id": wish.source_id,
            "path": wish.path,
            "method": wish.method,
            "workers": wish.workers,
            "file_limit": wish.limit,
            "accept_loss": wish.accept_loss,
            "state": "queued",
            "started_by": started_by,
            "started_at": now,
            "heartbeat_at": now,
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(nas_run).values(row))
        except IntegrityError:
            other = self.under_way(wish.source_id)
            detail = {"runId": other.id if other else None}
            raise IndexRunning("That source is being indexed already.", detail=detail) from None
        return run_id

    @contextmanager
    def alive(self, run_id: str) -> Iterator[Row[Any]]:
        """Be the process of that run while in the block: hold its lock, so that a kill is seen at once.

        Raises NotFound for a run that is not waiting for a process.
        """
        try:
            with self._lifeline.held(run_id):
                with self._database.write() as connection:
                    taken = connection.execute(
                        update(nas_run)
                        .where(nas_run.c.id == run_id, nas_run.c.state == "queued")
                        .values(state="running", heartbeat_at=self._clock.now())
                        .returning(nas_run)
                    ).first()
                if taken is None:
                    raise NotFound(f"There is no index run {run_id} that waits to be started")
                yield taken
        except Taken:
            raise NotFound(f"Another process is at the index run {run_id} already") from None

    def beat(self, run_id: str, figures: dict[str, Any]) -> str:
        """Tell how far the run is; returns what is asked of it: "", "pause", "resume" or "cancel"."""
        with self._database.write() as connection:
            run = connection.execute(
                update(nas_run)
                .where(nas_run.c.id == run_id)
                .values(**figures, series_count=_series_of(nas_run.c.source_id), heartbeat_at=self._clock.now())
                .returning(nas_run.c.asked)
            ).scalar()
        return str(run or "")

    def end(self, connection: Connection, run_id: str, state: State, figures: dict[str, Any], message: str) -> None:
        """Close the run, within the caller's transaction."""
        now = self._clock.now()
        closing = figures | {
            "state": state,
            "phase": "",
            "asked": "",
            "finished_at": now,
            "heartbeat_at": now,
            "estimated_completion": None,
            "message": message[:MAX_MESSAGE],
            "series_count": _series_of(nas_run.c.source_id),
        }
        connection.execute(update(nas_run).where(nas_run.c.id == run_id).values(**closing))

    def ask(self, run_id: str, what: Literal["pause", "resume", "cancel"]) -> None:
        """Ask a run for something; one that still waits for its process is cancelled at once. Raises Conflict."""
        mine = nas_run.c.id == run_id
        with self._database.write() as connection:
            if what == "cancel":
                closed = connection.execute(
                    update(nas_run)
                    .where(mine, nas_run.c.state == "queued")
                    .values(state="cancelled", asked="", finished_at=self._clock.now())
                )
                if closed.rowcount:
                    return
            asked = connection.execute(
                update(nas_run)
                .where(mine, nas_run.c.state.in_(UNDER_WAY), nas_run.c.asked != "cancel")
                .values(asked=what)
            )
            if not asked.rowcount and connection.scalar(select(nas_run.c.asked).where(mine)) != "cancel":
                raise Conflict("That run is over.")

    def get(self, run_id: str) -> Row[Any]:
        """One run, with its source's name; raises NotFound."""
        self.bury()
        with self._database.read() as connection:
            row = connection.execute(_with_source().where(nas_run.c.id == run_id)).first()
        if row is None:
            raise NotFound("There is no such run.")
        return row

    def latest(self, source: str | None = None) -> Row[Any] | None:
        """The run to look at: one that is under way, else the newest; of one source, or of all."""
        self.bury()
        found = _with_source()
        if source is not None:
            found = found.where(nas_source.c.name == source)
        lively = nas_run.c.state.in_(UNDER_WAY)
        with self._database.read() as connection:
            return connection.execute(
                found.order_by(lively.desc(), nas_run.c.started_at.desc(), nas_run.c.id).limit(1)
            ).first()

    def under_way(self, source_id: int) -> Row[Any] | None:
        """The run of that source that is under way."""
        with self._database.read() as connection:
            return connection.execute(
                _with_source().where(nas_run.c.source_id == source_id, nas_run.c.state.in_(UNDER_WAY))
            ).first()

    def page(self, limit: int, offset: int, source: str | None = None) -> tuple[list[Row[Any]], int]:
        """One page of runs, newest first, and how many there are; of one source, or of all."""
        self.bury()
        found = _with_source() if source is None else _with_source().where(nas_source.c.name == source)
        newest_first = found.order_by(nas_run.c.started_at.desc(), nas_run.c.id)
        with self._database.read() as connection:
            total = connection.scalar(select(func.count()).select_from(found.subquery())) or 0
            return list(connection.execute(newest_first.limit(limit).offset(offset))), total

    def last_total(self, source_id: int) -> int:
        """How many files the last whole run of that source enumerated; 0 when there was none."""
        last = (
            select(nas_run.c.enumerated_files)
            .where(
                nas_run.c.source_id == source_id,
                nas_run.c.state == "done",
                nas_run.c.path == "",
                nas_run.c.file_limit == 0,
            )
            .order_by(nas_run.c.started_at.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            return int(connection.scalar(last) or 0)

    def interrupted(self) -> list[Row[Any]]:
        """Of each source the newest run, where that one was cut off."""
        self.bury()
        newest = (
            select(nas_run.c.source_id, func.max(nas_run.c.started_at).label("at"))
            .group_by(nas_run.c.source_id)
            .subquery()
        )
        with self._database.read() as connection:
            return list(
                connection.execute(
                    _with_source()
                    .join(
                        newest,
                        (newest.c.source_id == nas_run.c.source_id) & (newest.c.at == nas_run.c.started_at),
                    )
                    .where(nas_run.c.state == "interrupted")
                )
            )

    def errors(
        self, run_id: str, limit: int, offset: int = 0, error_type: str | None = None
    ) -> tuple[list[Row[Any]], int]:
        """One page of a run's errors, newest first, and how many there are; of one type, or of all.

        What a later run read again is that run's, or no error any more.
        """
        found = select(nas_error).where(nas_error.c.run_id == run_id)
        if error_type is not None:
            found = found.where(nas_error.c.error_type == error_type)
        with self._database.read() as connection:
            total = connection.scalar(select(func.count()).select_from(found.subquery())) or 0
            page = found.order_by(nas_error.c.id.desc()).limit(limit).offset(offset)
            return list(connection.execute(page)), total

    def note(self, connection: Connection, run: Row[Any], report: dict[str, str]) -> None:
        """Write down what ended a run or keeps it waiting, beside the errors of single files."""
        self.unnote(connection, run)
        row = {"source_id": run.source_id, "run_id": run.id, "path": "", "retry_count": 0, "time": self._clock.now()}
        connection.execute(insert(nas_error).values(**row, **report))

    def unnote(self, connection: Connection, run: Row[Any]) -> None:
        """Take that back: the run goes on."""
        connection.execute(delete(nas_error).where(nas_error.c.source_id == run.source_id, nas_error.c.path == ""))

    def bury(self) -> None:
        """Close runs whose process is gone: `interrupted`, and the source is free again."""
        open_runs = select(nas_run.c.id, nas_run.c.heartbeat_at).where(nas_run.c.state.in_(UNDER_WAY))
        with self._database.read() as connection:
            rows = connection.execute(open_runs).all()
        now = self._clock.now()
        for row in rows:
            if self._lifeline.is_dead(row.id, now - row.heartbeat_at):
                self.abandon(row.id, GOES_ON)

    def abandon(self, run_id: str, message: str) -> None:
        """Close a run whose process is known to be gone, if it did not close itself."""
        with self._database.write() as connection:
            connection.execute(
                update(nas_run)
                .where(nas_run.c.id == run_id, nas_run.c.state.in_(UNDER_WAY))
                .values(
                    state="interrupted",
                    finished_at=self._clock.now(),
                    phase="",
                    asked="",
                    estimated_completion=None,
                    message=message,
                )
            )


def _with_source() -> Any:
    columns = (nas_source.c.name.label("source_name"), nas_source.c.location)
    return select(nas_run, *columns).join(nas_source, nas_source.c.id == nas_run.c.source_id)


def _series_of(source_id: Any) -> Any:
    return select(nas_source.c.series_count).where(nas_source.c.id == source_id).scalar_subquery()
