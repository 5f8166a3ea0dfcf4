"""Routes of the audit trail."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import Response
from pydantic import AwareDatetime, Field
from sqlalchemy import Row

from readingroom.audit.events import AuditExported, AuditRead
from readingroom.audit.reading import Filter, Reading
from readingroom.audit.trail import Trail
from readingroom.routing import Answer, Area, Page, Query, caller


class AuditQuery(Query):
    """Which events."""

    action: str | None = Field(None, max_length=64, description="Whole name, or `cases.` for all that begin so")
    actor: str | None = Field(None, max_length=200)
    entity: str | None = Field(None, max_length=300, description="`clinical_case` or `clinical_case:<id>`")
    clinic: str | None = Field(None, max_length=200)
    outcome: str | None = Field(None, max_length=16)
    since: AwareDatetime | None = Field(None, alias="from", description="With time zone; included")
    until: AwareDatetime | None = Field(None, alias="to", description="With time zone; not included")

    def filter(self) -> Filter:
        """The same for the reading side."""
        return Filter(
            _comparable(self.action), _comparable(self.actor), _comparable(self.entity),
            _comparable(self.clinic), _comparable(self.outcome), self.since, self.until,
        )  # fmt: skip


class AuditPage(Page, AuditQuery):
    """Which events, by page."""


class EventAnswer(Answer):
    """One event."""

    id: int
    request_id: str
    time: datetime
    actor: str
    actor_kind: str
    clinic: str | None
    action: str
    entity_table: str
    entity_id: str
    ip: str
    outcome: str
    payload: dict[str, Any]
    hash: str


class EventsAnswer(Answer):
    """A page of events, newest first."""

    items: list[EventAnswer]
    total: int


def routes(reading: Reading, trail: Trail) -> Area:
    """The area `audit`."""
    area = Area("audit", "Audit")

    @area.get("/api/audit", capability="audit.read", query=AuditPage, answer=EventsAnswer)
    def events(query: AuditPage) -> EventsAnswer:
        """What happened, newest first."""
        trail.record(AuditRead(), caller())
        rows, total = reading.page(query.filter(), query.limit, query.offset)
        return EventsAnswer(items=[_event(row) for row in rows], total=total)

    @area.get("/api/audit.csv", capability="audit.read", query=AuditQuery)
    def export(query: AuditQuery) -> Response:
        """The same as CSV, oldest first; cells that a spreadsheet would run carry an apostrophe in front."""
        trail.record(AuditExported(form="csv"), caller())
        headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
        return Response(reading.csv(query.filter()), mimetype="text/csv", headers=headers)

    return area


def _comparable(text: str | None) -> str | None:
    # PostgreSQL cannot even compare with a NUL; in its place stands what fits nothing.
    return text if text is None else text.replace("\x00", "\ufffd")


def _event(row: Row[Any]) -> EventAnswer:
    values = {**row._mapping, "payload": json.loads(row.payload), "clinic": row.clinic or None}
    return EventAnswer.model_validate(values, by_name=True)
