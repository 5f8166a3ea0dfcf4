"""Studies: capture sessions of one patient, made, found and listed within their clinic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import NotFound
from readingroom.identity import Caller
from readingroom.imaging.assets import Asset, of_studies
from readingroom.imaging.clinics import Patients, uuid_of
from readingroom.imaging.events import StudyCreated
from readingroom.imaging.tables import imaging_study


@dataclass(frozen=True, slots=True)
class NewStudy:
    """A study to make; without a moment of capture: now."""

    patient_id: int
    kind: str
    title: str | None = None
    captured_at: datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """A study and what it holds."""

    id: int
    patient_id: int
    kind: str
    title: str | None
    captured_at: datetime
    source: str | None
    created_at: datetime
    assets: list[Asset]


class Studies:
    """All studies; everybody's own clinic alone is there for them."""

    def __init__(self, database: Database, clock: Clock, trail: Trail, patients: Patients) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._patients = patients

    def create(self, clinic: int, new: NewStudy, caller: Caller) -> int:
        """Make a study; answers its id. Raises NotFound where the patient is not this clinic's."""
        now, who = self._clock.now(), uuid_of(caller.identity)
        row = {
            "clinic_id": clinic, "patient_id": new.patient_id, "kind": new.kind, "title": new.title,
            "captured_at": new.captured_at or now, "source": new.source, "is_active": True,
            "created_at": now, "created_by_id": who, "updated_at": now, "updated_by_id": who,
        }  # fmt: skip
        with self._database.write() as connection:
            self._patients.check(connection, clinic, new.patient_id)
            made = connection.execute(insert(imaging_study).values(row).returning(imaging_study.c.id)).scalar_one()
            event = StudyCreated(entity_id=str(made), patient_id=new.patient_id, kind=new.kind)
            self._trail.record(event, caller, connection)
        return int(made)

    def get(self, clinic: int, study_id: int) -> Study:
        """One study with its assets. Raises NotFound."""
        with self._database.read() as connection:
            row = theirs(connection, clinic, study_id)
            return _study(row, of_studies(connection, [study_id])[study_id])

    def page(self, clinic: int, patient_id: int | None, limit: int, offset: int) -> tuple[list[Study], int]:
        """A patient's studies, the last captured first, or the clinic's, the last made first; and how many in all.

        Raises NotFound where the patient is not this clinic's.
        """
        c = imaging_study.c
        where = [c.clinic_id == clinic, c.is_active]
        order = [c.id.desc()] if patient_id is None else [c.captured_at.desc(), c.id.desc()]
        with self._database.read() as connection:
            if patient_id is not None:
                self._patients.check(connection, clinic, patient_id)
                where.append(c.patient_id == patient_id)
            total = connection.scalar(select(func.count()).select_from(imaging_study).where(*where)) or 0
            rows = connection.execute(
                select(imaging_study).where(*where).order_by(*order).limit(limit).offset(offset)
            ).all()
            held = of_studies(connection, [row.id for row in rows])
        return [_study(row, held[row.id]) for row in rows], total


def theirs(connection: Connection, clinic: int, study_id: int) -> Row[Any]:
    """That clinic's study. Raises NotFound for another one's, and for one that is not there, alike."""
    c = imaging_study.c
    row = connection.execute(select(imaging_study).where(c.id == study_id, c.clinic_id == clinic, c.is_active)).first()
    if row is None:
        raise NotFound("There is no such study.")
    return row


def _study(row: Row[Any], assets: list[Asset]) -> Study:
    return Study(
        row.id, row.patient_id, row.kind, row.title, row.captured_at, row.source, row.created_at or row.captured_at,
        assets,
    )  # fmt: skip
