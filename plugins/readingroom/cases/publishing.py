"""Who may see a case: the gate before publishing, and what the guard asks about a study.

A published case never shows identifying headers that no admin has spoken for. Publishing one with such
headers needs an explicit word, which covers the files imported until then. A file with such headers that
arrives or changes later takes the case out of the students' sight again, in the same transaction that records
the file, until an admin confirms anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select, update

from readingroom.audit import Trail
from readingroom.cases.availability import Identifiable
from readingroom.cases.events import CaseUnpublished
from readingroom.cases.tables import case_file, clinical_case
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import CaseIdentifiable
from readingroom.identity import Caller

MAX_VARIABLES = 500
"""Case ids in one statement; far below the limits of SQLite and PostgreSQL."""


def check(identifiable: Identifiable, confirmed: bool) -> None:
    """Let a case through to the students, or raise CaseIdentifiable with the counts of files that speak
    against it.
    """
    if not identifiable or confirmed:
        return
    found = {
        "patient names": identifiable.patient_names,
        "birth dates": identifiable.birth_dates,
        "burned-in annotations": identifiable.burned_in,
    }
    said = ", ".join(f"{what} in {count} file{'s' * (count != 1)}" for what, count in found.items() if count)
    raise CaseIdentifiable(
        f"Headers of this case still identify a patient: {said}. Confirm that it may be shown.",
        detail={
            "patientNames": identifiable.patient_names,
            "birthDates": identifiable.birth_dates,
            "burnedIn": identifiable.burned_in,
        },
    )


def hide_identifying(
    connection: Connection, clock: Clock, trail: Trail, caller: Caller, case_ids: Iterable[str]
) -> list[int]:
    """Take out of the students' sight those of these cases that are published; gives their numbers.

    For the importer: at the end of the transaction that writes files, with the ids of the cases to which it
    wrote one (new or changed) whose headers identify somebody.
    """
    columns = clinical_case.c
    wanted, hidden = sorted(set(case_ids)), []
    for start in range(0, len(wanted), MAX_VARIABLES):
        # The lock makes an admin who is publishing at this moment go first or last, never in between: so it is taken on
        # every row, and what it says is looked at afterwards. It is the weak one (FOR NO KEY UPDATE): writers of files
        # hold a share of the same row, and two of them must not deadlock.
        rows = connection.execute(
            select(columns.id, columns.case_number, columns.published, columns.withdrawn_at)
            .where(columns.id.in_(wanted[start : start + MAX_VARIABLES]))
            .order_by(columns.id)
            .with_for_update(key_share=True)
        ).all()
        for row in rows:
            if not row.published or row.withdrawn_at is not None:
                continue
            changes = {"published": False, "updated_at": clock.now()}
            connection.execute(update(clinical_case).where(columns.id == row.id).values(changes))
            event = CaseUnpublished(entity_id=row.id, case_number=row.case_number, reason="identifiable")
            trail.record(event, caller, connection)
            hidden.append(row.case_number)
    return hidden


def is_published(database: Database, study_uid: str) -> bool:
    """Whether that StudyInstanceUID belongs to a case that students see; for the guard, one indexed look."""
    with database.read() as connection:
        found = connection.execute(
            select(case_file.c.id)
            .join(clinical_case, clinical_case.c.id == case_file.c.case_id)
            .where(
                case_file.c.study_instance_uid == study_uid,
                clinical_case.c.published,
                clinical_case.c.withdrawn_at.is_(None),
            )
            .limit(1)
        )
        return found.first() is not None
