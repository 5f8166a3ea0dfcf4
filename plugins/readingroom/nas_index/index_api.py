"""The routes of index runs: start, status, pause, resume, cancel, history, sources."""

from __future__ import annotations

import time
from typing import Literal

from pydantic import AliasChoices, Field

from readingroom.clock import iso
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.firebird import Kind
from readingroom.nas_index.run_answers import ErrorPage, ErrorType, Plain, Status, StatusPage, reports, shown
from readingroom.nas_index.runs import UNDER_WAY
from readingroom.nas_index.start import Indexing
from readingroom.routing import MOST_ROWS, Answer, Area, Body, Page, Query, caller

HEARD_SECONDS = 4.0
"""How long an answer waits for a run to hear what is asked of it: it listens every second."""


class RunWish(Body):
    """What to index."""

    source: str | None = Field(None, max_length=2000)
    path: str | None = Field(None, max_length=4000)
    method: Literal["auto", "sequential", "parallel"] = "auto"
    workers: int = Field(0, ge=0, le=128)
    limit: int = Field(0, ge=0, le=MOST_ROWS)
    accept_loss: bool = Field(
        False,
        validation_alias=AliasChoices("accept_loss", "acceptLoss"),
        description="Files that are missing were removed on purpose, however many: take them out of the catalogue",
    )


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


class RunsQuery(Page):
    """Of which source; of all when none is named."""

    source: str | None = Field(None, max_length=2000)


class ErrorsQuery(Page):
    """Of which kind; of all when none is named."""

    error_type: ErrorType | None = Field(None, alias="error_type")


class SourceShown(Plain):
    """A source, as configured and as the catalogue knows it."""

    name: str
    type: str
    content: Kind
    """What it is recognised as, by a sample until a run saw all of it."""
    pictures: int
    """JPEG 2000 files that the last whole run saw."""
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
        out where only one is configured. `path` is a folder below it. A source that lacks most of what it had is taken
        for a lost mount and nothing is taken out, until a run is started with `accept_loss`.
        """
        run_id = indexing.start(
            caller(),
            source=body.source,
            path=body.path,
            method=body.method,
            workers=body.workers,
            limit=body.limit,
            accept_loss=body.accept_loss,
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

    @area.get("/api/index/runs", capability="index.search", query=RunsQuery, answer=StatusPage)
    def listed(query: RunsQuery) -> StatusPage:
        """All runs, of one source or of all, newest first; their errors are a page of their own."""
        rows, total = runs.page(query.limit, query.offset, query.source)
        return StatusPage(items=[shown(runs, row, recent=0) for row in rows], total=total)

    @area.get(
        "/api/index/runs/<run_id>/errors",
        capability="index.search",
        query=ErrorsQuery,
        answer=ErrorPage,
        errors=(404,),
    )
    def errors(run_id: str, query: ErrorsQuery) -> ErrorPage:
        """What a run could not read, newest first; what a later run read again is that run's."""
        items, total = reports(runs, runs.get(run_id).id, query.limit, query.offset, query.error_type)
        return ErrorPage(items=items, total=total)

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
                content=record.content if record else "unknown",
                pictures=record.pictures if record else 0,
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
