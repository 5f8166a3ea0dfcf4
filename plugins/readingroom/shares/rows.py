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
    exists,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)

from readingroom.identity.tables import account
from readingroom.series.model import FACTS
from readingroom.shares.rules import Link, State
from readingroom.shares.tables import shares


def first(connection: Connection, condition: ColumnElement[bool]) -> Link | None:
    """The link that is so, whatever state it is in; what is not there takes as long to be read as what is."""
    found = union_all(links(literal(0).label("is_nobody")).where(condition), _NOBODY).subquery()
    row = connection.execute(select(found).order_by(found.c.is_nobody).limit(1)).one()
    link = link_of(row)
    return link if link.id else None


def links(*also: ColumnElement[Any]) -> Select[Any]:
    """All that `link_of` reads, and more columns where they are named."""
    return select(shares, _is_disabled(shares.c.created_by).label("owner_disabled"), *also)


def _is_disabled(owner: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether that is the name of an account that is disabled; who signed in elsewhere has none here."""
    return exists().where(account.c.name == owner, account.c.disabled)


def link_of(row: Row[Any]) -> Link:
    """A row of the table as a Link."""
    values = dict(row._mapping)
    for unneeded in ("token_hash", "search_text", "copy_tries", "is_nobody"):
        values.pop(unneeded, None)
    values["owner_disabled"] = bool(values["owner_disabled"])  # of a union SQLite tells 0 and 1
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
    disabled = _is_disabled(literal("", shares.c.created_by.type)).label("owner_disabled")
    return select(*columns, disabled, literal(1).label("is_nobody"))


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
        ("owner_disabled", _is_disabled(c.created_by)),
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
