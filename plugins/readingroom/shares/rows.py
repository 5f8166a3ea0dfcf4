"""Reads links from their table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)

from readingroom.series.model import FACTS
from readingroom.shares.rules import Link, State
from readingroom.shares.tables import shares


def first(connection: Connection, condition: ColumnElement[bool]) -> Link | None:
    """The link that is so, whatever state it is in; what is not there takes as long to be read as what is."""
    found = union_all(select(shares, literal(0).label("is_nobody")).where(condition), _NOBODY).subquery()
    row = connection.execute(select(found).order_by(found.c.is_nobody).limit(1)).one()
    link = link_of(row)
    return link if link.id else None


def link_of(row: Row[Any]) -> Link:
    """A row of the table as a Link."""
    values = dict(row._mapping)
    for unneeded in ("token_hash", "search_text", "copy_tries", "is_nobody"):
        values.pop(unneeded, None)
    return Link(**{**values, "facts": json.loads(values["facts"])})


def _nobody() -> Select[Any]:
    """A row as a link's usually is, out of no table."""
    then, facts = datetime(2000, 1, 1, tzinfo=UTC), json.dumps(dict.fromkeys(FACTS, "0" * 12))
    said = {"created_at": then, "expires_at": then, "last_accessed": then, "facts": facts, "id": ""}
    usual: dict[type, object] = {str: "0" * 40, int: 1, bool: False}
    columns = []
    for column in shares.columns:
        value = said.get(column.name)
        if value is None and not column.nullable:
            value = usual[column.type.python_type]
        columns.append(literal(value, column.type).label(column.name))
    return select(*columns, literal(1).label("is_nobody"))


_NOBODY = _nobody()


def in_state(state: State, now: datetime) -> ColumnElement[bool]:
    """What `Link.state` says, for the database."""
    c = shares.c
    revoked, expired = c.revoked_at.is_not(None), c.expires_at <= now
    used_up = and_(c.max_downloads.is_not(None), c.download_count >= func.coalesce(c.max_downloads, 0))
    failed = func.coalesce(c.copy_state, "") == "failed"
    preparing = func.coalesce(c.copy_state, "").in_(("queued", "preparing"))
    order: list[tuple[State, ColumnElement[bool]]] = [
        ("revoked", revoked),
        ("expired", expired),
        ("used_up", used_up),
        ("failed", failed),
        ("preparing", preparing),
    ]
    before: list[ColumnElement[bool]] = []
    for name, condition in order:
        if name == state:
            return and_(condition, ~or_(false(), *before))
        before.append(condition)
    return ~or_(*before)
