"""Keeps the CRC-32s of files that passed, so that the next zip of them knows them beforehand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.series.tables import file_crc

KEPT_DAYS = 90
"""Afterwards they are learnt again: most links are followed within days of each other."""


class KeptCrcs:
    """CRC-32s by series and fingerprint."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._swept = clock.now() - timedelta(days=1)

    def known(self, series_key: str) -> dict[str, int]:
        """What is known of the files of a series, by fingerprint."""
        found = select(file_crc.c.fingerprint, file_crc.c.crc32).where(file_crc.c.series_key == series_key)
        with self._database.read() as connection:
            return {row.fingerprint: row.crc32 for row in connection.execute(found)}

    def keep(self, series_key: str, crcs: Mapping[str, int]) -> None:
        """Keep these, by fingerprint."""
        if not crcs:
            return
        now = self._clock.now()
        rows = [
            {"series_key": series_key, "fingerprint": fingerprint, "crc32": value, "kept_at": now}
            for fingerprint, value in crcs.items()
        ]
        insert = postgresql.insert if self._database.is_postgresql else sqlite.insert
        with self._database.write() as connection:
            connection.execute(insert(file_crc).on_conflict_do_nothing(), rows)
            if now - self._swept >= timedelta(days=1):
                self._swept = now
                connection.execute(delete(file_crc).where(file_crc.c.kept_at < now - timedelta(days=KEPT_DAYS)))


def fingerprint(*parts: str | int) -> str:
    """32 hex digits that stand for a file as it was: its place and whatever changes when its bytes do."""
    said = "\0".join(map(str, parts))
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:32]
