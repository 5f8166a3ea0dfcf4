"""Takes out what is no longer needed of the log of links: rows past their time, some at a time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Column, Table, delete, select

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.shares.rules import FINISH
from readingroom.shares.statistics import DAYS
from readingroom.shares.tables import share_access_log, share_download

DOWNLOADS_KEPT = max(timedelta(days=DAYS + 1), 2 * FINISH)
"""A counted download is asked for as long as it may be resumed, and by the statistics of its day."""

BATCH = 2_000
"""Rows of one transaction: SQLite lets nobody else write meanwhile, and these take it some 10 ms."""

BATCHES = 50
"""Transactions of one sweep for each table; what is left waits for the next, an hour later."""


class Retention:
    """Keeps the access log for so many days, and counted downloads as long as they matter."""

    def __init__(self, database: Database, clock: Clock, days: int) -> None:
        self._database = database
        self._clock = clock
        self._kept = timedelta(days=days)

    def sweep(self) -> int:
        """Take out rows past their time, the oldest first; how many. Links themselves and their counts stay."""
        now = self._clock.now()
        log, download = share_access_log.c, share_download.c
        gone = self._older(share_access_log, log.accessed_at, now - self._kept)
        return gone + self._older(share_download, download.begun_at, now - DOWNLOADS_KEPT)

    def _older(self, table: Table, moment: Column[object], than: object) -> int:
        oldest = select(table.c.id).where(moment < than).order_by(moment).limit(BATCH)
        gone = 0
        for _ in range(BATCHES):
            with self._database.write() as connection:
                taken = connection.execute(delete(table).where(table.c.id.in_(oldest))).rowcount
            gone += taken
            if taken < BATCH:
                break
        return gone
