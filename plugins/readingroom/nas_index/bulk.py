"""Thousands of rows at once, past SQLAlchemy and within its transaction: the driver's own way on each engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from readingroom.db.engine import SCHEMA
from readingroom.nas_index.tables import SEARCH_TABLE

Row = Sequence[Any]

MAX_VARIABLES = 30_000
"""Variables in one statement; SQLite since 3.32 takes 32,766."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One series of the search index; only PostgreSQL's holds more than position and terms."""

    position: int
    series_id: int
    is_copy: bool
    text: str
    marks: str
    terms: set[int]


class Bulk:
    """Writes and reads many rows on one open connection; table and column names are ours, never a user's."""

    def __init__(self, connection: Connection) -> None:
        self.is_postgresql = connection.dialect.name == "postgresql"
        driver: Any = connection.connection.driver_connection
        self._cursor = driver.cursor()
        self._mark = "%s" if self.is_postgresql else "?"

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query; `?` marks a value, `{}` the schema before a table's name."""
        self._cursor.execute(self._own(statement), tuple(values))
        found: list[Any] = self._cursor.fetchall()
        return found

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Execute one statement; answers how many rows it touched."""
        self._cursor.execute(self._own(statement), tuple(values))
        return int(self._cursor.rowcount)

    def each(self, statement: str, rows: Iterable[Row]) -> None:
        """Execute one statement for each row of values."""
        self._cursor.executemany(self._own(statement), rows)

    def among(self, values: Iterable[Any]) -> tuple[str, list[Any]]:
        """An `IN`-list and its values, for `rows` and `run`; never empty, never too long for the engine."""
        listed = list(values)
        if self.is_postgresql:
            return "= ANY(?)", [listed]
        return f"IN ({','.join('?' * len(listed))})", listed

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows: by COPY on PostgreSQL, by one prepared statement on SQLite."""
        if not rows:
            return
        named = ", ".join(columns)
        if self.is_postgresql:
            with self._cursor.copy(f"COPY {SCHEMA}.{table} ({named}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(columns))
            self._cursor.executemany(f"INSERT INTO {table} ({named}) VALUES ({marks})", rows)  # noqa: S608  # names are ours

    def new_ids(self, table: str, many: int) -> range | list[int]:
        """That many ids that nobody else gets."""
        if many == 0:
            return range(0)
        if self.is_postgresql:
            sequence = f"{SCHEMA}.{table}"
            return [
                row[0]
                for row in self.rows(
                    "SELECT nextval(pg_get_serial_sequence(?, 'id')) FROM generate_series(1, ?)", [sequence, many]
                )
            ]
        # The write lock is ours until the end of the transaction.
        begin = int(self.rows(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")[0][0])  # noqa: S608
        return range(begin, begin + many)

    def files_named(self, pairs: Sequence[tuple[int, str]], columns: str) -> list[Any]:
        """Columns of the files with these folder ids and names; `f` is the files' table."""
        if not pairs:
            return []
        folders, names = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        if self.is_postgresql:
            return self.rows(
                f"SELECT {columns} FROM unnest(?::int[], ?::text[]) AS w(folder_id, name) "  # noqa: S608
                "JOIN {}nas_file f ON f.folder_id = w.folder_id AND f.name = w.name",
                [folders, names],
            )
        return self.rows(
            f"SELECT {columns} FROM json_each(?) AS w CROSS JOIN nas_file f "  # noqa: S608
            "ON f.folder_id = w.value ->> 0 AND f.name = w.value ->> 1",
            [json.dumps(list(zip(folders, names, strict=True)), ensure_ascii=False)],
        )

    def moment(self, when: datetime) -> Any:
        """A moment as the driver stores it in a column of type UtcDateTime."""
        when = when.astimezone(UTC)
        return when if self.is_postgresql else when.strftime("%Y-%m-%d %H:%M:%S.%f")

    def index(self, entries: Iterable[Entry]) -> None:
        """Put series into the search index."""
        if self.is_postgresql:
            columns = ("position", "series_id", "is_copy", "search_text", "terms")
            rows = [(e.position, e.series_id, e.is_copy, e.text + e.marks, sorted(e.terms)) for e in entries]
            self.insert(SEARCH_TABLE, columns, rows)
        else:
            self._cursor.executemany(
                f"INSERT INTO {SEARCH_TABLE} (rowid, terms) VALUES (?, ?)",  # noqa: S608
                [(e.position, " ".join([token(term) for term in e.terms])) for e in entries],
            )

    def unindex(self, positions: Iterable[int]) -> None:
        """Take series out of the search index."""
        key = "position" if self.is_postgresql else "rowid"
        self.each(f"DELETE FROM {{}}{SEARCH_TABLE} WHERE {key} = ?", [(at,) for at in positions])  # noqa: S608

    def close(self) -> None:
        """Give the cursor back."""
        self._cursor.close()

    def _own(self, statement: str) -> str:
        if self.is_postgresql:
            return statement.replace("{}", f"{SCHEMA}.").replace("?", "%s")
        return statement.replace("{}", "")


def token(term: int) -> str:
    """A term as FTS5's tokenizer for ASCII keeps it."""
    return f"{term & 0xFFFFFFFF:x}"


def chunks[T](values: Sequence[T], size: int = 500) -> Iterable[Sequence[T]]:
    """The values in runs of at most that many."""
    return (values[i : i + size] for i in range(0, len(values), size))
