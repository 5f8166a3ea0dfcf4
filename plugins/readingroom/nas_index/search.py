"""Finding series: words of patient, identifiers and descriptions, narrowed by properties, newest study first.

Both engines hold the same terms (see `words`) and check the same text; how each uses them is in
`search_sqlite` and `search_postgresql`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.nas_index.frequencies import Frequencies
from readingroom.nas_index.narrowing import Conditions, Wanted, narrow
from readingroom.nas_index.search_postgresql import OnPostgresql
from readingroom.nas_index.search_sqlite import OnSqlite
from readingroom.nas_index.series import Series, by_ids

COUNTED = 200
"""Matches are counted exactly up to here; beyond, the total is "at least"."""


@dataclass(frozen=True, slots=True)
class Results:
    """One page, and how many matches there are: exactly, or at least."""

    series: list[Series]
    total: int
    total_is_exact: bool


class Engine(Protocol):
    """How one engine finds."""

    def find(self, connection: Connection, conditions: Conditions, need: int, most: int) -> tuple[list[int], int]:
        """Ids in the order of the list, `need` of them where there are so many; and their number, up to `most`."""
        ...


class Search:
    """Searches the catalogue, also while it grows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._engine: Engine = OnPostgresql(Frequencies(clock)) if database.is_postgresql else OnSqlite()

    def page(self, wanted: Wanted) -> Results:
        """One page of what is wanted: newest study first, then the series that was found first."""
        need = wanted.offset + wanted.limit
        most = max(need, COUNTED) + 1
        with self._database.read() as connection:
            conditions = narrow(connection, wanted)
            if conditions is None:
                return Results([], 0, True)
            ids, total = self._engine.find(connection, conditions, need, most)
            series = by_ids(connection, ids[wanted.offset : need])
        return Results(series, min(total, most - 1), total < most)
