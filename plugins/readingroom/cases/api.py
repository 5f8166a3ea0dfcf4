"""Routes of the cases: list, look, create, edit, withdraw; exam types; what de-identification replaced."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from readingroom.audit import Trail
from readingroom.audit.events import CaseViewed
from readingroom.cases import exam_types, finding, private_map
from readingroom.cases.catalogue import Catalogue
from readingroom.cases.events import DeidentificationRead
from readingroom.cases.finding import Case, Wanted, sees_all
from readingroom.cases.numbering import MAX_NUMBER, expected_path
from readingroom.clock import Clock, iso
from readingroom.db import Database
from readingroom.identity import Identity
from readingroom.routing import Answer, Area, Body, Page, caller, identity

MAX_TEXT = 50_000
"""Characters of clinical text; some twenty pages."""


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text cannot hold the character NUL")  # PostgreSQL stores none
    return text


Line = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
Prose = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_storable)]
Number = Annotated[int, Field(ge=1, le=MAX_NUMBER)]


class CaseList(Page):
    """What a list of cases is narrowed to."""

    exam_type: Line | None = Field(None, description="Name of an exam type")
    q: Line = Field("", description="Words that title, text or number have; case and accents do not matter")
    published: bool | None = Field(None, description="Only published, or only unpublished ones")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_left_out(cls, values: object) -> object:
        # A form that is sent as it stands says `examType=&q=&published=`.
        return {k: v for k, v in values.items() if v != ""} if isinstance(values, dict) else values


class NewCase(Body):
    """A case to create."""

    exam_type: Line
    title: Line = ""
    text: Prose = ""
    published: bool = False
    case_number: Number | None = Field(None, description="Left out: the next free one")


class CaseEdit(Body):
    """What to set of a case; a field that is left out stays as it is."""

    exam_type: Line | None = None
    title: Line | None = None
    text: Prose | None = None
    published: bool | None = None
    case_number: Number | None = None
    confirm_identifiable: bool = Field(False, description="The explicit word that identifying headers may be shown")


class NewExamType(Body):
    """An exam type to add; its name is a folder at the source."""

    name: str


class IdentifiableAnswer(Answer):
    """How many files identify somebody, and by what."""

    patient_names: int
    birth_dates: int
    burned_in: int


class CaseAnswer(Answer):
    """A case; its path is where its files are expected at the source."""

    id: str
    case_number: int
    exam_type: str
    title: str
    text: str
    published: bool
    exists: bool
    file_count: int
    total_size_bytes: int
    study_uids: list[str]
    expected_path: str
    withdrawn: bool
    created_at: str
    updated_at: str
    identifiable: IdentifiableAnswer | None = Field(None, description="For admins only; left out otherwise")

    @model_serializer(mode="wrap")
    def _without_what_is_not_theirs(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        plain: dict[str, object] = dump(self)
        return plain if self.identifiable is not None else {k: v for k, v in plain.items() if k != "identifiable"}


class CasesAnswer(Answer):
    """One page of cases."""

    items: list[CaseAnswer]
    total: int


class NextNumber(Answer):
    """The number that the next case would get."""

    case_number: int


class ExamTypeAnswer(Answer):
    """One exam type."""

    id: str
    name: str


class ExamTypesAnswer(Answer):
    """All exam types."""

    items: list[ExamTypeAnswer]
    total: int


class ReplacementAnswer(Answer):
    """One original value and what stands for it in the de-identified files."""

    kind: str
    original: str
    replacement: str


class ReplacementsAnswer(Answer):
    """One page of a case's private map."""

    items: list[ReplacementAnswer]
    total: int


def routes(database: Database, clock: Clock, trail: Trail) -> Area:
    """The cases' area."""
    area = Area("cases", "Cases")
    catalogue = Catalogue(database, clock, trail)

    @area.get("/api/bestof/cases", capability="cases.read", query=CaseList, answer=CasesAnswer)
    def list_cases(query: CaseList) -> CasesAnswer:
        """A page of cases by number; published ones only, unless you are an admin."""
        wanted = Wanted(query.exam_type, query.q, query.published, query.limit, query.offset)
        found, total = finding.page(database, identity(), wanted)
        return CasesAnswer(items=[_answer(case, identity()) for case in found], total=total)

    @area.get("/api/bestof/cases/next-number", capability="cases.admin", answer=NextNumber)
    def next_number() -> NextNumber:
        """The number that the next case would get at this moment; nothing is reserved."""
        return NextNumber(case_number=catalogue.next_number())

    @area.post(
        "/api/bestof/cases",
        capability="cases.admin",
        body=NewCase,
        answer=CaseAnswer,
        status=201,
        errors=(409,),
    )
    def create_case(body: NewCase) -> CaseAnswer:
        """Create a case under the next free number, or under the one asked for."""
        made = catalogue.create(
            caller(),
            exam_type=body.exam_type,
            number=body.case_number,
            title=body.title,
            text=body.text,
            published=body.published,
        )
        return _answer(made, identity())

    @area.get("/api/bestof/cases/<case_id>", capability="cases.read", answer=CaseAnswer, errors=(404,))
    def get_case(case_id: str) -> CaseAnswer:
        """One case; an unpublished one is there for admins only."""
        found = finding.get(database, identity(), case_id)
        trail.record(CaseViewed(entity_id=found.id, case_number=found.number), caller())
        return _answer(found, identity())

    @area.put(
        "/api/bestof/cases/<case_id>",
        capability="cases.admin",
        body=CaseEdit,
        answer=CaseAnswer,
        errors=(404, 409),
    )
    def edit_case(case_id: str, body: CaseEdit) -> CaseAnswer:
        """Set some fields of a case; publishing one whose headers identify a patient needs
        `confirmIdentifiable`.
        """
        given = body.model_dump(exclude_unset=True, exclude={"confirm_identifiable"})
        changes = {
            {"case_number": "number"}.get(name, name): value for name, value in given.items() if value is not None
        }
        edited = catalogue.edit(caller(), case_id, changes, confirmed=body.confirm_identifiable)
        return _answer(edited, identity())

    @area.delete("/api/bestof/cases/<case_id>", capability="cases.admin", status=204, errors=(404,))
    def withdraw_case(case_id: str) -> None:
        """Withdraw a case: it leaves every list, its number is never given again, its files stay stored."""
        catalogue.withdraw(caller(), case_id)

    @area.get(
        "/api/bestof/cases/<case_id>/deidentification",
        capability="cases.admin",
        query=Page,
        answer=ReplacementsAnswer,
        errors=(404,),
    )
    def read_private_map(case_id: str, query: Page) -> ReplacementsAnswer:
        """Which original stands behind which replacement in this case's de-identified files; looking is
        audited.
        """
        found = finding.get(database, identity(), case_id)
        entries, total = private_map.page(database, case_id, query.limit, query.offset)
        seen = DeidentificationRead(entity_id=case_id, case_number=found.number, entries=len(entries))
        trail.record(seen, caller())  # before the answer leaves: no look without its trace
        items = [ReplacementAnswer(kind=e.kind, original=e.original, replacement=e.replacement) for e in entries]
        return ReplacementsAnswer(items=items, total=total)

    @area.get("/api/bestof/exam-types", capability="cases.read", answer=ExamTypesAnswer)
    def list_exam_types() -> ExamTypesAnswer:
        """All exam types."""
        found = [ExamTypeAnswer(id=str(kind.id), name=kind.name) for kind in exam_types.all_types(database)]
        return ExamTypesAnswer(items=found, total=len(found))

    @area.post(
        "/api/bestof/exam-types",
        capability="cases.admin",
        body=NewExamType,
        answer=ExamTypeAnswer,
        status=201,
        errors=(409,),
    )
    def create_exam_type(body: NewExamType) -> ExamTypeAnswer:
        """Add an exam type; its name must be one that a folder can carry."""
        made = exam_types.add(database, clock, trail, caller(), body.name)
        return ExamTypeAnswer(id=str(made.id), name=made.name)

    return area


def _answer(case: Case, asker: Identity) -> CaseAnswer:
    there = case.available
    counts = IdentifiableAnswer(
        patient_names=there.identifiable.patient_names,
        birth_dates=there.identifiable.birth_dates,
        burned_in=there.identifiable.burned_in,
    )
    return CaseAnswer(
        id=case.id,
        case_number=case.number,
        exam_type=case.exam_type,
        title=case.title,
        text=case.text,
        published=case.published,
        exists=there.files > 0,
        file_count=there.files,
        total_size_bytes=there.size,
        study_uids=list(there.study_uids),
        expected_path=expected_path(case.exam_type, case.number),
        withdrawn=case.withdrawn,
        created_at=iso(case.created_at),
        updated_at=iso(case.updated_at),
        identifiable=counts if sees_all(asker) else None,
    )
