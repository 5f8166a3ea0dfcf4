"""Case numbers: the next free one, given once, over all exam types and all writers at the same time."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

from readingroom.cases.tables import clinical_case
from readingroom.errors import BadRequest, CaseNumberTaken, Conflict

MAX_NUMBER = 999_999_999
"""Nine digits fit every database's integer and any folder name."""

_LOCK_KEY = 0x52524341_5345_0001
"""The advisory lock of everything that gives, takes or names (PostgreSQL); "RRCASE" and a serial."""


def hold(connection: Connection) -> None:
    """Make this transaction the only one that hands out case numbers or exam types, until it ends.

    SQLite's write transactions are alone anyway (`Database.write` begins with the write lock). On PostgreSQL, what is
    read after it is what the transactions before it committed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})


def next_number(connection: Connection) -> int:
    """The number after the highest one ever given; withdrawn cases count, gaps are left to whoever asks for
    them.

    A gap is often a folder at the source that is not imported yet, so none is filled unasked.
    """
    highest: int | None = connection.scalar(select(func.max(clinical_case.c.case_number)))
    if highest is None:
        return 1
    return highest + 1 if highest < MAX_NUMBER else _first_gap(connection)


def claim(connection: Connection, asked: int | None, *, by: str | None = None) -> int:
    """The number a case gets: the one asked for, or the next free one; the transaction must `hold` the
    numbers.

    `by` is the id of the case that asks, which may keep its own. Raises CaseNumberTaken with the next free
    number in its detail, BadRequest outside 1 … 999,999,999.
    """
    if asked is None:
        return next_number(connection)
    if not 1 <= asked <= MAX_NUMBER:
        raise BadRequest(f"A case number lies between 1 and {MAX_NUMBER}.")
    holder = connection.scalar(select(clinical_case.c.id).where(clinical_case.c.case_number == asked))
    if holder is not None and holder != by:
        free = next_number(connection)
        raise CaseNumberTaken(
            f"Case number {asked} is taken; the next free one is {free}.", detail={"nextNumber": free}
        )
    return asked


def padded(number: int) -> str:
    """The number as its folder is named: four digits, more where it needs them."""
    return f"{number:04d}"


def expected_path(exam_type: str, number: int) -> str:
    """Where the case's files lie at the source, for people: `bestof/MRI/0042/`."""
    return f"bestof/{exam_type}/{padded(number)}/"


def _first_gap(connection: Connection) -> int:
    # Only where somebody took the very last number on purpose.
    numbers, later = clinical_case, clinical_case.alias()
    if connection.scalar(select(numbers.c.id).where(numbers.c.case_number == 1)) is None:
        return 1
    followed = select(later.c.id).where(later.c.case_number == numbers.c.case_number + 1).exists()
    gap: int | None = connection.scalar(select(func.min(numbers.c.case_number + 1)).where(~followed))
    if gap is None or gap > MAX_NUMBER:
        raise Conflict("Every case number is taken.")
    return gap
