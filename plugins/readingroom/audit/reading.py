"""Reads the trail: by page, as CSV, and link by link."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from readingroom.audit.tables import audit_head, events_of
from readingroom.audit.trail import GENESIS, HASHED, chained
from readingroom.db import Database

BATCH = 1000
"""Rows held at a time while exporting or verifying: about 1 MB."""

COLUMNS = (*HASHED, "previous_hash", "hash")

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV Injection)."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; None is any."""

    action: str | None = None  # the whole name, or `cases.` for all that begin so
    actor: str | None = None
    entity: str | None = None  # `table` or `table:id`
    clinic: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking the chain found; `problem` is empty when all is well."""

    checked: int
    length: int
    head: str
    first_broken: int = 0
    problem: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing or changed."""
        return not self.problem


class Reading:
    """Reads without ever holding more than a batch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events = events_of(database.is_postgresql)

    def page(self, wanted: Filter, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
        """A page of events, newest first, and how many fit."""
        conditions = self._conditions(wanted)
        rows = select(self._events).where(*conditions).order_by(self._events.c.id.desc())
        count = select(func.count()).select_from(self._events).where(*conditions)
        with self._database.read() as connection:
            return list(connection.execute(rows.limit(limit).offset(offset))), connection.scalar(count) or 0

    def all(self, wanted: Filter | None = None) -> Iterator[Row[Any]]:
        """All events in order, in batches; no transaction stays open between them."""
        conditions = self._conditions(wanted or Filter())
        last = 0
        while True:
            some = (
                select(self._events)
                .where(self._events.c.id > last, *conditions)
                .order_by(self._events.c.id)
                .limit(BATCH)
            )
            with self._database.read() as connection:
                rows = connection.execute(some).all()
            yield from rows
            if len(rows) < BATCH:
                return
            last = rows[-1].id

    def csv(self, wanted: Filter | None = None) -> Iterator[str]:
        """The events as CSV (RFC 4180), a few hundred lines at a time."""
        lines = io.StringIO()
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        for row in self.all(wanted):
            writer.writerow([cell(getattr(row, name)) for name in COLUMNS])
            if lines.tell() > 64 * 1024:
                yield lines.getvalue()
                lines.seek(0)
                lines.truncate()
        yield lines.getvalue()

    def json_lines(self, wanted: Filter | None = None) -> Iterator[str]:
        """The events as one JSON object a line."""
        for row in self.all(wanted):
            values = {name: getattr(row, name) for name in COLUMNS}
            values["time"] = row.time.isoformat(timespec="microseconds")
            values["payload"] = json.loads(row.payload)
            yield json.dumps(values, ensure_ascii=False) + "\n"

    def verify(self, anchor: tuple[int, str] | None = None) -> Verdict:
        """Follow the chain from its first event to its head; names the first event that does not fit.

        `anchor` is (length, hash) of an earlier verdict that was kept elsewhere: whoever could rewrite table
        and head alike is found by it.
        """
        with self._database.read() as connection:  # before the events: whatever is added meanwhile is beyond it
            found = connection.execute(select(audit_head.c.length, audit_head.c.hash)).first()
        if found is None:
            return Verdict(0, 0, "", 1, "The head of the trail is gone.")
        length, head = found
        previous, expected = GENESIS, 1
        for row in self.all():
            if row.id > length:
                break
            problem = _problem(row, expected, previous)
            if not problem and anchor is not None and row.id == anchor[0] and row.hash != anchor[1]:
                problem = f"Event {row.id} is not the one that was noted down: the trail was rewritten."
            if problem:
                return Verdict(expected - 1, length, head, expected, problem)
            previous, expected = row.hash, expected + 1
        verdict = _end(expected - 1, length, head, previous, anchor)
        stray = self._stray() if verdict.whole else None
        if stray is None:
            return verdict
        said = f"Event {stray} stands outside of the chain: nobody of ours wrote it."
        return Verdict(verdict.checked, length, head, stray, said)

    def _stray(self) -> int | None:
        """An event before the first of the chain or behind its last; asked at once, for the chain grows meanwhile."""
        events = self._events.c
        end = select(audit_head.c.length).scalar_subquery()
        with self._database.read() as connection:
            found: int | None = connection.scalar(
                select(events.id).where(or_(events.id < 1, events.id > end)).order_by(events.id).limit(1)
            )
        return found

    def _conditions(self, wanted: Filter) -> list[ColumnElement[bool]]:
        events = self._events.c
        conditions: list[ColumnElement[bool]] = []
        if wanted.action is not None:
            whole = not wanted.action.endswith(".")
            named = (
                events.action == wanted.action if whole else events.action.startswith(wanted.action, autoescape=True)
            )
            conditions.append(named)
        if wanted.entity is not None:
            table, colon, id = wanted.entity.partition(":")
            conditions.append(events.entity_table == table)
            if colon:
                conditions.append(events.entity_id == id)
        for name in ("actor", "clinic", "outcome"):
            value = getattr(wanted, name)
            if value is not None:
                conditions.append(events[name] == value)
        if wanted.since is not None:
            conditions.append(events.time >= wanted.since)
        if wanted.until is not None:
            conditions.append(events.time < wanted.until)
        return conditions


def cell(value: object) -> str:
    """A value as a CSV cell that no spreadsheet runs."""
    text = value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _problem(row: Row[Any], expected: int, previous: str) -> str:
    if row.id != expected:
        return f"Event {expected} is missing."
    if row.previous_hash != previous:
        return f"Event {expected} does not follow the one before it."
    if chained(previous, dict(row._mapping)) != row.hash:
        return f"Event {expected} was changed."
    return ""


def _end(checked: int, length: int, head: str, last: str, anchor: tuple[int, str] | None) -> Verdict:
    if checked < length:
        said = f"Event {checked + 1} is missing: the trail has {checked} events, its head says {length}."
        return Verdict(checked, length, head, checked + 1, said)
    if last != head:
        return Verdict(checked, length, head, checked, "The head of the trail is not that of its last event.")
    if anchor is not None and anchor[0] > length:
        said = f"The trail has {length} events; {anchor[0]} were noted down."
        return Verdict(checked, length, head, length + 1, said)
    return Verdict(checked, length, head)
