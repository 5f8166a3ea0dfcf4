"""Search on PostgreSQL: rare words by the index of terms, frequent ones by walking the list from its top.

A GIN index answers with all matches or none, in no order: right for the thousand of a rare name, slow for the half
million of a modality, of which a page of 50 is found among the first hundred of the list. Which way is shorter is
told by how frequent the terms are, and by a count that stops early. Everything that is looked at stands in one narrow
table, and in an index of it in the order of the list; the columns of nas_series are read for the page alone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from readingroom.db.engine import SCHEMA
from readingroom.nas_index.frequencies import Frequencies
from readingroom.nas_index.narrowing import Conditions
from readingroom.nas_index.rows import property_mark
from readingroom.nas_index.tables import SEARCH_TABLE

FEW = 3000
"""So many matches are quicker fetched and sorted than found by walking."""

DENSE = 0.01
"""A share of all series from which on even what is counted is found by walking."""

REACH = 40_000
"""Series that are walked through at most: some 15 ms."""

SURE = 2
"""How much further than the expected is walked: matches do not lie evenly."""

RARE_TERMS = 2
"""Of each word only its rarest terms are looked up; the others would leave out next to nothing more."""

_TABLE = f"{SCHEMA}.{SEARCH_TABLE}"


class OnPostgresql:
    """Chooses the shorter of two ways."""

    def __init__(self, frequencies: Frequencies) -> None:
        self._frequencies = frequencies

    def find(self, connection: Connection, conditions: Conditions, need: int, most: int) -> tuple[list[int], int]:
        """See `search.Engine`."""
        where, values = _where(conditions)
        values |= {"most": most, "reach": REACH}
        if conditions.uid:
            return _counted(_ids(connection, _with_uid(where), values))
        groups = conditions.groups
        if not groups:
            return _counted(_ids(connection, _listed(where), values))
        share, series = self._frequencies.expected(connection, groups)
        values["terms"] = self._frequencies.rarest(connection, groups, RARE_TERMS)
        if share * series <= FEW:
            return _counted(_ids(connection, _looked_up(where), values))
        if share >= DENSE or (conditions.has_dates and share * REACH >= SURE * most):
            found = _ids(connection, _walked(where), values)
            if len(found) >= most:
                return _counted(found)
        elif conditions.has_dates and _is_short(connection, values):
            return _counted(_ids(connection, _listed(where), values))
        total = int(connection.scalar(text(_number(where)), values) or 0)
        if total == most:
            reach = min(REACH, int(SURE * need / share))
            found = _ids(connection, _walked(where), {**values, "most": need, "reach": reach})
            if len(found) == need:
                return found, total
        return _ids(connection, _looked_up(where), values), total


def _where(conditions: Conditions) -> tuple[str, dict[str, Any]]:
    where = ["t.position BETWEEN :begin AND :end"]
    values: dict[str, Any] = {"begin": conditions.begin, "end": conditions.end, "uid": conditions.uid}
    marks = [property_mark(kind, value) for kind, value in conditions.properties.items()]
    if conditions.source_id is None:
        where.append("NOT t.is_copy")
    else:
        marks.append(property_mark("source", conditions.source_id))
    for number, within in enumerate([*marks, *(word.within for word in conditions.words)]):
        where.append(f"strpos(t.search_text, :word{number}) > 0")
        values[f"word{number}"] = within
    return " AND ".join(where), values


def _listed(where: str) -> str:
    return f"SELECT t.series_id FROM {_TABLE} t WHERE {where} ORDER BY t.position LIMIT :most"  # noqa: S608


def _looked_up(where: str) -> str:
    # Materialized: else the LIMIT tempts PostgreSQL to walk the list after all.
    return (
        f"WITH hits AS MATERIALIZED (SELECT t.series_id, t.position FROM {_TABLE} t WHERE {_with_terms(where)}) "  # noqa: S608
        "SELECT series_id FROM hits ORDER BY position LIMIT :most"
    )


def _walked(where: str) -> str:
    # The inner LIMIT leaves no other plan than the primary key, which holds all that is looked at.
    return (
        f"SELECT t.series_id FROM (SELECT position, series_id, is_copy, search_text FROM {_TABLE} "  # noqa: S608
        "WHERE position BETWEEN :begin AND :end ORDER BY position LIMIT :reach) t "
        f"WHERE {where} ORDER BY t.position LIMIT :most"
    )


def _with_uid(where: str) -> str:
    series = f"{SCHEMA}.nas_series"
    return (
        f"SELECT t.series_id FROM {_TABLE} t WHERE t.position IN (SELECT position FROM {series} "  # noqa: S608
        f"WHERE series_instance_uid = :uid UNION ALL SELECT position FROM {series} WHERE study_instance_uid = :uid) "
        f"AND {where} ORDER BY t.position LIMIT :most"
    )


def _is_short(connection: Connection, values: dict[str, Any]) -> bool:
    """Whether so few series lie between the dates that all of them were walked through."""
    statement = f"SELECT count(*) FROM (SELECT 1 FROM {_TABLE} WHERE position BETWEEN :begin AND :end LIMIT :reach) a"  # noqa: S608
    return int(connection.scalar(text(statement), values) or 0) < REACH


def _number(where: str) -> str:
    return f"SELECT count(*) FROM (SELECT 1 FROM {_TABLE} t WHERE {_with_terms(where)} LIMIT :most) a"  # noqa: S608


def _with_terms(where: str) -> str:
    return f"t.terms @> CAST(:terms AS integer[]) AND {where}"


def _ids(connection: Connection, statement: str, values: dict[str, Any]) -> list[int]:
    return list(connection.scalars(text(statement), values))


def _counted(found: list[int]) -> tuple[list[int], int]:
    return found, len(found)
