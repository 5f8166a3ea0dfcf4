"""Counts tries at passcodes, per link and per address, in the database: for all Orthancs, and across restarts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.shares.rules import (
    FORGET_ADDRESS,
    LONGEST_FOR_ADDRESS,
    LONGEST_FOR_LINK,
    SHUT_AFTER,
    Tries,
    address_key,
)
from readingroom.shares.tables import share_address, shares


class Attempts:
    """A try is counted before the passcode is looked at, and forgiven when it was right."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, link_id: str, ip: str) -> bool:
        """Count a try; whether it may be looked at.

        The same statements run whether there is such a link or not, and whether the answer is yes or no.
        """
        now = self._clock.now()
        address = address_key(ip)
        with self._database.write() as connection:
            # The link first, then the address: two who come at once wait for one another, and never both.
            link = self._of_link(connection, link_id)
            known = self._of_address(connection, address, now)
            allowed = link.allows(now) and known.allows(now)
            after = link.next(now, LONGEST_FOR_LINK, SHUT_AFTER) if allowed else link
            self._set_link(connection, link_id, after)
            self._set_address(connection, address, known.next(now, LONGEST_FOR_ADDRESS) if allowed else known, now)
        return allowed

    def take_back(self, link_id: str, ip: str, *, counted: bool) -> None:
        """The passcode was not looked at after all: a try that was counted does not count.

        A lock that it may have brought stays, but for the one that would not pass. The same statements run either way.
        """
        now = self._clock.now()
        address = address_key(ip)
        with self._database.write() as connection:
            link = self._of_link(connection, link_id)
            known = self._of_address(connection, address, now)
            if counted:
                link, known = link.before(now, LONGEST_FOR_LINK), known.before(now, LONGEST_FOR_ADDRESS)
            self._set_link(connection, link_id, link)
            self._set_address(connection, address, known, now)

    def forgive(self, link_id: str, ip: str) -> None:
        """The passcode was right: the link starts afresh, and half of what the address did wrong is forgotten.

        All of it would let somebody who has a link of their own guess at others for free; nothing of it would keep a
        hospital behind one address out after a day of mistypings.
        """
        now = self._clock.now()
        address = address_key(ip)
        with self._database.write() as connection:
            self._set_link(connection, link_id, Tries())
            known = self._of_address(connection, address, now)
            self._set_address(connection, address, Tries(known.failures // 2), now)

    def _of_link(self, connection: Connection, link_id: str) -> Tries:
        c = shares.c
        row = connection.execute(
            select(c.failed_attempts, c.locked_until).where(c.id == link_id).with_for_update()
        ).first()
        return Tries(row.failed_attempts, row.locked_until) if row else Tries()

    def _of_address(self, connection: Connection, address: str, now: datetime) -> Tries:
        c = share_address.c
        connection.execute(delete(share_address).where(c.last_failed < now - FORGET_ADDRESS))
        fresh = {"address": address, "failed_attempts": 0, "last_failed": now}
        connection.execute(_insert(connection)(share_address).values(fresh).on_conflict_do_nothing())
        row = connection.execute(
            select(c.failed_attempts, c.locked_until).where(c.address == address).with_for_update()
        ).one()
        return Tries(row.failed_attempts, row.locked_until)

    def _set_link(self, connection: Connection, link_id: str, tries: Tries) -> None:
        values = {"failed_attempts": tries.failures, "locked_until": tries.locked_until}
        connection.execute(update(shares).where(shares.c.id == link_id).values(values))

    def _set_address(self, connection: Connection, address: str, tries: Tries, now: datetime) -> None:
        values = {"failed_attempts": tries.failures, "locked_until": tries.locked_until, "last_failed": now}
        connection.execute(update(share_address).where(share_address.c.address == address).values(values))


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
