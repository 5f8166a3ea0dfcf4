"""How a run, and what it could not read, goes out: names are snake_case, as documents fix them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import Row

from readingroom.clock import iso
from readingroom.nas_index.runs import UNDER_WAY, Runs, State

RECENT = 20
"""Errors that a status tells; the rest is a page of its own."""

ErrorType = Literal["network", "authentication", "filesystem", "dicom", "system"]


class Plain(BaseModel):
    """Base of answers whose names are fixed in snake_case."""


class ErrorReport(Plain):
    """One error, and what a person can do about it."""

    error_type: ErrorType
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
    accept_loss: bool = False
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
        recent_errors=reports(runs, row.id, recent)[0] if recent and (row.errors or row.phase == "waiting") else [],
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
        accept_loss=row.accept_loss,
        started_by=row.started_by,
        started_at=iso(row.started_at),
        finished_at=iso(row.finished_at) if row.finished_at else None,
        message=row.message,
    )


def reports(
    runs: Runs, run_id: str, limit: int, offset: int = 0, error_type: ErrorType | None = None
) -> tuple[list[ErrorReport], int]:
    """One page of a run's errors, newest first, and how many there are."""
    rows, total = runs.errors(run_id, limit, offset, error_type)
    items = [
        ErrorReport(
            error_type=each.error_type,
            error_code=each.error_code,
            message=each.message,
            suggestion=each.suggestion,
            file_path=each.path or None,
            timestamp=iso(each.time),
            retry_count=each.retry_count,
        )
        for each in rows
    ]
    return items, total
