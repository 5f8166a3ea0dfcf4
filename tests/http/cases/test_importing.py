"""Whole imports on SQLite and PostgreSQL, with an Orthanc in memory that can be told to have a bad day."""

from __future__ import annotations

import hashlib
import io
import itertools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from readingroom.cases.catalogue import Catalogue
from readingroom.cases.import_runs import Wish
from readingroom.cases.import_work import Special, Worker
from readingroom.cases.importer import Ending, Stopping
from readingroom.cases.tables import case_file, clinical_case, deidentified_uid, import_item
from readingroom.errors import PacsError, PacsUnreachable
from readingroom.sources import parse_location
from sqlalchemy import select

from tests.factories import JUNK, bestof_tree, ct, ct_series, dicom_bytes, mr, write_tree
from tests.fixtures.identity import House
from tests.fixtures.small_pacs import SmallPacs


@dataclass
class Desk:
    """A source, a database, an Orthanc, and imports between them."""

    house: House
    pacs: SmallPacs
    folder: Path

    def imported(self, special: Special | None = None, stopping: Stopping | None = None, **wish: Any) -> Ending:
        """Import the folder in this process."""
        worker = Worker(self.house.settings, self.house.database, self.house.clock, self.pacs)
        location = parse_location(str(self.folder))
        self.run_id = worker.begin(Wish(location.url, **wish), self.house.by)
        return worker.work(self.run_id, location, special=special, stopping=stopping)

    def rows(self) -> dict[str, Any]:
        """What is recorded, by path."""
        joined = select(case_file, clinical_case.c.case_number).join(clinical_case)
        with self.house.database.read() as connection:
            found = connection.execute(joined).all()
        return {f"{row.exam_type}/{row.case_number:04d}/{row.relative_path}": row for row in found}

    def stored(self, row: Any) -> bytes:
        """The bytes that are kept for a row."""
        return self.pacs.instances[row.orthanc_id][row.attachment]

    def items(self) -> dict[str, tuple[str, str]]:
        """The last run's report: outcome and reason by path."""
        with self.house.database.read() as connection:
            rows = connection.execute(select(import_item).where(import_item.c.run_id == self.run_id)).all()
        return {row.path: (row.outcome, row.reason) for row in rows}


@pytest.fixture
def desk(house: House, tmp_path: Path) -> Desk:
    folder = tmp_path / "bestof"
    folder.mkdir()
    return Desk(house, SmallPacs(), folder)


def test_a_folder_is_imported_and_imported_again_for_nothing(desk: Desk) -> None:
    tree = bestof_tree(desk.folder)

    first = desk.imported()

    assert (first.state, first.figures.added, first.figures.not_dicom) == ("done", 21, len(JUNK))
    assert {path: desk.stored(row) for path, row in desk.rows().items()} == {
        path: data for path, data in tree.items() if path in desk.rows()
    }
    uploads = desk.pacs.uploads()
    second = desk.imported()
    assert (second.figures.added, second.figures.unchanged, desk.pacs.uploads()) == (0, 21, uploads)
    told = desk.house.actions()
    assert told.count("cases.import.start") == told.count("cases.import.finish") == 2
    assert told.count("cases.case.create") == 4 and "cases.file.import" in told


def test_a_change_a_loss_and_a_return_are_recorded(desk: Desk) -> None:
    files = ct_series(desk.folder / "CT/0001", 6)
    desk.imported()
    files[0].write_bytes(dicom_bytes(ct(StudyDescription="another")))
    kept = files[1].read_bytes()
    files[1].unlink()

    ending = desk.imported()

    assert (ending.figures.changed, ending.figures.missing, ending.figures.unchanged) == (1, 1, 4)
    rows = desk.rows()
    assert desk.stored(rows["CT/0001/IM00001.dcm"]) == files[0].read_bytes()
    assert rows["CT/0001/IM00002.dcm"].missing_at_source
    files[1].write_bytes(kept)
    assert desk.imported().figures.unchanged == 6
    assert not desk.rows()["CT/0001/IM00002.dcm"].missing_at_source


def test_files_of_another_source_are_never_missed_here(desk: Desk) -> None:
    ct_series(desk.folder / "CT/0001", 30)
    desk.imported()
    desk.folder = desk.folder.with_name("colleague")
    ct_series(desk.folder / "CT/0002", 2, name="other")

    ending = desk.imported()

    assert (ending.state, ending.figures.missing) == ("done", 0)
    assert not any(row.missing_at_source for row in desk.rows().values())


def test_the_same_files_reached_another_way_are_not_brought_again(desk: Desk) -> None:
    ct_series(desk.folder / "CT/0001", 3)
    desk.imported()
    moved = desk.folder.with_name("mounted-elsewhere")
    desk.folder.rename(moved)
    desk.folder = moved

    assert desk.imported().figures.unchanged == 3
    assert {row.source for row in desk.rows().values()} == {str(moved)}


def test_what_lies_in_a_folder_that_cannot_be_read_is_not_missing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ct_series(desk.folder / "CT/0001/open", 2, name="open")
    ct_series(desk.folder / "CT/0001/shut", 2, name="shut")
    desk.imported()
    from readingroom.errors import SourceForbidden
    from readingroom.sources.local import LocalLine

    def entries(self: LocalLine, where: str, *, really: Any = LocalLine.entries) -> Any:
        if where.endswith("/shut"):
            raise SourceForbidden("no right to read this folder")
        return really(self, where)

    monkeypatch.setattr(LocalLine, "entries", entries)

    ending = desk.imported()

    assert (ending.figures.unchanged, ending.figures.missing, ending.figures.failed) == (2, 0, 1)
    assert desk.items()["CT/0001/shut"][0] == "failed"


def test_a_published_case_that_gains_a_name_leaves_the_students_sight(desk: Desk) -> None:
    write_tree(desk.folder, {"MRI/0001/a.dcm": dicom_bytes(mr("a"))})
    desk.imported()
    catalogue = Catalogue(desk.house.database, desk.house.clock, desk.house.trail)
    [case_id] = {row.case_id for row in desk.rows().values()}
    catalogue.edit(desk.house.by, case_id, {"published": True})
    write_tree(desk.folder, {"MRI/0001/b.dcm": dicom_bytes(mr("b", PatientName="Doe^Jane"))})

    desk.imported()

    with desk.house.database.read() as connection:
        assert connection.scalar(select(clinical_case.c.published)) is False


def test_de_identified_cases_keep_a_private_map(desk: Desk) -> None:
    original = mr("a", PatientName="Doe^Jane", PatientID="MRN-1")
    write_tree(desk.folder, {"MRI/0001/a.dcm": dicom_bytes(original)})

    desk.imported(deidentify=True)

    [row] = desk.rows().values()
    assert b"Doe^Jane" not in desk.stored(row) and row.sha256 != row.source_sha256
    with desk.house.database.read() as connection:
        kept = {entry.kind: entry for entry in connection.execute(select(deidentified_uid))}
    assert kept["PatientName"].original == "Doe^Jane"
    assert kept["StudyInstanceUID"].replacement == row.study_instance_uid
    uploads = desk.pacs.uploads()
    assert desk.imported(deidentify=True).figures.unchanged == 1
    assert desk.imported().figures.unchanged == 1
    assert desk.pacs.uploads() == uploads


def test_a_de_identified_case_that_got_another_number_keeps_its_study_and_patient(desk: Desk) -> None:
    def slices(*indexes: int) -> dict[str, bytes]:
        return {f"{n}.dcm": dicom_bytes(ct("a", n, PatientID="MRN-1", PatientName="Doe^Jane")) for n in indexes}

    write_tree(desk.folder / "CT/0042", slices(0, 1))
    desk.imported(deidentify=True)
    catalogue = Catalogue(desk.house.database, desk.house.clock, desk.house.trail)
    [case] = {row.case_id for row in desk.rows().values()}
    catalogue.edit(desk.house.by, case, {"number": 77})
    (desk.folder / "CT/0042").rename(desk.folder / "CT/0077")
    write_tree(desk.folder / "CT/0077", slices(2))

    assert desk.imported().figures.added == 1

    rows = desk.rows()
    cleaned = [dcmread(io.BytesIO(desk.stored(row))) for row in rows.values()]
    assert len(rows) == 3
    assert len({(one.PatientID, one.StudyInstanceUID, one.SeriesInstanceUID) for one in cleaned}) == 1
    assert len({one.SOPInstanceUID for one in cleaned}) == 3
    with desk.house.database.read() as connection:
        kept = {entry.original: entry.replacement for entry in connection.execute(select(deidentified_uid))}
    assert kept["MRN-1"] == cleaned[0].PatientID
    assert kept[ct("a", 2).SOPInstanceUID] == rows["CT/0077/2.dcm"].sop_instance_uid


def test_a_transcoding_orthanc_does_not_get_away_with_it(desk: Desk) -> None:
    data = dicom_bytes(mr("a"))
    write_tree(desk.folder, {"MRI/0001/a.dcm": data})
    desk.pacs.system = {"IngestTranscoding": "1.2.840.10008.1.2.4.80"}
    really = desk.pacs.post

    def transcoding(path: str, body: bytes, headers: Any = None) -> bytes:
        answer = really(path, body, headers)
        if path == "/instances":
            for attachments in desk.pacs.instances.values():
                attachments["dicom"] = b"squeezed"
        return answer

    desk.pacs.post = transcoding  # type: ignore[method-assign]  # this Orthanc's own doing

    desk.imported()

    [row] = desk.rows().values()
    assert row.attachment != "dicom" and desk.stored(row) == data


@pytest.mark.parametrize("system", [{"OverwriteInstances": True}, {"ReadOnly": True}])
def test_an_orthanc_that_would_do_harm_gets_nothing(desk: Desk, system: dict[str, object]) -> None:
    ct_series(desk.folder / "CT/0001", 2)
    desk.pacs.system = system

    ending = desk.imported()

    assert ending.state == "failed" and "Orthanc" in ending.message and desk.pacs.uploads() == 0


def test_a_file_that_orthanc_refuses_is_one_failure(desk: Desk) -> None:
    files = ct_series(desk.folder / "CT/0001", 3)
    bad = files[1].stat().st_size
    posts = itertools.count()

    def refuse_one(request: str) -> None:
        if request == "POST /instances" and next(posts) == 1:
            raise PacsError("Orthanc: Bad file format", detail={"orthancStatus": 400})

    desk.pacs.mood = refuse_one

    ending = desk.imported(workers=1)

    assert bad and (ending.state, ending.figures.added, ending.figures.failed) == ("done", 2, 1)
    assert ("failed", "Orthanc: Bad file format") in desk.items().values()


@pytest.mark.parametrize("status", [401, 403])
def test_an_orthanc_that_does_not_accept_us_ends_the_run_at_once(desk: Desk, status: int) -> None:
    ct_series(desk.folder / "CT/0001", 50)

    def shut(request: str) -> None:
        if request == "POST /instances":
            raise PacsError("Orthanc: go away", detail={"orthancStatus": status})

    desk.pacs.mood = shut

    ending = desk.imported(workers=2)

    assert (ending.state, ending.figures.failed) == ("failed", 0) and desk.pacs.uploads() <= 4


def test_a_full_disk_stops_the_run_instead_of_failing_every_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Event, "wait", lambda self, timeout=None: self.is_set())
    ct_series(desk.folder / "CT/0001", 100)

    def full(request: str) -> None:
        if request == "POST /instances":
            raise PacsError("Orthanc: The file storage is full", detail={"orthancStatus": 507})

    desk.pacs.mood = full

    ending = desk.imported(workers=1)

    assert ending.state == "failed" and "storage is full" in ending.message
    assert ending.figures.failed < 30


def test_an_orthanc_that_stays_away_ends_the_run_and_the_next_one_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ct_series(desk.folder / "CT/0001", 20)
    posts = itertools.count()

    def gone(request: str) -> None:
        if request == "POST /instances" and next(posts) >= 5:
            raise PacsUnreachable("Orthanc does not answer: connection refused")

    desk.pacs.mood = gone
    monkeypatch.setattr("readingroom.cases.import_patience.PatientPacs.__init__.__defaults__", (0.2,))

    ending = desk.imported(workers=1)

    assert ending.state == "failed" and "does not answer" in ending.message
    assert ending.figures.added == len(desk.rows()) == 5
    desk.pacs.mood = lambda request: None
    again = desk.imported()
    assert (again.state, again.figures.added, again.figures.unchanged) == ("done", 15, 5)


def test_a_run_that_is_asked_to_stop_ends_as_it_was_asked(desk: Desk) -> None:
    ct_series(desk.folder / "CT/0001", 50)
    stopping = Stopping()
    stopping.state = "interrupted"
    posts = itertools.count()

    def stop(request: str) -> None:
        if request == "POST /instances" and next(posts) == 7:
            stopping.set()

    desk.pacs.mood = stop

    ending = desk.imported(stopping=stopping, workers=1)

    assert ending.state == "interrupted" and 0 < ending.figures.added < 50
    assert len(desk.rows()) == ending.figures.added


def noise(length: int) -> str:
    """Text that no compression makes short."""
    return "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(-(-length // 64)))[:length]


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # pydicom's, of values that break their representation
@pytest.mark.parametrize("value", ["4711\x000815", noise(10_000)], ids=["nul", "long"])
@pytest.mark.parametrize("keyword", ["PatientName", "PatientID", "AccessionNumber"])
def test_values_that_no_database_takes_as_they_are_end_no_import(desk: Desk, keyword: str, value: str) -> None:
    write_tree(
        desk.folder, {"CT/0001/odd.dcm": dicom_bytes(ct(**{keyword: value})), "CT/0001/x.dcm": dicom_bytes(ct("x"))}
    )

    ending = desk.imported(deidentify=True)

    assert (ending.state, ending.figures.added) == ("done", 2)
    with desk.house.database.read() as connection:
        kept = connection.scalars(select(deidentified_uid.c.original).where(deidentified_uid.c.kind == keyword)).all()
    assert any(original.startswith(value[:4]) for original in kept)


def test_a_path_too_long_to_be_recorded_is_told_and_ends_no_import(desk: Desk) -> None:
    long = "/".join([noise(200)] * 15)
    write_tree(
        desk.folder, {f"CT/0001/{long}/a.dcm": dicom_bytes(ct()), f"CT/0001/{long[:1900]}.dcm": dicom_bytes(mr())}
    )

    ending = desk.imported()

    assert (ending.state, ending.figures.added, ending.figures.failed) == ("done", 1, 1)
    assert desk.items()[f"CT/0001/{long}/a.dcm"] == ("failed", "its path has over 2300 bytes")
    assert desk.imported().figures.unchanged == 1


def test_a_large_listing_is_compared_in_batches(desk: Desk) -> None:
    data = dicom_bytes(mr("same"))
    tree = {f"MRI/{case:04d}/{n:03d}.dcm": data for case in range(1, 41) for n in range(40)}
    write_tree(desk.folder, tree)

    first = desk.imported(workers=2)
    second = desk.imported()

    assert first.figures.added == second.figures.unchanged == 1600
    assert len(desk.pacs.instances) == 1
