"""Pictures of a real Firebird database in the catalogue; rows, dates, character sets, and what kind an archive is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from readingroom.clock import FakeClock, SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.errors import BadRequest, SourceError, SourceNotFound, SourceRefused, SourceUnreachable
from readingroom.nas_index import series as finding
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.firebird import Mapping, Pictures, mapping_of, recognise
from readingroom.nas_index.firebird.database import PAGE, pages
from readingroom.nas_index.firebird.headers import header_of
from readingroom.nas_index.firebird.recognising import JP2_BOX
from readingroom.nas_index.header import series_key
from readingroom.nas_index.runs import Wish
from readingroom.nas_index.tables import nas_error, nas_series
from readingroom.nas_index.work import Work
from readingroom.settings import Settings
from readingroom.sources import Source, open_source
from sqlalchemy import select

from tests.fixtures.catalogued import configure, write_series
from tests.fixtures.firebird import Firebird

COLUMNS = {
    "path": "FILE_PATH", "PatientName": "PAT_NAME", "PatientID": "PAT_ID", "PatientBirthDate": "BORN",
    "PatientSex": "SEX", "StudyDate": "TAKEN", "SeriesNumber": "SERIES_NO", "InstanceNumber": "IMAGE_NO",
}  # fmt: skip
TABLE = (
    "create table IMAGES (FILE_PATH varchar(200), PAT_NAME varchar(64) character set {charset}, PAT_ID char(12), "
    "BORN date, SEX varchar(6), TAKEN date, SERIES_NO integer, IMAGE_NO integer)"
)
NAMES = ["Müller^Jürgen", "Dvořák^Jiří", "Иванов^Иван", "山田^太郎"]


def fill(firebird: Firebird, rows: list[tuple[Any, ...]], charset: str = "UTF8", connected: str = "UTF8") -> None:
    connection = firebird.create(connected)
    try:
        cursor = connection.cursor()
        cursor.execute(TABLE.format(charset=charset))
        connection.commit()
        for row in rows:
            cursor.execute("insert into IMAGES values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.commit()
    finally:
        connection.close()


def row(number: int, name: str = NAMES[0], series: int = 1, patient: str = "P1") -> tuple[Any, ...]:
    path = f"D:\\Archive\\{patient}\\{number:04d}.jp2"
    return (path, name, patient, date(1970, 1, 2), "female", date(2024, 1, 18), series, number)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Source]:
    """A folder of pictures."""
    for patient in ("P1", "P2"):
        (tmp_path / "nas" / patient).mkdir(parents=True)
        for number in range(1, 13):
            (tmp_path / "nas" / patient / f"{number:04d}.jp2").write_bytes(JP2_BOX + bytes(number))
    with open_source(str(tmp_path / "nas")) as source:
        yield source


def visited(database: Database, mapping: Any, source: Source) -> Any:
    catalogue = Catalogue(database, FakeClock())
    visit = catalogue.visit(catalogue.source("pictures", "local", source.url), "run")
    pictures = Pictures(mapping, "pictures", source.stat)
    pictures.store(visit)
    visit.finish(complete=True)
    return pictures.counts


def test_pictures_are_catalogued_as_series_and_stay_the_same_series(
    firebird: Firebird, database: Database, archive: Source
) -> None:
    rows = [row(n, NAMES[2], 1 + n % 2) for n in range(1, 11)] + [row(99, NAMES[2])]
    rows += [row(n, NAMES[3], 5, "P2") for n in range(1, 4)]
    fill(firebird, rows)
    mapping = mapping_of(firebird.mapping(table="IMAGES", columns=COLUMNS, path_prefix="d:\\archive\\"))
    counts = visited(database, mapping, archive)
    assert (counts.rows, counts.stored, counts.failed) == (14, 13, 1)
    with database.read() as connection:
        found = connection.execute(select(nas_series).order_by(nas_series.c.patient_id, nas_series.c.series_number))
        told = [
            (e.patient_name, e.patient_id, e.study_date, e.patient_sex, e.series_number, e.file_count) for e in found
        ]
        errors = connection.execute(select(nas_error.c.path, nas_error.c.error_code)).all()
        keys = list(connection.scalars(select(nas_series.c.series_key).order_by(nas_series.c.series_key)))
    assert told == [
        (NAMES[2], "P1", "20240118", "F", "1", 5),
        (NAMES[2], "P1", "20240118", "F", "2", 5),
        (NAMES[3], "P2", "20240118", "F", "5", 3),
    ]
    assert [tuple(each) for each in errors] == [("P1/0099.jp2", "file_not_found")]
    series = finding.find(database, keys[0])
    assert [each.path for each in finding.files(database, series.id)[0]]

    fill(firebird, [(*each[:1], "Corrected^Name", *each[2:]) for each in rows])
    counts = visited(database, mapping, archive)
    assert (counts.stored, counts.corrected, counts.unchanged) == (0, 3, 10)  # one picture brings its series' name
    with database.read() as connection:
        assert set(connection.scalars(select(nas_series.c.patient_name))) == {"Corrected^Name"}
        assert sorted(connection.scalars(select(nas_series.c.series_key))) == keys


def test_rows_come_a_page_at_a_time_in_a_transaction_that_cannot_write(
    firebird: Firebird, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(firebird, [row(n) for n in range(1, PAGE + 3)])
    mapping = mapping_of(firebird.mapping(table="IMAGES", columns=COLUMNS))
    assert [len(each) for each in pages(mapping)] == [PAGE, 2]
    monkeypatch.setattr(Mapping, "statement", "update IMAGES set PAT_NAME = 'x' where IMAGE_NO = 1 returning FILE_PATH")
    with pytest.raises(SourceError, match="read-only transaction"):
        list(pages(mapping))


@pytest.mark.parametrize(
    ("charset", "connected", "name"),
    [("UTF8", "UTF8", NAMES[3]), ("WIN1252", "UTF8", NAMES[0]), ("WIN1250", "UTF8", NAMES[1]),
     ("WIN1251", "UTF8", NAMES[2]), ("NONE", "WIN1252", NAMES[0])],
)  # fmt: skip
def test_names_are_right_in_every_character_set(firebird: Firebird, charset: str, connected: str, name: str) -> None:
    fill(firebird, [row(1, name)], charset, connected)
    mapping = mapping_of(firebird.mapping(table="IMAGES", columns=COLUMNS, charset=connected))
    ((found,),) = pages(mapping)
    assert found[1] == name


def test_a_database_that_cannot_be_read_says_why(firebird: Firebird) -> None:
    fill(firebird, [row(1)])
    good = firebird.mapping(table="IMAGES", columns=COLUMNS)
    with pytest.raises(SourceRefused):
        list(pages(mapping_of(good | {"password": "wrong"})))
    with pytest.raises(SourceUnreachable):
        list(pages(mapping_of(good | {"port": 1})))
    with pytest.raises(SourceError, match="refused the query"):
        list(pages(mapping_of(good | {"table": "NOT_THERE"})))


def test_a_query_of_ones_own_may_join(firebird: Firebird) -> None:
    fill(firebird, [row(1), row(2)])
    query = "select i.FILE_PATH as F, p.PAT_NAME as N from IMAGES i join IMAGES p on p.IMAGE_NO = i.IMAGE_NO"
    mapping = mapping_of(firebird.mapping(query=query, columns={"path": "F", "PatientName": "N"}))
    assert [len(each) for each in pages(mapping)] == [2]


def test_uids_of_the_database_are_taken_and_missing_ones_are_made() -> None:
    columns = {"path": "P", "PatientID": "I", "SeriesInstanceUID": "S", "StudyDate": "D"}
    mapping = mapping_of({"database": "x", "table": "T", "columns": columns})
    _, header = header_of(mapping, "nas", ("a/1.jp2", "P1", "1.2.3.4", "18.01.2024"))
    assert (header.SeriesInstanceUID, header.StudyDate) == ("1.2.3.4", "20240118")
    _, one = header_of(mapping, "nas", ("a/1.jp2", "P1", None, "2024-01-18"))
    _, two = header_of(mapping, "nas", ("a/2.jp2", "P1", "not a uid", "20240118"))
    _, other = header_of(mapping, "nas", ("a/2.jp2", "P2", None, "20240118"))
    assert one.SeriesInstanceUID.startswith("2.25.")
    assert len(one.SeriesInstanceUID) <= 64
    assert series_key(one) == series_key(two) != series_key(other)
    assert one.SOPInstanceUID != two.SOPInstanceUID


@pytest.mark.parametrize("path", [None, "", "C:\\elsewhere\\1.jp2", "..\\..\\etc\\passwd"])
def test_a_row_cannot_lead_out_of_the_source(path: str | None) -> None:
    mapping = mapping_of({"database": "x", "table": "T", "columns": {"path": "P"}, "path_prefix": "D:\\a\\"})
    with pytest.raises((ValueError, SourceError)):
        header_of(mapping, "nas", (path,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": {"PatientName": "N"}, "table": "T"},
        {"columns": {"path": "P", "Colour": "C"}, "table": "T"},
        {"columns": {"path": "P"}, "table": "T; drop table T"},
        {"columns": {"path": "P from T; delete from T --"}, "table": "T"},
        {"columns": {"path": "P"}, "query": "delete from T"},
        {"columns": {"path": "P"}, "query": "select 1 from T", "table": "T"},
        {"columns": {"path": "P"}},
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        mapping_of({"database": "x", **wrong})


DICOM = ("a.dcm", bytes(128) + b"DICM")
PICTURE = ("a.jp2", JP2_BOX)


@pytest.mark.parametrize(
    ("sample", "has_mapping", "kind"),
    [
        ([DICOM] * 50, False, "dicom"),
        ([PICTURE] * 50, False, "jpeg2000_firebird"),
        ([DICOM] * 30 + [PICTURE] * 20, False, "mixed"),
        ([DICOM] * 99 + [PICTURE], False, "dicom"),
        ([DICOM] * 99 + [PICTURE], True, "mixed"),
        ([PICTURE] * 99 + [DICOM], True, "jpeg2000_firebird"),
        ([("1", bytes(128) + b"DICM"), ("x.txt", b"text"), ("y.dcm", b"not")], False, "dicom"),
        ([("ARCHIVE.FDB", b"\x01")], True, "jpeg2000_firebird"),
        ([("x.txt", b"text")], False, "unknown"),
        ([], False, "unknown"),
    ],
)
def test_a_sample_tells_what_kind_an_archive_is(sample: Any, has_mapping: bool, kind: str) -> None:
    assert recognise(sample, has_mapping=has_mapping) == kind


def test_only_what_the_database_corrected_counts_as_changed(
    firebird: Firebird, database: Database, archive: Source
) -> None:
    rows = [row(n, NAMES[0], 1 + n % 2) for n in range(1, 11)]
    fill(firebird, rows)
    mapping = mapping_of(firebird.mapping(table="IMAGES", columns=COLUMNS, path_prefix="D:\\Archive\\"))
    visited(database, mapping, archive)
    again = visited(database, mapping, archive)
    assert (again.unchanged, again.corrected, again.stored) == (10, 0, 0)
    fill(firebird, [(*rows[0][:6], 7, rows[0][7]), *rows[1:]])  # one picture went to another series
    moved = visited(database, mapping, archive)
    assert (moved.unchanged, moved.corrected, moved.stored) == (9, 1, 0)
    with database.read() as connection:
        found = connection.execute(select(nas_series.c.series_number, nas_series.c.file_count)).all()
    assert sorted(tuple(each) for each in found) == [("1", 5), ("2", 4), ("7", 1)]


def test_pictures_of_a_source_that_went_away_are_asked_for_again_when_it_is_back(
    firebird: Firebird, database: Database, archive: Source
) -> None:
    fill(firebird, [row(n) for n in range(1, 11)] + [row(99)])
    mapping = mapping_of(firebird.mapping(table="IMAGES", columns=COLUMNS, path_prefix="D:\\Archive\\"))
    away = [True]

    def stat(path: str) -> Any:
        if away[0]:
            raise SourceNotFound("nothing is mounted here")
        return archive.stat(path)

    def is_there() -> bool:
        was_away, away[0] = away[0], False
        return not was_away

    catalogue = Catalogue(database, FakeClock())
    visit = catalogue.visit(catalogue.source("pictures", "local", archive.url), "run")
    counts = Pictures(mapping, "pictures", stat, at_once=4, is_there=is_there).store(visit)
    assert (counts.stored, counts.failed) == (10, 1)


class Archive:
    """A source with pictures, its database, and DICOM files; runs over it."""

    def __init__(self, firebird: Firebird, database: Database, settings: Settings, root: Path) -> None:
        self.catalogue = Catalogue(database, SystemClock())
        self.work = Work(settings, database, SystemClock(), self.catalogue)
        self.database = database
        self._settings = settings
        self._root = root
        self.mapping = firebird.mapping(table="IMAGES", columns=COLUMNS, path_prefix="D:\\Archive\\")

    def run(self, below: str = "", **mapping: Any) -> Any:
        """Index it, with that mapping where one is named; the run's row when it is done."""
        config = {"name": "both", "type": "local", "path": str(self._root), "retry_attempts": 0}
        configure(self._settings, config | ({"firebird": mapping} if mapping else {}))
        run = self.work.runs.begin(Wish(self.catalogue.source("both", "local", str(self._root)), below), "somebody")
        self.work.run(run, threading.Event())
        return self.work.runs.get(run)

    def series(self) -> list[tuple[str, int]]:
        with self.database.read() as connection:
            found = connection.execute(select(nas_series.c.patient_id, nas_series.c.file_count)).all()
        return sorted((each.patient_id, each.file_count) for each in found)


@pytest.fixture
def mixed(firebird: Firebird, database_url: str, tmp_path: Path, archive: Source) -> Iterator[Archive]:
    write_series(tmp_path / "nas" / "ct", 3)
    fill(firebird, [row(n) for n in range(1, 11)])
    settings = Settings.load(READINGROOM_DATA=tmp_path / "data", DATABASE_URL=database_url)
    database = open_database(settings.database_url)
    migrate(database)
    yield Archive(firebird, database, settings, tmp_path / "nas")
    database.close()


def test_a_run_brings_in_pictures_and_dicom_files_of_one_archive(mixed: Archive) -> None:
    first = mixed.run(**mixed.mapping)
    assert (first.state, first.message, first.added, first.errors) == ("done", "", 13, 0)
    assert first.files_processed == first.enumerated_files == 13
    assert sorted(many for _, many in mixed.series()) == [3, 10]
    again = mixed.run(**mixed.mapping)
    assert (again.state, again.unchanged, again.added, again.changed, again.gone) == ("done", 13, 0, 0, 0)
    (source,) = mixed.catalogue.sources()
    assert (source.content, source.pictures) == ("mixed", 24)


def test_pictures_whose_database_is_not_configured_are_told_of(mixed: Archive) -> None:
    run = mixed.run()
    assert (run.state, run.added) == ("done", 3)
    assert "24 JPEG 2000 pictures" in run.message
    assert "firebird" in run.message
    (source,) = mixed.catalogue.sources()
    assert (source.content, source.pictures) == ("mixed", 24)


def test_a_run_over_a_folder_brings_in_the_pictures_of_that_folder(mixed: Archive) -> None:
    assert mixed.run("ct", **mixed.mapping).added == 3
    assert mixed.run("P1", **mixed.mapping).added == 10


def test_a_database_that_is_away_fails_the_run_and_not_the_source(mixed: Archive) -> None:
    run = mixed.run(**mixed.mapping | {"port": 1})
    assert (run.state, run.added) == ("failed", 3)
    assert "does not answer" in run.message
    (source,) = mixed.catalogue.sources()
    assert source.online
    (error,), _ = mixed.work.runs.errors(run.id, 10)
    assert (error.error_type, error.error_code) == ("network", "firebird_unreachable")
