"""Search on SQLite: FTS5's rows are numbered in the order of the list, so that a page costs a page of work."""

from __future__ import annotations

from sqlalchemy import Connection, text

from readingroom.nas_index.bulk import token
from readingroom.nas_index.narrowing import Conditions
from readingroom.nas_index.tables import SEARCH_TABLE


class OnSqlite:
    """Walks the candidates in order and stops when it has enough."""

    def find(self, connection: Connection, conditions: Conditions, need: int, most: int) -> tuple[list[int], int]:
        """See `search.Engine`."""
        values = {**conditions.values, "most": most}
        if conditions.terms and not conditions.has_uid:
            # CROSS JOIN keeps the order of the tables: the index leads, in the order of its rows.
            origin = f"{SEARCH_TABLE} CROSS JOIN nas_series s ON s.position = {SEARCH_TABLE}.rowid"
            where = f"{SEARCH_TABLE} MATCH :match AND {SEARCH_TABLE}.rowid BETWEEN :begin AND :end AND "
            order = f"{SEARCH_TABLE}.rowid"
            values["match"] = " ".join(f'"{token(term)}"' for term in conditions.terms)
        else:
            origin, where, order = "nas_series s", "", "s.position"
        statement = f"SELECT s.id FROM {origin} WHERE {where}{conditions.where} ORDER BY {order} LIMIT :most"  # noqa: S608
        found = list(connection.scalars(text(statement), values))
        return found, len(found)
