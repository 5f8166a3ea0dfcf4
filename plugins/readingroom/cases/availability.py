"""What of a case is there: files, bytes, studies, and how many headers still identify somebody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from readingroom.cases.tables import case_file


@dataclass(frozen=True, slots=True)
class Identifiable:
    """How many files carry a patient's name, a birth date, or a word that something is burned in."""

    patient_names: int = 0
    birth_dates: int = 0
    burned_in: int = 0

    def __bool__(self) -> bool:
        return bool(self.patient_names or self.birth_dates or self.burned_in)


@dataclass(frozen=True, slots=True)
class Availability:
    """What the import has stored for one case; size in bytes."""

    files: int = 0
    size: int = 0
    study_uids: tuple[str, ...] = ()
    identifiable: Identifiable = Identifiable()


NOTHING = Availability()


def of(connection: Connection, case_ids: Iterable[str]) -> dict[str, Availability]:
    """Sum up these cases' files in one query; a case without files is left out.

    Answered from the index ix_case_file_availability alone.
    """
    wanted = list(case_ids)
    if not wanted:
        return {}
    rows = connection.execute(
        select(
            case_file.c.case_id,
            case_file.c.study_instance_uid,
            func.count().label("files"),
            func.sum(case_file.c.size).label("size"),
            *_flag_counts(),
        )
        .where(case_file.c.case_id.in_(wanted))
        .group_by(case_file.c.case_id, case_file.c.study_instance_uid)
        .order_by(case_file.c.case_id, case_file.c.study_instance_uid)
    )
    found: dict[str, Availability] = {}
    for row in rows:
        before = found.get(row.case_id, NOTHING)
        found[row.case_id] = Availability(
            files=before.files + row.files,
            size=before.size + int(row.size),
            study_uids=(*before.study_uids, row.study_instance_uid),
            identifiable=Identifiable(
                before.identifiable.patient_names + int(row.patient_names),
                before.identifiable.birth_dates + int(row.birth_dates),
                before.identifiable.burned_in + int(row.burned_in),
            ),
        )
    return found


def _flag_counts() -> list[object]:
    flags = {
        "patient_names": case_file.c.has_patient_name,
        "birth_dates": case_file.c.has_birth_date,
        "burned_in": case_file.c.burned_in,
    }
    return [func.sum(case((column, 1), else_=0)).label(name) for name, column in flags.items()]
