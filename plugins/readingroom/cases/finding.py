"""Finding cases: one by its id, or a page of those that somebody may see, with what is there of each."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, String, and_, cast, func, or_, select

from readingroom.cases import availability
from readingroom.cases.availability import NOTHING, Availability
from readingroom.cases.tables import clinical_case, exam_type
from readingroom.db import Database
from readingroom.errors import NotFound
from readingroom.identity import Identity


@dataclass(frozen=True, slots=True)
class Case:
    """One teaching case as people see it."""

    id: str
    number: int
    exam_type: str
    title: str
    text: str
    published: bool
    withdrawn: bool
    created_at: datetime
    updated_at: datetime
    available: Availability


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; `words` must all be found in title, text or number."""

    exam_type: str | None = None
    words: str = ""
    published: bool | None = None
    limit: int = 50
    offset: int = 0


def get(database: Database, identity: Identity, case_id: str) -> Case:
    """One case; raises the same NotFound for one that is not there and one that this identity may not see."""
    with database.read() as connection:
        found = one(connection, case_id)
    if not sees_all(identity) and (not found.published or found.withdrawn):
        raise NotFound("There is no such case.")
    return found


def page(database: Database, identity: Identity, wanted: Wanted) -> tuple[list[Case], int]:
    """One page of the cases that this identity may see, by number, and how many there are in all."""
    conditions = [clinical_case.c.withdrawn_at.is_(None), *_narrowed(wanted)]
    if not sees_all(identity):
        conditions.append(clinical_case.c.published)
    counted = select(func.count()).select_from(clinical_case.join(exam_type)).where(*conditions)
    listed = _cases().where(*conditions).order_by(clinical_case.c.case_number)
    with database.read() as connection:
        total = connection.scalar(counted) or 0
        rows = connection.execute(listed.limit(wanted.limit).offset(wanted.offset)).all()
        there = availability.of(connection, [row.id for row in rows])
    return [_case(row, there.get(row.id, NOTHING)) for row in rows], total


def sees_all(identity: Identity) -> bool:
    """Whether unpublished cases are shown to this identity."""
    return identity.can("cases.admin")


def folded(text: str) -> str:
    """Text as it is searched: no accents, no capitals (Unicode NFKD, then full case folding)."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def _narrowed(wanted: Wanted) -> list[Any]:
    conditions: list[Any] = []
    if wanted.exam_type is not None:
        conditions.append(exam_type.c.name == wanted.exam_type)
    if wanted.published is not None:
        conditions.append(clinical_case.c.published.is_(wanted.published))
    if words := folded(wanted.words).split():
        conditions.append(and_(*(_found(word) for word in words)))
    return conditions


def _found(word: str) -> Any:
    in_text = clinical_case.c.search_text.contains(word, autoescape=True)
    if not (word.isascii() and word.isdigit()):
        return in_text
    # 42 and 0042 mean case 42, and, while somebody is still typing, 420 and 4217.
    return or_(in_text, cast(clinical_case.c.case_number, String).startswith(word.lstrip("0") or "0"))


def _cases() -> Select[Any]:
    return select(clinical_case, exam_type.c.name.label("exam_type_name")).join(exam_type)


def one(connection: Connection, case_id: str) -> Case:
    """One case, whoever asks; raises NotFound."""
    row = connection.execute(_cases().where(clinical_case.c.id == case_id)).first()
    if row is None:
        raise NotFound("There is no such case.")
    return _case(row, availability.of(connection, [case_id]).get(case_id, NOTHING))


def _case(row: Row[Any], there: Availability) -> Case:
    return Case(
        id=row.id,
        number=row.case_number,
        exam_type=row.exam_type_name,
        title=row.title,
        text=row.text,
        published=row.published,
        withdrawn=row.withdrawn_at is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        available=there,
    )
