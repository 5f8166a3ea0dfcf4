"""Search against a plain look through everything: the same series, the same order, the same number, whichever way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from readingroom.clock import SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.nas_index import search_postgresql
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.header import Header
from readingroom.nas_index.narrowing import PROPERTIES, Wanted
from readingroom.nas_index.profile import choose
from readingroom.nas_index.records import Found
from readingroom.nas_index.search import COUNTED, Search
from readingroom.nas_index.tables import nas_series
from readingroom.nas_index.words import asked
from sqlalchemy import select

SERIES = 2500

FAMILY = ["Nkosi", "Dlamini", "Müller", "van der Merwe", "Smith", "Smythe", "Li", "Ng'ang'a", "王^小东", "山田^太郎"]
GIVEN = ["Thandi", "Sipho", "John", "Joan", "Anna", "Na", "Александр", "Γιώργος", "محمد"]
STUDIES = ["CT Chest", "MRI Brain", "Chest PA", "", "Knee, left"]
PLACES = ["Netcare Milpark", "Mediclinic Panorama", "Somewhere else", ""]


def header(number: int) -> Header:
    r = random.Random(number // 3)
    rare = f" Q{number // 3:05d}" if r.random() < 0.3 else ""
    return Header(
        TransferSyntaxUID="1.2.840.10008.1.2.1",
        SOPInstanceUID=f"1.2.3.{number}.1",
        SeriesInstanceUID=f"1.2.3.4.{number}",
        StudyInstanceUID=f"1.2.3.5.{number // 2}",
        PatientName=f"{r.choice(FAMILY)}^{r.choice(GIVEN)}{rare}",
        PatientID=f"P{number // 3:05d}",
        StudyDate=r.choice(["", *(f"20{y}{m:02d}15" for y in (19, 20, 24) for m in (1, 6, 12))]),
        StudyDescription=r.choice(STUDIES),
        Modality=r.choice(["CT", "CT", "CT", "MR", "US"]),
        InstitutionName=r.choice(PLACES),
        InsurancePlanIdentification=r.choice(["GEMS", "Bonitas", ""]),
    )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with some thousand series on two sources, some of them on both."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('full') / 'readingroom.db'}"
    database = open_database(url)
    migrate(database)
    catalogue = Catalogue(database, SystemClock(), choose("south-africa").recognise)
    numbers = list(range(SERIES))
    random.Random(5).shuffle(numbers)
    for name, some in (("archive", numbers), ("mirror", numbers[: SERIES // 10])):
        visit = catalogue.visit(catalogue.source(name, "local", f"/{name}"), "run")
        for begin in range(0, len(some), 500):
            visit.store([Found(f"{n}/1", 1, 1, header(n), f"{n:040d}") for n in some[begin : begin + 500]])
        visit.finish(True)
    yield database
    database.close()


def by_looking(rows: list[Any], wanted: Wanted) -> list[int]:
    """What fits, found by looking at every series."""

    def fits(row: Any) -> bool:
        day = row.study_date and date.fromisoformat(row.study_date)
        return (
            (row.source_name == wanted.source if wanted.source else not row.is_copy)
            and all(getattr(row, k) == v for k in PROPERTIES if (v := getattr(wanted, k)))
            and (wanted.first is None or bool(day and day >= wanted.first))
            and (wanted.last is None or bool(day and day <= wanted.last))
            and all(word.within in row.search_text for word in asked(wanted.words))
        )

    return [row.id for row in rows if fits(row)]


def some_search(r: random.Random) -> Wanted:
    """Words, properties and dates in any mixture."""
    pool = [
        *FAMILY,
        *GIVEN,
        *STUDIES,
        "n",
        "s",
        "mi",
        "mit",
        "the",
        "1",
        "00",
        "P00",
        "milpark",
        "netcare",
        "q0",
        "xyz",
    ]
    pool += [f"P{r.randrange(SERIES // 3):05d}", f"q{r.randrange(SERIES // 3):05d}", "王小", "太", "جون", "p0012"]
    words = " ".join(r.choice(pool)[: r.choice([2, 3, 5, 30])] for _ in range(r.choice([0, 1, 1, 1, 2, 2, 3])))
    dates = sorted(date(r.choice([2018, 2019, 2020, 2024]), r.randrange(1, 13), 15) for _ in range(2))
    offset = r.choice([0, 0, 0, 7, 400])
    return Wanted(
        words=words if asked(words) else "",
        modality=r.choice(["", "", "CT", "US", "XX"]),
        first=dates[0] if r.random() < 0.3 else None,
        last=dates[1] if r.random() < 0.3 else None,
        medical_aid=r.choice(["", "", "", "GEMS"]),
        hospital=r.choice(["", "", "", "Netcare Milpark Hospital"]),
        hospital_group=r.choice(["", "", "", "Netcare"]),
        source=r.choice(["", "", "archive", "mirror"]),
        limit=r.choice([1, 10, 50]),
        offset=offset,
    )


@pytest.mark.parametrize(("few", "reach", "dense"), [(3000, 40_000, 0.05), (5, 200, 0.5), (5, 2000, 0.0)])
def test_search_finds_what_a_look_through_everything_finds(
    full: Database, monkeypatch: pytest.MonkeyPatch, few: int, reach: int, dense: float
) -> None:
    # With other limits PostgreSQL takes its other ways; SQLite has one.
    monkeypatch.setattr(search_postgresql, "FEW", few)
    monkeypatch.setattr(search_postgresql, "REACH", reach)
    monkeypatch.setattr(search_postgresql, "DENSE", dense)
    from readingroom.nas_index.tables import nas_source

    everything = select(nas_series, nas_source.c.name.label("source_name")).join(nas_source)
    with full.read() as connection:
        rows = connection.execute(everything.order_by(nas_series.c.position)).all()
    assert len(rows) == SERIES + SERIES // 10
    search, r = Search(full, SystemClock()), random.Random(few + reach)
    for _ in range(250):
        wanted = some_search(r)
        there = by_looking(list(rows), wanted)
        found = search.page(wanted)
        page = there[wanted.offset : wanted.offset + wanted.limit]
        assert [each.id for each in found.series] == page, wanted
        counted = max(COUNTED, wanted.offset + wanted.limit)
        assert (found.total, found.total_is_exact) == (min(len(there), counted), len(there) <= counted), wanted


def test_statistics_tell_frequent_terms_from_rare_ones(full: Database) -> None:
    if not full.is_postgresql:
        pytest.skip("SQLite's index needs no statistics")
    from readingroom.nas_index.frequencies import Frequencies
    from readingroom.nas_index.words import tag

    frequencies = Frequencies(SystemClock())
    with full.read() as connection:
        share, series = frequencies.expected(connection, [[tag("modality", "CT")]])
        assert series == SERIES + SERIES // 10
        assert 0.5 < share < 0.7
        rare, _ = frequencies.expected(connection, [asked("q00012")[0].terms])
        assert rare < 0.05
        assert len(frequencies.rarest(connection, [asked("milpark")[0].terms], 3)) == 3
