"""Figures of sharing: how many links, downloads and refusals, by day and by person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, true

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.shares.rows import in_state
from readingroom.shares.rules import STATES, State
from readingroom.shares.tables import share_access_log, share_download, shares

DAYS = 30


@dataclass(frozen=True, slots=True)
class Day:
    """One day, UTC."""

    day: date
    created: int
    downloads: int
    refused: int


@dataclass(frozen=True, slots=True)
class Person:
    """What one person's links came to."""

    user: str
    created: int
    active: int
    downloads: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """All figures; `by_user` is empty for somebody who sees only their own."""

    states: dict[State, int]
    created_lately: int
    downloads: int
    bytes: int
    refused: int
    by_day: list[Day]
    by_user: list[Person]


def gather(database: Database, clock: Clock, user: str | None) -> Statistics:
    """Of one person's links, or of everybody's for None."""
    now = clock.now()
    since = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    theirs = true() if user is None else shares.c.created_by == user
    log = share_access_log.c
    with database.read() as connection:
        states = {state: _count(connection, and_(theirs, in_state(state, now))) for state in STATES}
        downloads = connection.scalar(select(func.sum(shares.c.download_count)).where(theirs)) or 0
        used = select(func.sum(log.bytes)).select_from(share_access_log.join(shares)).where(theirs)
        refused = select(func.count()).select_from(share_access_log.join(shares)).where(theirs, ~log.success)
        created = _by_day(connection, shares.c.created_at, shares, and_(theirs, shares.c.created_at >= since))
        begun = share_download.c.begun_at
        downloaded = _by_day(connection, begun, share_download.join(shares), and_(theirs, begun >= since))
        turned_away = _by_day(
            connection,
            log.accessed_at,
            share_access_log.join(shares),
            and_(theirs, ~log.success, log.accessed_at >= since),
        )
        days = [since.date() + timedelta(days=n) for n in range(DAYS)]
        return Statistics(
            states=states,
            created_lately=sum(created.values()),
            downloads=int(downloads),
            bytes=int(connection.scalar(used) or 0),
            refused=connection.scalar(refused) or 0,
            by_day=[Day(day, created[day], downloaded[day], turned_away[day]) for day in days],
            by_user=_people(connection, now) if user is None else [],
        )


def _count(connection: Connection, where: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(shares).where(where)) or 0


def _by_day(connection: Connection, moment: Any, of: Any, where: ColumnElement[bool]) -> Counter[date]:
    in_utc = func.timezone("UTC", moment) if connection.dialect.name == "postgresql" else moment
    day = func.date(in_utc)
    rows = connection.execute(select(day, func.count()).select_from(of).where(where).group_by(day))
    return Counter({date.fromisoformat(str(row[0])): int(row[1]) for row in rows})


def _people(connection: Connection, now: datetime) -> list[Person]:
    c = shares.c
    active = func.sum(case((in_state("active", now), 1), else_=0))
    counted = select(c.created_by, func.count(), active, func.sum(c.download_count)).group_by(c.created_by)
    rows = connection.execute(counted.order_by(func.count().desc(), c.created_by).limit(200))
    return [Person(row[0], int(row[1]), int(row[2]), int(row[3])) for row in rows]
