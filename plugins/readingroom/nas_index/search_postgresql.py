"""Search on PostgreSQL: rare words by the index of terms, frequent ones by walking the list from its top.

A GIN index answers with all matches or none, in no order: right for the thousand of a rare name, slow for the half
million of a modality, of which a page of 50 is found among the first hundred of the list. Which way is shorter is
told by how frequent the terms are.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from readingroom.db.engine import SCHEMA
from readingroom.nas_index.frequencies import Frequencies
from readingroom.nas_index.narrowing import Conditions
from readingroom.nas_index.tables import SEARCH_TABLE

FEW = 4000
"""So many matches are quicker fetched and sorted than found by walking."""

REACH = 20_000
"""Series that are walked through at most before the index of terms is asked after all."""

_SERIES = f"{SCHEMA}.nas_series"
_CANDIDATES = f"{SCHEMA}.{SEARCH_TABLE} t JOIN {_SERIES} s ON s.position = t.position"


class OnPostgresql:
    """Chooses the shorter of two ways."""

    def __init__(self, frequencies: Frequencies) -> None:
        self._frequencies = frequencies

    def find(self, connection: Connection, conditions: Conditions, need: int, most: int) -> tuple[list[int], int]:
        """See `search.Engine`."""
        values = {**conditions.values, "most": most, "reach": REACH, "terms": conditions.terms}
        if conditions.has_uid or not conditions.groups:
            return _counted(_ids(connection, _listed(conditions), values))
        share, series = self._frequencies.expected(connection, conditions.groups)
        if share * series <= FEW:
            return _counted(_ids(connection, _looked_up(conditions), values))
        if conditions.has_dates and _is_short(connection, values):
            return _counted(_ids(connection, _listed(conditions), values))
        found = _ids(connection, _walked(conditions), values)
        if len(found) >= most:
            return _counted(found)
        if len(found) < need:
            return _counted(_ids(connection, _looked_up(conditions), values))
        statement = f"SELECT count(*) FROM (SELECT 1 FROM {_CANDIDATES} WHERE {_where(conditions)} LIMIT :most) a"  # noqa: S608
        return found, int(connection.scalar(text(statement), values) or 0)


def _listed(conditions: Conditions) -> str:
    return f"SELECT s.id FROM {_SERIES} s WHERE {conditions.where} ORDER BY s.position LIMIT :most"  # noqa: S608


def _looked_up(conditions: Conditions) -> str:
    # Materialized: else the LIMIT tempts PostgreSQL to walk the list after all.
    return (
        f"WITH hits AS MATERIALIZED (SELECT s.id, s.position FROM {_CANDIDATES} WHERE {_where(conditions)}) "  # noqa: S608
        "SELECT id FROM hits ORDER BY position LIMIT :most"
    )


def _walked(conditions: Conditions) -> str:
    # The inner LIMIT leaves no other plan than the index on position.
    return (
        f"SELECT s.id FROM (SELECT * FROM {_SERIES} WHERE position BETWEEN :begin AND :end "  # noqa: S608
        f"ORDER BY position LIMIT :reach) s WHERE {conditions.where} ORDER BY s.position LIMIT :most"
    )


def _is_short(connection: Connection, values: dict[str, Any]) -> bool:
    """Whether so few series lie between the dates that all of them may be walked through."""
    statement = f"SELECT count(*) FROM (SELECT 1 FROM {_SERIES} WHERE position BETWEEN :begin AND :end LIMIT :reach) a"  # noqa: S608
    return int(connection.scalar(text(statement), values) or 0) < REACH


def _where(conditions: Conditions) -> str:
    return f"t.terms @> CAST(:terms AS integer[]) AND {conditions.where}"


def _ids(connection: Connection, statement: str, values: dict[str, Any]) -> list[int]:
    return list(connection.scalars(text(statement), values))


def _counted(found: list[int]) -> tuple[list[int], int]:
    return found, len(found)
