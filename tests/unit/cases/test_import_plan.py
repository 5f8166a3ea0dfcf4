"""Where a path belongs, what a listed file needs, and when a source counts as gone."""

from __future__ import annotations

import pytest
from readingroom.cases.import_plan import Misplaced, Recorded, Slot, Step, looks_like_a_lost_mount, place, step
from readingroom.sources.entries import FileEntry

HERE = "/mnt/bestof"
RECORDED = Recorded(1, "case", HERE, 100, 5_000_000_123, "a" * 64, "a" * 64, False, "id", "dicom", "1.2", 100)


@pytest.mark.parametrize(
    ("path", "slot"),
    [
        ("MRI/0001/IM1", Slot("MRI", 1, "IM1")),
        ("CT/0042/T2 axial/a/b.dcm", Slot("CT", 42, "T2 axial/a/b.dcm")),
        ("Echo/12345/x", Slot("Echo", 12345, "x")),
        ("MRI/0007/grüße/façade.dcm", Slot("MRI", 7, "grüße/façade.dcm")),
        ("MRI/0007/bytes\udcff.dcm", Slot("MRI", 7, "bytes\\xff.dcm")),
    ],
)
def test_a_path_names_exam_type_case_and_place(path: str, slot: Slot) -> None:
    assert place(path) == slot


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("top.dcm", "top.dcm"),
        ("MRI/loose.dcm", "MRI/loose.dcm"),
        ("MRI/42/a", "MRI/42/"),
        ("MRI/00042/a", "MRI/00042/"),
        ("MRI/0000/a", "MRI/0000/"),
        ("MRI/9999999999/a", "MRI/9999999999/"),
        ("MRI/٠٠٤٢/a", "MRI/٠٠٤٢/"),
        ("MRI/0042 old/a", "MRI/0042 old/"),
        ("@eaDir/0001/a", "@eaDir/"),
        ("#recycle/0001/a", "#recycle/"),
        (".snapshot/0001/a", ".snapshot/"),
        ("what?/0001/a", "what?/"),
    ],
)
def test_a_path_that_fits_no_case_is_told_by_the_folder_that_does_not_fit(path: str, folder: str) -> None:
    found = place(path)
    assert isinstance(found, Misplaced)
    assert found.folder == folder and found.reason


@pytest.mark.parametrize(
    ("size", "mtime", "source", "deidentify", "needed"),
    [
        (100, 5_000_000_123, HERE, False, Step.NOTHING),
        (101, 5_000_000_123, HERE, False, Step.BRING),
        (100, 5_000_000_124, HERE, False, Step.BRING),
        (100, 5_000_000_000, HERE, False, Step.BRING),
        (100, 5_000_000_000, "sftp://nas/bestof", False, Step.NOTHING),  # SFTP tells whole seconds
        (100, 5_000_000_100, "smb://nas/bestof", False, Step.NOTHING),  # SMB tells tenths of a microsecond
        (100, 5_400_000_000, "smb://nas/bestof", False, Step.BRING),
        (100, 6_000_000_000, "sftp://nas/bestof", False, Step.BRING),
        (100, 5_000_000_123, HERE, True, Step.BRING),
    ],
)
def test_size_and_time_decide_what_is_looked_at(
    size: int, mtime: int, source: str, deidentify: bool, needed: Step
) -> None:
    assert step(FileEntry("p", size, mtime), RECORDED, source, deidentify) is needed


def test_a_file_that_was_never_imported_is_brought() -> None:
    assert step(FileEntry("p", 1, 1), None, HERE, False) is Step.BRING


@pytest.mark.parametrize(
    ("recorded", "absent", "listed", "lost"),
    [
        (1000, 0, 1000, False),
        (1000, 501, 499, True),
        (1000, 500, 500, False),
        (12, 11, 1, True),
        (10, 10, 3, False),  # a handful: somebody tidied up
        (3, 3, 0, True),  # nothing at all is there: an empty mount point
        (0, 0, 0, False),
        (47, 47, 2000, True),
    ],
)
def test_a_source_that_lacks_most_of_its_files_is_a_lost_mount(
    recorded: int, absent: int, listed: int, lost: bool
) -> None:
    assert looks_like_a_lost_mount(recorded, absent, listed) is lost
