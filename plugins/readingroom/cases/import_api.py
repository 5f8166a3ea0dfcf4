"""Routes of the imports: start, watch, read the report of, cancel."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Row

from readingroom.cases.import_runs import UNDER_WAY, State
from readingroom.cases.import_start import Imports
from readingroom.clock import iso
from readingroom.routing import Answer, Area, Body, Page, caller

Outcome = Literal["added", "changed", "missing", "not_dicom", "failed", "skipped"]


class ImportWish(Body):
    """An import to start."""

    source: str | None = Field(None, max_length=2000, description="Left out: the configured source")
    deidentify: bool = False
    dry_run: bool = False
    workers: int | None = Field(None, ge=1, le=64, description="Uploads at a time")


class ImportBegun(Answer):
    """The run that was started."""

    run_id: str


class ImportRun(Answer):
    """One run of an import."""

    run_id: str
    state: State
    source: str
    dry_run: bool
    deidentify: bool
    started_by: str
    started_at: str
    finished_at: str | None
    phase: str
    files_seen: int
    files_done: int
    bytes_done: int
    added: int
    unchanged: int
    changed: int
    missing: int
    not_dicom: int
    failed: int
    files_per_second: float
    eta_seconds: float | None
    message: str


class ImportRuns(Answer):
    """One page of runs, newest first."""

    items: list[ImportRun]
    total: int


class ItemsQuery(Page):
    """Which lines of a run's report."""

    outcome: Outcome | None = None


class ImportItem(Answer):
    """One file, or folder, that a run has something to say about."""

    path: str
    outcome: Outcome
    reason: str


class ImportItems(Answer):
    """One page of a run's report."""

    items: list[ImportItem]
    total: int


def routes(imports: Imports) -> Area:
    """The area of the imports."""
    area = Area("imports", "Imports")
    runs = imports.runs

    @area.post(
        "/api/bestof/imports",
        capability="cases.admin",
        body=ImportWish,
        answer=ImportBegun,
        status=202,
        errors=(409,),
    )
    def start(body: ImportWish) -> ImportBegun:
        """Start an import in a process of its own; 409 while that source is being imported."""
        run_id = imports.start(
            caller(),
            source=body.source,
            deidentify=body.deidentify,
            dry_run=body.dry_run,
            workers=body.workers,
        )
        return ImportBegun(run_id=run_id)

    @area.get("/api/bestof/imports", capability="cases.admin", query=Page, answer=ImportRuns)
    def listed(query: Page) -> ImportRuns:
        """All imports, newest first, those from the command line and by schedule too."""
        rows, total = runs.page(query.limit, query.offset)
        return ImportRuns(items=[_run(row) for row in rows], total=total)

    @area.get("/api/bestof/imports/<run_id>", capability="cases.admin", answer=ImportRun, errors=(404,))
    def one(run_id: str) -> ImportRun:
        """How far an import is, or how it ended."""
        return _run(runs.get(run_id))

    @area.get(
        "/api/bestof/imports/<run_id>/items",
        capability="cases.admin",
        query=ItemsQuery,
        answer=ImportItems,
        errors=(404,),
    )
    def items(run_id: str, query: ItemsQuery) -> ImportItems:
        """What an import has to say about single files."""
        rows, total = runs.items(run_id, query.outcome, query.limit, query.offset)
        found = [ImportItem(path=row.path, outcome=row.outcome, reason=row.reason) for row in rows]
        return ImportItems(items=found, total=total)

    @area.post("/api/bestof/imports/<run_id>/cancel", capability="cases.admin", answer=ImportRun, errors=(404,))
    def cancel(run_id: str) -> ImportRun:
        """Ask an import to stop after the files that are under way; the next one goes on from there."""
        imports.cancel(caller(), run_id)
        return _run(runs.get(run_id))

    return area


def _run(row: Row[Any]) -> ImportRun:
    speed, left = _speed(row)
    return ImportRun(
        run_id=row.id,
        state=row.state,
        source=row.source,
        dry_run=row.dry_run,
        deidentify=row.deidentify,
        started_by=row.started_by,
        started_at=iso(row.started_at),
        finished_at=iso(row.finished_at) if row.finished_at else None,
        phase=row.phase,
        files_seen=row.files_seen,
        files_done=row.files_done,
        bytes_done=row.bytes_done,
        added=row.added,
        unchanged=row.unchanged,
        changed=row.changed,
        missing=row.missing,
        not_dicom=row.not_dicom,
        failed=row.failed,
        files_per_second=round(speed, 1),
        eta_seconds=left,
        message=row.message,
    )


def _speed(row: Row[Any]) -> tuple[float, float | None]:
    """Files per second so far, and seconds that the rest will take (None while nobody knows)."""
    last: datetime = row.finished_at or row.heartbeat_at
    seconds = max((last - row.started_at).total_seconds(), 0.001)
    speed = row.files_done / seconds if row.files_done else 0.0
    # What is unchanged takes no time: the rest goes at the pace of the uploads.
    uploaded = row.files_done - row.unchanged
    if row.state not in UNDER_WAY or row.phase != "uploading" or not uploaded:
        return speed, None
    return speed, round((row.files_seen - row.files_done) * seconds / uploaded, 1)
