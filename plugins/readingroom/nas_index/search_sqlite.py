"""Search on SQLite: FTS5's rows are numbered in the order of the list, so that a page costs a page of work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from readingroom.nas_index.bulk import token
from readingroom.nas_index.narrowing import MAX_TERMS, Conditions
from readingroom.nas_index.tables import SEARCH_TABLE

# CROSS JOIN keeps the order of the tables: the index leads, in the order of its rows.
_CANDIDATES = f"{SEARCH_TABLE} CROSS JOIN nas_series s ON s.position = {SEARCH_TABLE}.rowid"
_MATCHING = f"{SEARCH_TABLE} MATCH :match AND {SEARCH_TABLE}.rowid BETWEEN :begin AND :end AND "

# By two indexes; an OR would walk through the whole list.
_WITH_UID = (
    "s.id IN (SELECT id FROM nas_series WHERE series_instance_uid = :uid "
    "UNION ALL SELECT id FROM nas_series WHERE study_instance_uid = :uid) AND "
)


class OnSqlite:
    """Walks the candidates in order and stops when it has enough."""

    def find(self, connection: Connection, conditions: Conditions, need: int, most: int) -> tuple[list[int], int]:
        """See `search.Engine`."""
        where, values = _where(conditions)
        terms = list(dict.fromkeys(term for group in conditions.groups for term in sorted(group)))[:MAX_TERMS]
        if conditions.uid:
            origin, before, order = "nas_series s", _WITH_UID, "s.position"
        elif terms:
            origin, before, order = _CANDIDATES, _MATCHING, f"{SEARCH_TABLE}.rowid"
            values["match"] = " ".join(f'"{token(term)}"' for term in terms)
        else:
            origin, before, order = "nas_series s", "", "s.position"
        statement = f"SELECT s.id FROM {origin} WHERE {before}{where} ORDER BY {order} LIMIT :most"  # noqa: S608
        found = list(connection.scalars(text(statement), {**values, "most": most}))
        return found, len(found)


def _where(conditions: Conditions) -> tuple[str, dict[str, Any]]:
    """What each series `s` must fulfil: the words in its text, whatever the terms promised."""
    where = ["s.position BETWEEN :begin AND :end"]
    values: dict[str, Any] = {"begin": conditions.begin, "end": conditions.end, "uid": conditions.uid}
    if conditions.source_id is None:
        where.append("NOT s.is_copy")
    else:
        where.append("s.source_id = :source")
        values["source"] = conditions.source_id
    for kind, value in conditions.properties.items():
        where.append(f"s.{kind} = :{kind}")
        values[kind] = value
    for number, word in enumerate(conditions.words):
        where.append(f"instr(s.search_text, :word{number}) > 0")
        values[f"word{number}"] = word.within
    return " AND ".join(where), values
