"""The file of an upload in parts: whose it is, what it keeps, and that nobody else is in it meanwhile."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path

import pytest
from readingroom.errors import StorageFull, UploadBusy, UploadLost
from readingroom.imaging.part_files import PartFiles
from readingroom.imaging.received import Received


@pytest.fixture
def files(tmp_path: Path) -> PartFiles:
    made = PartFiles(tmp_path / "uploads")
    made.create("a")
    return made


def test_nobody_else_on_the_machine_reads_what_came(files: PartFiles, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "uploads").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "uploads" / "a.part").stat().st_mode) == 0o600


def test_parts_come_to_their_places_in_any_order_and_gaps_take_no_room(files: PartFiles) -> None:
    with files.held("a", 0) as file:
        file.write(50_000_000, b"end")
        file.write(0, b"beginning")
        assert file.size == 50_000_003
        whole = file.path.read_bytes()
    assert whole.startswith(b"beginning") and whole.endswith(b"end") and len(whole) == 50_000_003
    assert files.taken() < 1_000_000


def test_bytes_that_differ_are_found_only_where_something_came_before(files: PartFiles) -> None:
    with files.held("a", 0) as file:
        file.write(10, b"0123456789")
        came = Received(((10, 15),))  # the rest was written by a request that died before it said so
        assert file.differing(10, b"01234", came) is None
        assert file.differing(5, b"?????012", came) is None
        assert file.differing(13, b"34?????", came) is None
        assert file.differing(13, b"3X", came) == (13, 15)
        assert file.differing(15, b"XXXXX", came) is None


def test_a_file_is_one_request_s_alone(files: PartFiles) -> None:
    with files.held("a", 0), pytest.raises(UploadBusy) as busy, files.held("a", 0.05):
        pass
    assert busy.value.headers["Retry-After"] == "2"
    with files.held("a", 0):
        pass


def test_who_waits_for_a_file_that_is_removed_meanwhile_is_told_so(files: PartFiles) -> None:
    told: list[BaseException] = []

    def wait() -> None:
        try:
            with files.held("a", 10):
                pass
        except UploadLost as error:
            told.append(error)

    with files.held("a", 0):
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.1)
        files.remove("a")
    waiting.join(10)
    assert len(told) == 1
    with pytest.raises(UploadLost), files.held("a", 0):
        pass
    files.remove("a")  # once more is no error


def test_all_files_are_told_with_their_age(files: PartFiles) -> None:
    files.create("b")
    assert sorted(name for name, _ in files.all()) == ["a", "b"]
    assert all(abs(written.timestamp() - time.time()) < 60 for _, written in files.all())


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path: Path) -> None:
    none = PartFiles(tmp_path / "none")
    assert list(none.all()) == [] and none.taken() == 0


def test_what_would_fill_the_disk_is_refused_before_it_comes(files: PartFiles) -> None:
    files.see_room(1)
    with pytest.raises(StorageFull):
        files.see_room(1 << 60)
