"""Counts downloads: the last one that a link allows is given once, however many ask at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, func, insert, or_, select, update

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import ShareSpent
from readingroom.identity import Caller
from readingroom.shares.access_log import Access
from readingroom.shares.rules import FINISH, Link, is_spent
from readingroom.shares.tables import share_access_log, share_download, shares


@dataclass(frozen=True, slots=True)
class Begun:
    """A download that may go on: its row in the access log, and that of its count unless it had been counted."""

    link: str
    row: int
    counted: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for: of which version of the series, how large that is, in which way."""

    version: str
    size: int
    what: str  # zip file


class Downloads:
    """What was begun by whom. A reader is a visit (cookie), or an address with a user agent."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def has_begun(self, link_id: str, reader: str, version: str | None = None) -> bool:
        """Whether this reader began a download, of that version or of any, within the last 24 hours."""
        with self._database.read() as connection:
            return self._begun(connection, link_id, reader, version)

    def begin(self, link: Link, reader: str, of: Wanted, caller: Caller, agent: str, *, again: bool) -> Begun | None:
        """Count a download and write it down; None when the link has none left, or ended just now.

        With `again` one that this reader began of the same version is not counted a second time, until it was taken
        up so often that it is another one (`rules.is_spent`). Raises ShareSpent when there is none left for that.
        """
        now = self._clock.now()
        c = shares.c
        with self._database.write() as connection:
            begun = again and self._begun(connection, link.id, reader, of.version)
            is_same = begun and not (link.max_downloads is not None and self._is_spent(connection, link.id, of.size))
            values = {"access_count": c.access_count + 1, "last_accessed": now}
            changed = update(shares).where(c.id == link.id, c.revoked_at.is_(None), c.expires_at > now)
            if not is_same:
                # One statement that asks and counts: of two at once the second finds what the first has left.
                changed = changed.where(or_(c.max_downloads.is_(None), c.download_count < c.max_downloads))
                values["download_count"] = c.download_count + 1
            if connection.execute(changed.values(values)).rowcount == 0:
                if begun and not is_same:
                    raise ShareSpent("This download was taken up again too often; ask whoever sent you the link.")
                return None
            counted = None
            if not is_same:
                row = {"share_id": link.id, "reader": reader, "version": of.version, "begun_at": now}
                counted = _inserted(connection, share_download, row)
            entry = Access(link.id, of.what, True, now, agent, caller).row
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

    def _is_spent(self, connection: Connection, link_id: str, size: int) -> bool:
        """By link, not by reader: whoever holds a link has it from the same hand, and its log knows no readers."""
        since = self._clock.now() - FINISH
        c, log = share_download.c, share_access_log.c
        counted = select(func.count()).where(c.share_id == link_id, c.begun_at > since)
        taken = select(func.coalesce(func.sum(log.bytes), 0), func.count()).where(
            log.share_id == link_id, log.accessed_at > since, log.success, log.what.in_(("zip", "file"))
        )
        passed, streams = connection.execute(taken).one()
        return is_spent(connection.scalar(counted) or 0, size, int(passed), streams)

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
