"""The catalogue of cases: create, edit, withdraw; each act audited in the transaction that does it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from readingroom.audit import Trail
from readingroom.audit.events import CaseChanged, CaseCreated, CasePublished, CaseWithdrawn
from readingroom.cases import availability, exam_types, numbering, publishing
from readingroom.cases.availability import NOTHING
from readingroom.cases.events import CaseUnpublished, PublishRefused
from readingroom.cases.finding import Case, folded, one
from readingroom.cases.tables import clinical_case
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import BadRequest, CaseIdentifiable, Conflict, NotFound
from readingroom.identity import Caller


@dataclass(frozen=True, slots=True)
class Ensured:
    """The case under a number that the importer met, and whether it had to be made."""

    id: str
    created: bool
    withdrawn: bool


class Catalogue:
    """All verbs that change cases."""

    def __init__(self, database: Database, clock: Clock, trail: Trail) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    def next_number(self) -> int:
        """The number that the next case would get at this moment."""
        with self._database.read() as connection:
            return numbering.next_number(connection)

    def create(
        self,
        caller: Caller,
        *,
        exam_type: str,
        number: int | None = None,
        title: str = "",
        text: str = "",
        published: bool = False,
    ) -> Case:
        """Make a case under that number, or under the next free one.

        Raises CaseNumberTaken, and BadRequest for an exam type that is not there.
        """
        with self._database.write() as connection:
            numbering.hold(connection)
            filed = _known_type(connection, exam_type)
            given = numbering.claim(connection, number)
            case_id = _insert(
                connection, self._clock, caller, filed, given, title=title, text=text, published=published
            )
            made = CaseCreated(entity_id=case_id, case_number=given, exam_type=filed.name)
            self._trail.record(made, caller, connection)
            if published:
                self._trail.record(CasePublished(entity_id=case_id, case_number=given), caller, connection)
            return one(connection, case_id)

    def ensure(self, connection: Connection, caller: Caller, number: int, exam_type: str) -> Ensured:
        """The case with that number, made unpublished if need be; for the importer, within its own
        transaction.

        The case keeps the exam type it has; files of a second one are added to the same case. A withdrawn
        case stays withdrawn. Call it before the transaction writes anything else: it takes the lock on
        numbers.
        """
        found = connection.execute(_by_number(number)).first()
        if found is None:
            numbering.hold(connection)
            found = connection.execute(_by_number(number)).first()  # somebody may have made it meanwhile
        if found is not None:
            return Ensured(found.id, created=False, withdrawn=found.withdrawn_at is not None)
        filed = exam_types.ensure(connection, self._clock, exam_type)
        case_id = _insert(connection, self._clock, caller, filed, numbering.claim(connection, number))
        made = CaseCreated(entity_id=case_id, case_number=number, exam_type=filed.name)
        self._trail.record(made, caller, connection)
        return Ensured(case_id, created=True, withdrawn=False)

    def edit(self, caller: Caller, case_id: str, changes: Mapping[str, Any], *, confirmed: bool = False) -> Case:
        """Set some of `exam_type number title text published`; what is already so is not a change.

        `confirmed` is the admin's explicit word that identifying headers may be shown. Raises NotFound,
        CaseNumberTaken, CaseIdentifiable, BadRequest for an unknown exam type, Conflict for a withdrawn case.
        """
        try:
            with self._database.write() as connection:
                return self._edit(connection, caller, case_id, changes, confirmed)
        except CaseIdentifiable as refused:
            self._record_refusal(caller, case_id, refused)
            raise

    def withdraw(self, caller: Caller, case_id: str) -> None:
        """Take a case out of every list; number and stored files stay as they are. Raises NotFound."""
        with self._database.write() as connection:
            row = locked(connection, case_id)
            if row.withdrawn_at is not None:
                return
            now = self._clock.now()
            gone = {"withdrawn_at": now, "updated_at": now, "published": False}
            connection.execute(update(clinical_case).where(clinical_case.c.id == case_id).values(gone))
            event = CaseWithdrawn(entity_id=case_id, case_number=row.case_number)
            self._trail.record(event, caller, connection)

    def _edit(
        self,
        connection: Connection,
        caller: Caller,
        case_id: str,
        changes: Mapping[str, Any],
        confirmed: bool,
    ) -> Case:
        numbering.hold(connection)
        row = locked(connection, case_id)
        if row.withdrawn_at is not None:
            raise Conflict("This case was withdrawn and is not edited any more.")
        values = self._values(connection, row, changes)
        identifiable = False
        if values.get("published"):
            there = availability.of(connection, [case_id]).get(case_id, NOTHING)
            publishing.check(there.identifiable, confirmed)
            identifiable = bool(there.identifiable)
        if values:
            values["updated_at"] = self._clock.now()
            if "title" in values or "text" in values:
                values["search_text"] = folded(f"{values.get('title', row.title)}\n{values.get('text', row.text)}")
            connection.execute(update(clinical_case).where(clinical_case.c.id == case_id).values(values))
        case = one(connection, case_id)
        self._record_changes(connection, caller, case, set(values), identifiable)
        return case

    @staticmethod
    def _values(connection: Connection, row: Row[Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {name: changes[name] for name in ("title", "text", "published") if name in changes}
        if "exam_type" in changes:
            values["exam_type_id"] = _known_type(connection, changes["exam_type"]).id
        if "number" in changes:
            values["case_number"] = numbering.claim(connection, changes["number"], by=row.id)
        return {name: value for name, value in values.items() if getattr(row, name) != value}

    def _record_changes(
        self, connection: Connection, caller: Caller, case: Case, columns: set[str], identifiable: bool
    ) -> None:
        edited = tuple(sorted(columns & {"title", "text", "exam_type_id", "case_number"}))
        if edited:
            event = CaseChanged(entity_id=case.id, case_number=case.number, changed=edited)
            self._trail.record(event, caller, connection)
        if "published" not in columns:
            return
        if case.published:
            shown = CasePublished(entity_id=case.id, case_number=case.number, confirmed_identifiable=identifiable)
            self._trail.record(shown, caller, connection)
        else:
            hidden = CaseUnpublished(entity_id=case.id, case_number=case.number, reason="admin")
            self._trail.record(hidden, caller, connection)

    def _record_refusal(self, caller: Caller, case_id: str, refused: CaseIdentifiable) -> None:
        counts = refused.detail if isinstance(refused.detail, dict) else {}
        with self._database.read() as connection:
            number = connection.scalar(select(clinical_case.c.case_number).where(clinical_case.c.id == case_id))
        event = PublishRefused(
            entity_id=case_id,
            case_number=number or 0,
            patient_names=counts.get("patientNames", 0),
            birth_dates=counts.get("birthDates", 0),
            burned_in=counts.get("burnedIn", 0),
        )
        self._trail.record(event, caller)


def locked(connection: Connection, case_id: str) -> Row[Any]:
    """The case, held against other writers until the transaction ends; raises NotFound."""
    row = connection.execute(
        select(clinical_case).where(clinical_case.c.id == case_id).with_for_update(key_share=True)
    ).first()
    if row is None:
        raise NotFound("There is no such case.")
    return row


def _by_number(number: int) -> Select[Any]:
    return select(clinical_case.c.id, clinical_case.c.withdrawn_at).where(clinical_case.c.case_number == number)


def _known_type(connection: Connection, name: str) -> exam_types.ExamType:
    found = exam_types.find(connection, name)
    if found is None:
        raise BadRequest(f"There is no exam type {name}.", detail=[{"field": "examType", "problem": "unknown"}])
    return found


def _insert(
    connection: Connection,
    clock: Clock,
    caller: Caller,
    filed: exam_types.ExamType,
    number: int,
    *,
    title: str = "",
    text: str = "",
    published: bool = False,
) -> str:
    case_id, now = str(uuid.uuid4()), clock.now()
    connection.execute(
        insert(clinical_case).values(
            id=case_id,
            case_number=number,
            exam_type_id=filed.id,
            title=title,
            text=text,
            search_text=folded(f"{title}\n{text}"),
            published=published,
            created_by=caller.identity.user,
            created_at=now,
            updated_at=now,
        )
    )
    return case_id
