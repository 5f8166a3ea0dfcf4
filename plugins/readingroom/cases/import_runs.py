"""The record of import runs: who may start one, how far it is, whether it is still alive."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from readingroom.cases.tables import import_item, import_run
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import ImportRunning, NotFound
from readingroom.procedures import Lifeline, Taken

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
UNDER_WAY = ("queued", "running")

MAX_MESSAGE = 2000

REPORT_KEPT = timedelta(days=90)
"""What a run said of single files goes then, and its log; a schedule would fill the disk with the same lines again and
again. Its figures stay.
"""

FORGOTTEN_AT_ONCE = 10
"""Reports that a new run takes away: many lines in one transaction would keep other writers waiting."""

PAGE = 5000
"""Lines of a report that are read at a time."""


@dataclass(slots=True)
class Figures:
    """How far a run is; one column each."""

    phase: str = ""
    files_seen: int = 0
    files_done: int = 0
    bytes_done: int = 0
    added: int = 0
    unchanged: int = 0
    changed: int = 0
    missing: int = 0
    not_dicom: int = 0
    failed: int = 0

    def columns(self) -> dict[str, Any]:
        """The figures by column."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is asked to do."""

    source: str
    """Without credentials; what makes two runs the same source."""
    dry_run: bool = False
    deidentify: bool = False
    workers: int = 4


class Runs:
    """All runs of this installation, of whichever process or machine."""

    def __init__(self, database: Database, clock: Clock, locks: Path) -> None:
        self._database = database
        self._clock = clock
        self._lifeline = Lifeline(locks, "import")

    def begin(self, wish: Wish, started_by: str, unless_since: datetime | None = None) -> str:
        """Write down a new run, `queued`.

        Raises ImportRunning while that source has one under way, or had one that began at `unless_since` or later.
        """
        self.bury()
        run_id, now = str(uuid.uuid4()), self._clock.now()
        row = {
            "id": run_id,
            "source": wish.source,
            "state": "queued",
            "dry_run": wish.dry_run,
            "deidentify": wish.deidentify,
            "workers": wish.workers,
            "started_by": started_by,
            "started_at": now,
            "heartbeat_at": now,
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(import_run).values(row))
                if unless_since and self._others_since(connection, run_id, wish.source, unless_since):
                    raise ImportRunning(f"{wish.source} was imported just now")
        except IntegrityError:
            other = self._under_way(wish.source)
            raise ImportRunning(f"{wish.source} is being imported already", detail={"runId": other}) from None
        self._forget_reports(now - REPORT_KEPT)
        return run_id

    @contextmanager
    def alive(self, run_id: str) -> Iterator[Wish]:
        """Be the process of that run while in the block: hold its lock, so that a kill is seen at once.

        Raises NotFound for a run that is not waiting for a process.
        """
        try:
            with self._lifeline.held(run_id):
                with self._database.write() as connection:
                    taken = connection.execute(
                        update(import_run)
                        .where(import_run.c.id == run_id, import_run.c.state == "queued")
                        .values(state="running", heartbeat_at=self._clock.now())
                        .returning(import_run)
                    ).first()
                if taken is None:
                    raise NotFound(f"There is no import {run_id} that waits to be started")
                yield Wish(taken.source, taken.dry_run, taken.deidentify, taken.workers)
        except Taken:
            raise NotFound(f"Another process is at the import {run_id} already") from None

    def beat(self, connection: Connection, run_id: str, figures: Figures) -> bool:
        """Tell how far the run is, within the caller's transaction; returns whether somebody asked it to stop."""
        asked = connection.execute(
            update(import_run)
            .where(import_run.c.id == run_id)
            .values(**figures.columns(), heartbeat_at=self._clock.now())
            .returning(import_run.c.cancel_asked)
        ).scalar()
        return bool(asked)

    def end(self, connection: Connection, run_id: str, state: State, figures: Figures, message: str) -> None:
        """Close the run."""
        now = self._clock.now()
        connection.execute(
            update(import_run)
            .where(import_run.c.id == run_id)
            .values(
                **(figures.columns() | {"phase": ""}),
                state=state,
                finished_at=now,
                heartbeat_at=now,
                message=message[:MAX_MESSAGE],
            )
        )

    def cancel(self, run_id: str) -> Row[Any]:
        """Ask a run to stop; one that waits for its process is closed at once, one that is over stays as it is."""
        with self._database.write() as connection:
            mine = import_run.c.id == run_id
            connection.execute(
                update(import_run).where(mine, import_run.c.state == "running").values(cancel_asked=True)
            )
            connection.execute(
                update(import_run)
                .where(mine, import_run.c.state == "queued")
                .values(state="cancelled", finished_at=self._clock.now(), cancel_asked=True)
            )
        return self.get(run_id)

    def get(self, run_id: str) -> Row[Any]:
        """One run; raises NotFound."""
        self.bury()
        with self._database.read() as connection:
            row = connection.execute(select(import_run).where(import_run.c.id == run_id)).first()
        if row is None:
            raise NotFound("There is no such import.")
        return row

    def page(self, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
        """One page of runs, newest first, and how many there are."""
        self.bury()
        page = select(import_run).order_by(import_run.c.started_at.desc(), import_run.c.id)
        with self._database.read() as connection:
            total = connection.scalar(select(func.count()).select_from(import_run)) or 0
            return list(connection.execute(page.limit(limit).offset(offset))), total

    def items(self, run_id: str, outcome: str | None, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
        """One page of what a run has to tell about single files, and how many there are. Raises NotFound."""
        self.get(run_id)
        conditions = [import_item.c.run_id == run_id]
        if outcome:
            conditions.append(import_item.c.outcome == outcome)
        page = select(import_item).where(*conditions).order_by(import_item.c.id)
        with self._database.read() as connection:
            total = connection.scalar(select(func.count()).select_from(import_item).where(*conditions)) or 0
            return list(connection.execute(page.limit(limit).offset(offset))), total

    def all_items(self, run_id: str) -> Iterator[Row[Any]]:
        """Every line of a run's report, in order, read a page at a time."""
        after = 0
        while True:
            page = select(import_item).where(import_item.c.run_id == run_id, import_item.c.id > after)
            with self._database.read() as connection:
                rows = connection.execute(page.order_by(import_item.c.id).limit(PAGE)).all()
            if not rows:
                return
            yield from rows
            after = rows[-1].id

    def last_started(self, source: str) -> datetime | None:
        """When that source was last imported, or tried to be."""
        with self._database.read() as connection:
            newest = select(import_run.c.started_at).where(
                import_run.c.source == source, import_run.c.dry_run.is_(False)
            )
            return connection.execute(newest.order_by(import_run.c.started_at.desc()).limit(1)).scalar()

    def bury(self) -> None:
        """Close runs whose process is gone: `interrupted`, and the source is free again."""
        with self._database.read() as connection:
            open_runs = connection.execute(
                select(import_run.c.id, import_run.c.heartbeat_at).where(import_run.c.state.in_(UNDER_WAY))
            ).all()
        now = self._clock.now()
        dead = [row.id for row in open_runs if self._lifeline.is_dead(row.id, now - row.heartbeat_at)]
        if not dead:
            return
        with self._database.write() as connection:
            connection.execute(
                update(import_run)
                .where(import_run.c.id.in_(dead), import_run.c.state.in_(UNDER_WAY))
                .values(
                    state="interrupted",
                    finished_at=self._clock.now(),
                    phase="",
                    message="The process of this import ended before its work did; the next import goes on from there.",
                )
            )

    def abandon(self, run_id: str, message: str) -> None:
        """Close a run whose process is known to be gone, if it did not close itself."""
        with self._database.write() as connection:
            connection.execute(
                update(import_run)
                .where(import_run.c.id == run_id, import_run.c.state.in_(UNDER_WAY))
                .values(state="interrupted", finished_at=self._clock.now(), phase="", message=message)
            )

    def _forget_reports(self, before: datetime) -> None:
        reported = select(import_item.c.id).where(import_item.c.run_id == import_run.c.id).exists()
        old = select(import_run.c.id).where(import_run.c.started_at < before, reported)
        with self._database.read() as connection:
            runs = connection.scalars(old.order_by(import_run.c.started_at).limit(FORGOTTEN_AT_ONCE)).all()
        if runs:
            with self._database.write() as connection:
                connection.execute(delete(import_item).where(import_item.c.run_id.in_(runs)))

    @staticmethod
    def _others_since(connection: Connection, run_id: str, source: str, since: datetime) -> bool:
        others = select(import_run.c.id).where(
            import_run.c.source == source,
            import_run.c.id != run_id,
            import_run.c.started_at >= since,
            import_run.c.dry_run.is_(False),
        )
        return connection.execute(others.limit(1)).first() is not None

    def _under_way(self, source: str) -> str | None:
        with self._database.read() as connection:
            return connection.execute(
                select(import_run.c.id).where(import_run.c.source == source, import_run.c.state.in_(UNDER_WAY))
            ).scalar()
