"""The routes of index runs: start, status, pause, resume, cancel, history, sources."""

from __future__ import annotations

import time
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import Row

from readingroom.clock import iso
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.runs import UNDER_WAY, Runs, State
from readingroom.nas_index.start import Indexing
from readingroom.routing import Answer, Area, Body, Page, Query, caller

HEARD_SECONDS = 4.0
"""How long an answer waits for a run to hear what is asked of it: it listens every second."""

RECENT = 20
"""Errors that a status tells; the rest is a page of its own."""


class Plain(BaseModel):
    """Base of answers whose names are fixed in snake_case."""


class RunWish(Body):
    """What to index."""

    source: str | None = Field(None, max_length=2000)
    path: str | None = Field(None, max_length=4000)
    method: Literal["auto", "sequential", "parallel"] = "auto"
    workers: int = Field(0, ge=0, le=128)
    limit: int = Field(0, ge=0)


class RunBegun(Answer):
    """The run that was started."""

    run_id: str


class RunNamed(Body):
    """Which run is meant; the one under way when nothing is named."""

    source: str | None = None
    run_id: str | None = None


class StatusQuery(Query):
    """Of which source, or of which run."""

    source: str | None = None
    run_id: str | None = None


class ErrorReport(Plain):
    """One error, and what a person can do about it."""

    error_type: str
    error_code: str
    message: str
    suggestion: str
    file_path: str | None
    timestamp: str
    retry_count: int


class Status(Plain):
    """How far a run is, or how it ended."""

    enumerated_files: int = 0
    files_processed: int = 0
    series_count: int = 0
    errors: int = 0
    running: bool = False
    paused: bool = False
    phase: str = ""
    """enumerating, reading, paused, waiting (for a source that is away), finishing"""
    files_per_second: float = 0.0
    last_updated: str | None = None
    estimated_completion: str | None = None
    recent_errors: list[ErrorReport] = []
    run_id: str | None = None
    source: str | None = None
    path: str = ""
    state: State | None = None
    unchanged: int = 0
    added: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    limit: int = 0
    started_by: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    message: str = ""


class StatusPage(Plain):
    """One page of runs, newest first."""

    items: list[Status]
    total: int


class ErrorPage(Plain):
    """One page of a run's errors, newest first."""

    items: list[ErrorReport]
    total: int


class SourceShown(Plain):
    """A source, as configured and as the catalogue knows it."""

    name: str
    type: str
    location: str
    configured: bool
    enabled: bool
    online: bool
    offline_reason: str
    last_run: Status | None
    last_complete: str | None
    files: int
    series: int
    size_bytes: int


class SourcesShown(Plain):
    """All sources."""

    items: list[SourceShown]
    total: int


def routes(indexing: Indexing, catalogue: Catalogue) -> Area:
    """The area of index runs."""
    area = Area("index", "NAS index")
    runs = indexing.runs

    @area.post("/api/index/start", capability="index.run", body=RunWish, answer=RunBegun, status=202, errors=(404, 409))
    def start(body: RunWish) -> RunBegun:
        """Index a source in a process of its own; 409 while that source is being indexed.

        `source` is a configured one, by name, or a path or an address below one of `NAS_ALLOWED_ROOTS`; it may be left
        out where only one is configured. `path` is a folder below it.
        """
        run_id = indexing.start(
            caller(), source=body.source, path=body.path, method=body.method, workers=body.workers, limit=body.limit
        )
        return RunBegun(run_id=run_id)

    @area.get("/api/index/status", capability="index.search", query=StatusQuery, answer=Status, errors=(404,))
    def status(query: StatusQuery) -> Status:
        """How far the run is that is under way, or how the last one ended; of one source, or of all."""
        row = runs.get(query.run_id) if query.run_id else runs.latest(query.source)
        return Status() if row is None else shown(runs, row)

    @area.post("/api/index/pause", capability="index.run", body=RunNamed, answer=Status, errors=(404, 409))
    def pause(body: RunNamed) -> Status:
        """Let a run rest; what is under way is finished and stored."""
        return asked("pause", body)

    @area.post("/api/index/resume", capability="index.run", body=RunNamed, answer=Status, errors=(404, 409))
    def resume(body: RunNamed) -> Status:
        """Let a run go on; one that was cut off or cancelled goes on as a new run, without reading anything twice."""
        return asked("resume", body)

    @area.post("/api/index/cancel", capability="index.run", body=RunNamed, answer=Status, errors=(404, 409))
    def cancel(body: RunNamed) -> Status:
        """End a run; what it read is kept."""
        return asked("cancel", body)

    @area.get("/api/index/runs", capability="index.search", query=Page, answer=StatusPage)
    def listed(query: Page) -> StatusPage:
        """All runs, newest first."""
        rows, total = runs.page(query.limit, query.offset)
        return StatusPage(items=[shown(runs, row, recent=0) for row in rows], total=total)

    @area.get("/api/index/runs/<run_id>/errors", capability="index.search", query=Page, answer=ErrorPage, errors=(404,))
    def errors(run_id: str, query: Page) -> ErrorPage:
        """What a run could not read, newest first."""
        run = runs.get(run_id)
        return ErrorPage(items=reports(runs, run.id, query.limit, query.offset), total=run.errors)

    @area.get("/api/index/sources", capability="index.search", answer=SourcesShown)
    def sources() -> SourcesShown:
        """All sources: those that are configured, and those that were indexed."""
        items = _sources(indexing, catalogue)
        return SourcesShown(items=items, total=len(items))

    def asked(what: Literal["pause", "resume", "cancel"], body: RunNamed) -> Status:
        run_id = indexing.ask(caller(), what, body.source, body.run_id)
        heard = {"pause": ("paused",), "resume": ("queued", "running"), "cancel": ()}[what]
        end = time.monotonic() + HEARD_SECONDS
        row = runs.get(run_id)
        while row.state in UNDER_WAY and row.state not in heard and time.monotonic() < end:
            time.sleep(0.1)
            row = runs.get(run_id)
        return shown(runs, row)

    return area


def shown(runs: Runs, row: Row[Any], recent: int = RECENT) -> Status:
    """A run as it goes out."""
    return Status(
        enumerated_files=row.enumerated_files,
        files_processed=row.files_processed,
        series_count=row.series_count,
        errors=row.errors,
        running=row.state in UNDER_WAY,
        paused=row.state == "paused",
        phase=row.phase,
        files_per_second=row.files_per_second,
        last_updated=iso(row.heartbeat_at),
        estimated_completion=iso(row.estimated_completion) if row.estimated_completion else None,
        recent_errors=reports(runs, row.id, recent) if recent and row.errors else [],
        run_id=row.id,
        source=row.source_name,
        path=row.path,
        state=row.state,
        unchanged=row.unchanged,
        added=row.added,
        changed=row.changed,
        moved=row.moved,
        gone=row.gone,
        limit=row.file_limit,
        started_by=row.started_by,
        started_at=iso(row.started_at),
        finished_at=iso(row.finished_at) if row.finished_at else None,
        message=row.message,
    )


def reports(runs: Runs, run_id: str, limit: int, offset: int = 0) -> list[ErrorReport]:
    """The errors of a run, newest first."""
    return [
        ErrorReport(
            error_type=each.error_type,
            error_code=each.error_code,
            message=each.message,
            suggestion=each.suggestion,
            file_path=each.path or None,
            timestamp=iso(each.time),
            retry_count=each.retry_count,
        )
        for each in runs.errors(run_id, limit, offset)
    ]


def _sources(indexing: Indexing, catalogue: Catalogue) -> list[SourceShown]:
    configured = {each.name: each for each in indexing.config.read().sources}
    known = {each.name: each for each in catalogue.sources()}
    items = []
    for name in sorted(configured.keys() | known.keys()):
        config, record = configured.get(name), known.get(name)
        last = indexing.runs.latest(name) if record else None
        items.append(
            SourceShown(
                name=name,
                type=config.type if config else record.kind if record else "",
                location=config.location().url if config else record.location if record else "",
                configured=config is not None,
                enabled=config.enabled if config else True,
                online=record.online if record else True,
                offline_reason=record.offline_reason if record else "",
                last_run=shown(indexing.runs, last, recent=0) if last is not None else None,
                last_complete=iso(record.completed_at) if record and record.completed_at else None,
                files=record.files if record else 0,
                series=record.series if record else 0,
                size_bytes=record.size if record else 0,
            )
        )
    return items
