"""Reading files of this machine: what was listed may be another file by the time it is read."""

from __future__ import annotations

import os
from pathlib import Path

from readingroom.nas_index.header import Header
from readingroom.nas_index.listing import UNKNOWN
from readingroom.nas_index.reading import LocalReading, Task
from readingroom.nas_index.shortening import known, shortened

from tests import factories

WHOLE = factories.dicom_bytes(factories.ct())


def listed(path: Path) -> Task:
    seen = path.stat()
    return path.name, seen.st_size, seen.st_mtime_ns, 0


def test_a_file_is_what_its_listing_said(tmp_path: Path) -> None:
    path = tmp_path / "slice"
    path.write_bytes(WHOLE)
    task = listed(path)
    assert LocalReading(str(tmp_path)).read(task)[:3] == ("found", *task[1:3])


def test_a_file_without_a_listing_tells_its_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "slice"
    path.write_bytes(WHOLE)
    assert LocalReading(str(tmp_path)).read((path.name, UNKNOWN, UNKNOWN, 0))[:3] == ("found", *listed(path)[1:3])


def test_a_file_that_was_still_being_written_when_it_was_listed_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "slice"
    path.write_bytes(WHOLE[:403])
    task = listed(path)
    path.write_bytes(WHOLE)
    assert LocalReading(str(tmp_path)).read(task)[:3] == ("found", *listed(path)[1:3])


def test_a_file_that_stays_cut_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "slice"
    path.write_bytes(WHOLE[:403])
    what, size, _, said = LocalReading(str(tmp_path)).read(listed(path))
    assert (what, size, said[:2]) == ("bad", 403, ("dicom", "truncated"))


def test_a_pipe_or_a_folder_in_the_place_of_a_file_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    reading = LocalReading(str(tmp_path))
    for name in ("pipe", "folder"):
        assert reading.read((name, 4000, 1, 0))[3][:2] == ("filesystem", "not_a_file")


def test_what_goes_to_the_run_is_every_files_own_and_each_header_once(tmp_path: Path) -> None:
    names = ["Doe^Jane"] * 3 + ["Doe^Jane^corrected", "Doe^Jane"]
    for number, name in enumerate(names):
        made = factories.ct(PatientName=name)
        made.InstanceNumber, made.SOPInstanceUID = number, f"1.2.{number}"
        (tmp_path / str(number)).write_bytes(factories.dicom_bytes(made))
    reading = LocalReading(str(tmp_path))
    (tmp_path / "junk").write_bytes(b"something else")
    outcomes = [reading.read(listed(tmp_path / name)) for name in ("0", "1", "2", "junk", "3", "4")]
    short, headers = shortened(outcomes)
    assert [said for what, _, _, said, _ in short if what == "found"] == [(f"1.2.{n}", str(n)) for n in range(5)]
    assert [which for *_, which in short] == [0, 0, 0, -1, 1, 0]
    assert short[3][:4] == outcomes[3]
    read = list(known(headers))
    assert [header.PatientName for header, _ in read] == ["Doe^Jane", "Doe^Jane^corrected"]
    assert all(isinstance(header, Header) and key == outcomes[0][3][-1] for header, key in read)
