"""Case numbers under pressure: threads, processes, explicit wishes and withdrawals at the same time."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from readingroom.audit import Trail
from readingroom.cases import numbering
from readingroom.cases.catalogue import Catalogue
from readingroom.cases.tables import clinical_case
from readingroom.clock import SystemClock
from readingroom.db import Database, open_database
from readingroom.errors import BadRequest, CaseNumberTaken
from readingroom.identity import ANONYMOUS, Caller
from sqlalchemy import select

CALLER = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")


def catalogue_of(database: Database) -> Catalogue:
    return Catalogue(database, SystemClock(), Trail(database, SystemClock()))


def create(catalogue: Catalogue, number: int | None = None) -> int:
    """The number given, or 0 where the one asked for was taken."""
    try:
        return catalogue.create(CALLER, exam_type="MRI", number=number).number
    except CaseNumberTaken:
        return 0


def ensure(database: Database, number: int, exam_type: str) -> tuple[str, bool]:
    with database.write() as connection:
        found = catalogue_of(database).ensure(connection, CALLER, number, exam_type)
        return found.id, found.created


def create_many(url: str, count: int) -> list[int]:
    """What a second process does: numbers given to it."""
    database = open_database(url)
    try:
        catalogue = catalogue_of(database)
        with ThreadPoolExecutor(4) as threads:
            return list(threads.map(lambda _: create(catalogue), range(count)))
    finally:
        database.close()


def numbers_of(database: Database) -> list[int]:
    with database.read() as connection:
        return sorted(connection.scalars(select(clinical_case.c.case_number)))


def test_sixteen_threads_never_get_a_number_twice(database: Database) -> None:
    catalogue = catalogue_of(database)

    with ThreadPoolExecutor(16) as threads:
        given = list(threads.map(lambda _: create(catalogue), range(160)))

    assert sorted(given) == list(range(1, 161)) == numbers_of(database)


def test_two_processes_never_get_a_number_twice(database: Database, database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")  # a fork would share the parent's connections
    with ProcessPoolExecutor(2, mp_context=spawn) as processes:
        lists = list(processes.map(create_many, [database_url] * 2, [40] * 2))

    assert sorted(lists[0] + lists[1]) == list(range(1, 81)) == numbers_of(database)


def test_a_number_that_was_asked_for_is_never_lost(database: Database) -> None:
    catalogue = catalogue_of(database)
    wishes = [number for number in range(5, 60, 5) for _ in range(2)]  # each asked for by two at once

    with ThreadPoolExecutor(16) as threads:
        automatic = threads.map(lambda _: create(catalogue), range(60))
        asked = list(threads.map(lambda number: (number, create(catalogue, number)), wishes))
        given = list(automatic)

    everything = Counter([*given, *(got for _, got in asked if got)])
    assert max(everything.values()) == 1
    assert all(got in (0, number) for number, got in asked)
    assert sorted(everything) == numbers_of(database)
    # Whoever was refused was refused because somebody does have it.
    assert {number for number, _ in asked} <= set(numbers_of(database))


def test_many_importers_make_one_case(database: Database) -> None:
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda n: ensure(database, 7, ("MRI", "Echo")[n % 2]), range(32)))

    assert len({case_id for case_id, _ in found}) == 1
    assert [created for _, created in found].count(True) == 1


def test_importers_and_authors_stay_out_of_each_others_way(database: Database) -> None:
    catalogue = catalogue_of(database)

    with ThreadPoolExecutor(16) as threads:
        imported = list(threads.map(lambda number: ensure(database, number, "CT"), range(1, 61)))
        given = list(threads.map(lambda _: create(catalogue), range(60)))

    assert all(created for _, created in imported)
    assert len(set(given)) == 60
    assert len(numbers_of(database)) == 120


def test_gaps_are_left_to_whoever_asks_for_them(database: Database) -> None:
    catalogue = catalogue_of(database)
    create(catalogue, 40)

    assert create(catalogue) == 41
    assert create(catalogue, 12) == 12
    assert create(catalogue) == 42


def test_past_9999_the_number_simply_grows(database: Database) -> None:
    catalogue = catalogue_of(database)
    create(catalogue, 9999)

    assert create(catalogue) == 10_000
    assert numbering.padded(42) == "0042"
    assert numbering.expected_path("CT", 10_000) == "bestof/CT/10000/"


def test_the_very_last_number_does_not_stop_the_next_one(database: Database) -> None:
    catalogue = catalogue_of(database)
    create(catalogue, numbering.MAX_NUMBER)

    assert [create(catalogue), create(catalogue)] == [1, 2]


@pytest.mark.parametrize("number", [0, -1, numbering.MAX_NUMBER + 1])
def test_a_number_outside_the_range_is_refused(database: Database, number: int) -> None:
    with pytest.raises(BadRequest):
        create(catalogue_of(database), number)
