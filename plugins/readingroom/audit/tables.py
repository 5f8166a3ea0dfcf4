"""Tables of the audit trail: the events, and the head that remembers how long the chain is."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

from readingroom.db import UtcDateTime, metadata

POSTGRESQL_SCHEMA = "audit"


def _events(name: str, on: MetaData, schema: str | None) -> Table:
    return Table(
        name,
        on,
        Column("id", Integer, primary_key=True, autoincrement=False),  # place in the chain: 1, 2, 3 … without gaps
        Column("request_id", String(36), nullable=False),
        Column("time", UtcDateTime, nullable=False),
        Column("actor", Text, nullable=False),
        Column("actor_kind", String(16), nullable=False),
        Column("clinic", Text, nullable=False),
        Column("action", String(64), nullable=False),
        Column("entity_table", String(64), nullable=False),
        Column("entity_id", Text, nullable=False),
        Column("ip", Text, nullable=False),
        Column("outcome", String(16), nullable=False),
        Column("payload", Text, nullable=False),  # canonical JSON, metadata only
        Column("previous_hash", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
        Index(f"ix_{name}_time", "time"),
        Index(f"ix_{name}_actor", "actor", "time"),
        Index(f"ix_{name}_entity", "entity_table", "entity_id", "time"),
        schema=schema,
    )


audit_event = _events("audit_event", metadata, None)
"""The trail on SQLite."""

postgresql_metadata = MetaData(naming_convention=metadata.naming_convention)
"""Of tables that only PostgreSQL has."""

event = _events("event", postgresql_metadata, POSTGRESQL_SCHEMA)
"""The trail on PostgreSQL: audit.event."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: there is one chain
    Column("length", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)


def events_of(is_postgresql: bool) -> Table:
    """The trail's table on that engine."""
    return event if is_postgresql else audit_event
