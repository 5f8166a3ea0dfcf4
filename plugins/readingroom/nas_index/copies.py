"""Which source's row is shown of a series that several sources have: one that is online, and has most of its files.

Orthanc's own row is shown where no source has the series.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from readingroom.db import Database
from readingroom.nas_index.bulk import Bulk, chunks
from readingroom.nas_index.tables import ORTHANC, SEARCH_TABLE

_BEST = f"""(SELECT b.id FROM {{}}nas_series b JOIN {{}}nas_source o ON o.id = b.source_id
            WHERE b.series_key = {{}}nas_series.series_key
            ORDER BY o.kind = '{ORTHANC}', o.online DESC, b.file_count DESC, b.id LIMIT 1)"""  # noqa: S608  # nothing of a user's


AT_ONCE = 1000
"""Series in one transaction; 200,000 took eight seconds, and two ways to one NAS share all of them."""


def settle_copies(bulk: Bulk, keys: Sequence[str]) -> None:
    """Choose anew for these series."""
    for some in chunks(keys):
        listed, values = bulk.among(some)
        changed = bulk.rows(
            f"UPDATE {{}}nas_series SET is_copy = NOT is_copy "  # noqa: S608  # nothing of a user's is in it
            f"WHERE series_key {listed} AND is_copy = (id = {_BEST}) RETURNING position, is_copy",
            values,
        )
        if bulk.is_postgresql:
            bulk.each(
                f"UPDATE {{}}{SEARCH_TABLE} SET is_copy = ? WHERE position = ?",  # noqa: S608
                [(is_copy, position) for position, is_copy in changed],
            )


def settle_copies_of_source(database: Database, source_id: int) -> None:
    """Choose anew for every series that this source shares with another, in transactions that nobody waits for long."""
    for keys in _shared(database, source_id):
        with database.write() as connection:
            settle_copies(Bulk(connection), keys)


def _shared(database: Database, source_id: int) -> Iterator[list[str]]:
    """The series that a source shares with another, AT_ONCE at a time."""
    with database.read() as connection:
        others = "SELECT 1 FROM {}nas_source WHERE id <> ? AND series_count > 0 LIMIT 1"
        if not Bulk(connection).rows(others, [source_id]):
            return
    last = 0
    while True:
        with database.read() as connection:
            rows = Bulk(connection).rows(
                "SELECT s.id, s.series_key FROM {}nas_series s WHERE s.source_id = ? AND s.id > ? AND EXISTS "
                "(SELECT 1 FROM {}nas_series t WHERE t.series_key = s.series_key AND t.source_id <> s.source_id) "
                "ORDER BY s.id LIMIT ?",
                [source_id, last, AT_ONCE],
            )
        if not rows:
            return
        yield [row[1] for row in rows]
        last = rows[-1][0]


def known_elsewhere(bulk: Bulk, keys: Sequence[str], source_id: int) -> set[str]:
    """Those of these series that another source has."""
    found: set[str] = set()
    for some in chunks(keys):
        listed, values = bulk.among(some)
        rows = bulk.rows(
            f"SELECT series_key FROM {{}}nas_series WHERE series_key {listed} AND source_id <> ?",  # noqa: S608
            [*values, source_id],
        )
        found.update(row[0] for row in rows)
    return found
