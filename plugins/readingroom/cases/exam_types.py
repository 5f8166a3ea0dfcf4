"""Exam types: the modality folders that cases are filed under; migration 0002 brings MRI, CT and Echo."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from readingroom.audit import Trail
from readingroom.audit.events import ExamTypeCreated
from readingroom.cases import numbering
from readingroom.cases.tables import exam_type
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import BadRequest, Conflict
from readingroom.identity import Caller

MAX_NAME = 64

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
"""Characters that no folder name may hold on Windows, where many NAS are filled from; `/` and NUL nowhere."""

_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExamType:
    """One modality folder."""

    id: int
    name: str


def check_name(name: str) -> str:
    """The name, if a folder can carry it on every system; raises BadRequest saying what is wrong."""
    if not name or len(name) > MAX_NAME:
        raise BadRequest(f"An exam type's name has 1 to {MAX_NAME} characters.")
    if found := _FORBIDDEN.search(name):
        raise BadRequest(f"An exam type names a folder, and a folder cannot carry the character {found.group()!r}.")
    if name != name.strip() or name.startswith(".") or name.endswith("."):
        raise BadRequest("An exam type's name neither begins nor ends with a dot or a space.")
    if _WINDOWS_DEVICE.fullmatch(name):
        raise BadRequest(f"{name} is a device on Windows and cannot name a folder there.")
    return name


def all_types(database: Database) -> list[ExamType]:
    """Every exam type, in the order in which they were added."""
    with database.read() as connection:
        rows = connection.execute(select(exam_type.c.id, exam_type.c.name).order_by(exam_type.c.id))
        return [ExamType(row.id, row.name) for row in rows]


def add(database: Database, clock: Clock, trail: Trail, caller: Caller, name: str) -> ExamType:
    """Add an exam type; raises Conflict for a name that is there already in any case of letters."""
    check_name(name)
    with database.write() as connection:
        numbering.hold(connection)
        if find(connection, name) is not None:
            # Folders that differ in case alone are one folder on Windows and on most NAS.
            raise Conflict(f"There is an exam type {name} already.")
        made = _insert(connection, clock, name)
        trail.record(ExamTypeCreated(entity_id=str(made.id), name=name), caller, connection)
        return made


def find(connection: Connection, name: str) -> ExamType | None:
    """The exam type of that name, whatever the case of its letters."""
    folded = name.casefold()
    # A handful, and SQL's lower() knows ASCII only. Read to the end: on SQLite a half-read answer keeps its connection
    # in an old state of the database, and the next writer there is told that it is locked.
    rows = connection.execute(select(exam_type.c.id, exam_type.c.name)).all()
    return next((ExamType(row.id, row.name) for row in rows if row.name.casefold() == folded), None)


def ensure(connection: Connection, clock: Clock, name: str) -> ExamType:
    """The exam type of that name, made if need be; the transaction must `hold` the numbers."""
    return find(connection, name) or _insert(connection, clock, check_name(name))


def _insert(connection: Connection, clock: Clock, name: str) -> ExamType:
    made = connection.execute(insert(exam_type).values(name=name, created_at=clock.now()).returning(exam_type.c.id))
    return ExamType(made.scalar_one(), name)
