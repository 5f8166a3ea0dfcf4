"""The catalogue beneath the routes: the importer's door, publishing under pressure, figures of a page."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from readingroom.audit import Trail
from readingroom.audit.tables import events_of
from readingroom.cases import exam_types, finding, publishing
from readingroom.cases.catalogue import Catalogue
from readingroom.cases.finding import Wanted
from readingroom.cases.tables import case_file
from readingroom.clock import SystemClock
from readingroom.db import Database
from readingroom.errors import CaseIdentifiable, NotFound
from readingroom.identity import ANONYMOUS, ROLES, Caller, Identity
from sqlalchemy import insert, select

from tests.factories import uid
from tests.fixtures.case_files import add_files, row

CALLER = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
STUDENT = Identity("eve", "user", ROLES["student"])
ADMIN = Identity("ada", "user", ROLES["admin"])


@pytest.fixture
def trail(database: Database) -> Trail:
    return Trail(database, SystemClock())


@pytest.fixture
def catalogue(database: Database, trail: Trail) -> Catalogue:
    return Catalogue(database, SystemClock(), trail)


def ensure(database: Database, catalogue: Catalogue, number: int, exam_type: str):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        return catalogue.ensure(connection, CALLER, number, exam_type)


def hide(database: Database, trail: Trail, *case_ids: str) -> list[int]:
    with database.write() as connection:
        return publishing.hide_identifying(connection, SystemClock(), trail, CALLER, case_ids)


def test_the_importer_finds_the_case_or_makes_it_unpublished(database: Database, catalogue: Catalogue) -> None:
    made = ensure(database, catalogue, 3, "CT")
    again = ensure(database, catalogue, 3, "CT")

    assert (made.created, again.created, again.id) == (True, False, made.id)
    case = finding.get(database, ADMIN, made.id)
    assert (case.number, case.exam_type, case.published) == (3, "CT", False)


def test_a_second_exam_type_adds_to_the_same_case(database: Database, catalogue: Catalogue) -> None:
    mri = ensure(database, catalogue, 1, "MRI")
    echo = ensure(database, catalogue, 1, "Echo")

    assert echo.id == mri.id
    assert finding.get(database, ADMIN, mri.id).exam_type == "MRI"


def test_a_new_folder_becomes_an_exam_type_and_another_spelling_does_not(
    database: Database, catalogue: Catalogue
) -> None:
    ensure(database, catalogue, 1, "Mammo")
    ensure(database, catalogue, 2, "mammo")

    assert [kind.name for kind in exam_types.all_types(database)] == ["MRI", "CT", "Echo", "Mammo"]


def test_an_import_does_not_bring_a_withdrawn_case_back(database: Database, catalogue: Catalogue) -> None:
    made = ensure(database, catalogue, 5, "MRI")
    catalogue.withdraw(CALLER, made.id)

    again = ensure(database, catalogue, 5, "MRI")

    assert (again.id, again.created, again.withdrawn) == (made.id, False, True)


def test_an_identifying_file_takes_a_published_case_out_of_sight(
    database: Database, catalogue: Catalogue, trail: Trail
) -> None:
    case = catalogue.create(CALLER, exam_type="MRI", published=True)
    other = catalogue.create(CALLER, exam_type="MRI")
    add_files(database, case.id, has_patient_name=True)
    assert publishing.is_published(database, uid("study", case.id))

    assert hide(database, trail, case.id, other.id) == [case.number]

    assert not publishing.is_published(database, uid("study", case.id))
    with pytest.raises(NotFound):
        finding.get(database, STUDENT, case.id)
    with pytest.raises(CaseIdentifiable):
        catalogue.edit(CALLER, case.id, {"published": True})
    assert catalogue.edit(CALLER, case.id, {"published": True}, confirmed=True).published
    events = events_of(database.is_postgresql)
    with database.read() as connection:
        recorded = connection.scalars(select(events.c.payload).where(events.c.action == "cases.case.unpublish")).all()
    assert len(recorded) == 1
    assert "identifiable" in recorded[0]


def test_an_import_never_slips_past_an_admin_who_publishes_at_that_moment(
    database: Database, catalogue: Catalogue, trail: Trail
) -> None:
    cases = [catalogue.create(CALLER, exam_type="MRI") for _ in range(24)]

    def publish(case_id: str) -> None:
        with contextlib.suppress(CaseIdentifiable):
            catalogue.edit(CALLER, case_id, {"published": True})

    def bring(case_id: str) -> None:
        with database.write() as connection:
            connection.execute(insert(case_file), [row(case_id, "IM1", has_patient_name=True)])
            publishing.hide_identifying(connection, SystemClock(), trail, CALLER, [case_id])

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(act, case.id) for case in cases for act in (publish, bring)]
        for each in done:
            each.result()

    assert [finding.get(database, ADMIN, case.id).published for case in cases] == [False] * len(cases)


def test_two_imports_into_one_case_do_not_stand_in_each_others_way(
    database: Database, catalogue: Catalogue, trail: Trail
) -> None:
    case = catalogue.create(CALLER, exam_type="MRI", published=True)

    def bring(number: int) -> None:
        with database.write() as connection:
            connection.execute(insert(case_file), [row(case.id, f"IM{number}", burned_in=True)])
            publishing.hide_identifying(connection, SystemClock(), trail, CALLER, [case.id])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(bring, range(40)))

    assert finding.get(database, ADMIN, case.id).available.files == 40


def test_editing_a_published_case_asks_for_no_word_again(database: Database, catalogue: Catalogue) -> None:
    case = catalogue.create(CALLER, exam_type="MRI")
    add_files(database, case.id, burned_in=True)
    catalogue.edit(CALLER, case.id, {"published": True}, confirmed=True)

    assert catalogue.edit(CALLER, case.id, {"title": "Better", "published": True}).published


def test_only_studies_of_published_cases_are_open(database: Database, catalogue: Catalogue) -> None:
    case = catalogue.create(CALLER, exam_type="MRI", published=True)
    add_files(database, case.id)
    study = uid("study", case.id)

    assert publishing.is_published(database, study)
    catalogue.withdraw(CALLER, case.id)
    assert not publishing.is_published(database, study)
    assert not publishing.is_published(database, "1.2.3")


def test_a_list_sums_up_files_bytes_studies_and_flags(database: Database, catalogue: Catalogue) -> None:
    case = catalogue.create(CALLER, exam_type="MRI")
    add_files(database, case.id, 4, size=10)
    with database.write() as connection:
        extra = row(case.id, "second/IM1", size=5, study_instance_uid="1.2.3", burned_in=True, has_birth_date=True)
        connection.execute(insert(case_file), [extra])
    empty = catalogue.create(CALLER, exam_type="MRI")

    (first, second), total = finding.page(database, ADMIN, Wanted())

    assert total == 2
    assert (first.available.files, first.available.size) == (5, 45)
    assert set(first.available.study_uids) == {"1.2.3", uid("study", case.id)}
    flags = first.available.identifiable
    assert (flags.patient_names, flags.birth_dates, flags.burned_in) == (0, 1, 1)
    assert (second.id, second.available.files, second.available.study_uids) == (empty.id, 0, ())


def test_a_page_costs_what_it_shows_and_not_what_there_is(database: Database, catalogue: Catalogue) -> None:
    cases = [catalogue.create(CALLER, exam_type="MRI") for _ in range(60)]
    for case in cases:
        add_files(database, case.id, 200)

    began = time.perf_counter()
    found, total = finding.page(database, ADMIN, Wanted(limit=50))
    seconds = time.perf_counter() - began

    assert (len(found), total) == (50, 60)
    assert all(case.available.files == 200 for case in found)
    # 10,000 files are summed up; measured at 15 ms. Ten times that would mean that the index is not used.
    assert seconds < 0.5
