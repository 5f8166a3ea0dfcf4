"""The private map of a case: which original stands behind which replacement in its de-identified files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from readingroom.cases.tables import clinical_case, deidentified_uid
from readingroom.db import Database
from readingroom.deidentify import Replacement

ROWS_AT_ONCE = 200
"""Rows in one INSERT: four variables each stay below SQLite's old limit of 999."""


READ_AT_ONCE = 5_000

MAX_ORIGINAL = 600
"""Characters of an original: three times what any of these attributes may have (PS3.5 section 6.2), and what PostgreSQL
still takes into an index (2,704 bytes a row)."""


def remember(connection: Connection, case_id: str, replacements: Iterable[Replacement]) -> None:
    """Keep these replacements; one that is known already stays as it is.

    NUL, which PostgreSQL stores in no text, is kept as U+FFFD.
    """
    rows = [
        {"case_id": case_id, "kind": r.kind, "original": _storable(r.original), "replacement": r.replacement}
        for r in sorted(set(replacements))
    ]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for start in range(0, len(rows), ROWS_AT_ONCE):
        statement = insert(deidentified_uid).values(rows[start : start + ROWS_AT_ONCE])
        connection.execute(statement.on_conflict_do_nothing(index_elements=["case_id", "kind", "original"]))


def page(database: Database, case_id: str, limit: int, offset: int) -> tuple[list[Replacement], int]:
    """One page of a case's map, by kind and original, and how many entries there are."""
    columns = deidentified_uid.c
    with database.read() as connection:
        total = connection.scalar(select(func.count()).where(columns.case_id == case_id)) or 0
        rows = connection.execute(
            select(columns.kind, columns.original, columns.replacement)
            .where(columns.case_id == case_id)
            .order_by(columns.kind, columns.original)
            .limit(limit)
            .offset(offset)
        )
        return [Replacement(row.kind, row.original, row.replacement) for row in rows], total


def of_number(database: Database, case_number: int) -> Iterator[Replacement]:
    """The whole map of the case that has this number now, read a part at a time."""
    columns, after = deidentified_uid.c, 0
    found = (
        select(columns.id, columns.kind, columns.original, columns.replacement)
        .join(clinical_case, clinical_case.c.id == columns.case_id)
        .where(clinical_case.c.case_number == case_number)
        .order_by(columns.id)
        .limit(READ_AT_ONCE)
    )
    while True:
        with database.read() as connection:
            rows = connection.execute(found.where(columns.id > after)).all()
        if not rows:
            return
        yield from (Replacement(row.kind, row.original, row.replacement) for row in rows)
        after = rows[-1].id


def _storable(original: str) -> str:
    return original[:MAX_ORIGINAL].replace("\0", "\ufffd")
