"""Writes audit events: append-only, each bound to the one before it by a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, insert, select, update

from readingroom.audit.events import Event
from readingroom.audit.tables import audit_head, events_of
from readingroom.clock import Clock, iso
from readingroom.db import Database

if TYPE_CHECKING:  # identity writes to the trail: at run time only that way round
    from readingroom.identity.model import Caller

GENESIS = "0" * 64
"""The hash before the first event."""

FOLD = timedelta(minutes=5)
"""Views of one thing by one actor within this span are one event: scrolling must not flood the trail."""

MAX_REMEMBERED_VIEWS = 20_000
"""About 4 MB; what falls out costs one look into the table."""

HASHED = (
    "id", "request_id", "time", "actor", "actor_kind", "clinic", "action",
    "entity_table", "entity_id", "ip", "outcome", "payload",
)  # fmt: skip
"""Columns that an event's hash covers, in order; `previous_hash` comes before them."""


class Trail:
    """The one chain of events of this installation; safe for many threads, processes and machines at once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._events = events_of(database.is_postgresql)
        self._seen: dict[tuple[str, ...], datetime] = {}
        self._seen_lock = Lock()
        # Built once: putting statements together costs more than running them.
        self._head = select(audit_head.c.length, audit_head.c.hash).where(audit_head.c.id == 1).with_for_update()
        self._move = update(audit_head).where(audit_head.c.id == 1).values(length=bindparam("n"), hash=bindparam("h"))
        self._insert = insert(self._events)
        events = self._events.c
        same = (events.entity_table, events.entity_id, events.actor, events.actor_kind, events.action)
        self._same = (
            select(events.time)
            .where(events.time > bindparam("since"), *(column == bindparam(column.name) for column in same))
            .limit(1)
        )

    def record(self, event: Event, caller: Caller, connection: Connection | None = None) -> None:
        """Append an event; within the caller's own transaction when `connection` is given.

        With a connection (of `Database.write`) the event stands or falls with what it tells of; the chain
        waits until that transaction ends.
        """
        key = (caller.identity.kind, caller.identity.user, event.action, event.entity_table, event.entity_id)
        if event.folded and self._seen_lately(key):
            return
        with self._transaction(connection) as within:
            stands_since = self._append(within, event, caller)
        if event.folded and connection is None:  # the caller's own transaction may still be rolled back
            self._remember(key, stands_since)

    def _append(self, connection: Connection, event: Event, caller: Caller) -> datetime:
        length, previous = connection.execute(self._head).one()  # locks the chain until the transaction ends
        now = self._clock.now()
        if event.folded:
            earlier = self._stands_already(connection, event, caller, now)
            if earlier is not None:
                return earlier
        row = {
            "id": length + 1,
            "request_id": caller.request_id,
            "time": now,
            "actor": _clean(caller.identity.user),
            "actor_kind": caller.identity.kind,
            "clinic": _clean(caller.identity.clinic or ""),
            "action": event.action,
            "entity_table": event.entity_table,
            "entity_id": _clean(event.entity_id),
            "ip": _clean(caller.ip),
            "outcome": event.outcome,
            "payload": canonical(event.payload()),
            "previous_hash": previous,
        }
        row["hash"] = chained(previous, row)
        connection.execute(self._insert, row)
        connection.execute(self._move, {"n": length + 1, "h": row["hash"]})
        return now

    def _stands_already(self, connection: Connection, event: Event, caller: Caller, now: datetime) -> datetime | None:
        # Another process may have written it; the head's lock keeps it from doing so meanwhile.
        wanted = {
            "since": now - FOLD,
            "entity_table": event.entity_table,
            "entity_id": _clean(event.entity_id),
            "actor": _clean(caller.identity.user),
            "actor_kind": caller.identity.kind,
            "action": event.action,
        }
        return connection.execute(self._same, wanted).scalar()

    def _seen_lately(self, key: tuple[str, ...]) -> bool:
        with self._seen_lock:
            seen = self._seen.get(key)
        return seen is not None and self._clock.now() - seen < FOLD

    def _remember(self, key: tuple[str, ...], since: datetime) -> None:
        with self._seen_lock:
            self._seen.pop(key, None)
            self._seen[key] = since
            if len(self._seen) > MAX_REMEMBERED_VIEWS:
                del self._seen[next(iter(self._seen))]

    @contextmanager
    def _transaction(self, connection: Connection | None) -> Iterator[Connection]:
        if connection is not None:
            yield connection
            return
        with self._database.write() as own:
            yield own


def chained(previous: str, row: dict[str, object]) -> str:
    """SHA-256 (hex) over the previous hash and the row's columns as canonical JSON."""
    values = [iso_exact(row[name]) if name == "time" else row[name] for name in HASHED]
    return hashlib.sha256(f"{previous}\n{canonical(values)}".encode()).hexdigest()


def iso_exact(moment: object) -> str:
    """A moment to the microsecond, as it is hashed."""
    assert isinstance(moment, datetime)  # noqa: S101  # the column's type says so
    return moment.isoformat(timespec="microseconds")


def canonical(value: object) -> str:
    """JSON with sorted keys, no spaces, ASCII only: the same text for the same value, always."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot stand in an audit event")


def _clean(text: str) -> str:
    # PostgreSQL stores no NUL, and lone surrogates cannot be encoded.
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
