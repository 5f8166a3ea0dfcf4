"""Counts downloads: the last one that a link allows is given once, however many ask at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, insert, or_, select, update

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.identity import Caller
from readingroom.shares.access_log import Access
from readingroom.shares.rules import FINISH, Link
from readingroom.shares.tables import share_access_log, share_download, shares


@dataclass(frozen=True, slots=True)
class Begun:
    """A download that may go on: its row in the access log, and that of its count unless it had been counted."""

    link: str
    row: int
    counted: int | None


class Downloads:
    """What was begun by whom. A reader is a visit (cookie), or an address with a user agent."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def has_begun(self, link_id: str, reader: str) -> bool:
        """Whether this reader began a download within the last 24 hours."""
        with self._database.read() as connection:
            return self._begun(connection, link_id, reader, None)

    def begin(
        self, link: Link, reader: str, version: str, what: str, caller: Caller, agent: str, *, again: bool
    ) -> Begun | None:
        """Count a download and write it down; None when the link has none left, or ended just now.

        With `again` one that this reader began of the same version is not counted a second time.
        """
        now = self._clock.now()
        c = shares.c
        with self._database.write() as connection:
            is_same = again and self._begun(connection, link.id, reader, version)
            values = {"access_count": c.access_count + 1, "last_accessed": now}
            changed = update(shares).where(c.id == link.id, c.revoked_at.is_(None), c.expires_at > now)
            if not is_same:
                # One statement that asks and counts: of two at once the second finds what the first has left.
                changed = changed.where(or_(c.max_downloads.is_(None), c.download_count < c.max_downloads))
                values["download_count"] = c.download_count + 1
            if connection.execute(changed.values(values)).rowcount == 0:
                return None
            counted = None
            if not is_same:
                row = {"share_id": link.id, "reader": reader, "version": version, "begun_at": now}
                counted = _inserted(connection, share_download, row)
            entry = Access(link.id, what, True, now, agent, caller).row
            written = _inserted(connection, share_access_log, entry)
        return Begun(link.id, written, counted)

    def give_back(self, begun: Begun) -> None:
        """Nothing of it was sent: it does not count."""
        c = shares.c
        with self._database.write() as connection:
            log = share_access_log
            connection.execute(update(log).where(log.c.id == begun.row).values(success=False))
            if begun.counted is not None:
                gone = delete(share_download).where(share_download.c.id == begun.counted)
                connection.execute(gone)
                connection.execute(update(shares).where(c.id == begun.link).values(download_count=c.download_count - 1))

    def _begun(self, connection: Connection, link_id: str, reader: str, version: str | None) -> bool:
        c = share_download.c
        found = select(c.id).where(c.share_id == link_id, c.reader == reader, c.begun_at > self._clock.now() - FINISH)
        if version is not None:
            found = found.where(c.version == version)
        return connection.execute(found.limit(1)).first() is not None


def _inserted(connection: Connection, table: Table, row: Mapping[str, object]) -> int:
    key = connection.execute(insert(table).values(row)).inserted_primary_key
    assert key is not None  # noqa: S101  # both engines tell it
    return int(key[0])
