"""Pictures made in processes of their own: once for all who ask, kept, and no harm from a file that means it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from readingroom.errors import NoThumbnail, StoredFileBroken, TooManyRequests
from readingroom.kept import KeptFiles
from readingroom.settings import Settings
from readingroom.thumbnails.maker import Maker, NotMade
from readingroom.thumbnails.thumbnails import WAITING, Thumbnails

from tests.factories import ct, dicom_bytes
from tests.fixtures.sharing import UID, MemoryOrigin

IMAGE = dicom_bytes(ct(rows=64, columns=64))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(READINGROOM_DATA=tmp_path)


@pytest.fixture
def maker(settings: Settings) -> Iterator[Maker]:
    made = Maker(settings)
    yield made
    made.close()


def reading(data: bytes) -> Counted:
    return Counted(data)


class Counted:
    """Gives bytes of a file, and remembers how many."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.given = 0

    def __call__(self, offset: int, length: int) -> bytes:
        self.given += length
        return self.data[offset : offset + length]


def child(maker: Maker) -> int:
    """The one warm process."""
    (worker,) = maker._pool._idle
    return worker.pid


def series_of(*files: bytes) -> MemoryOrigin:
    origin = MemoryOrigin()
    origin.put(files={f"{n}.dcm": data for n, data in enumerate(files)})
    return origin


def test_one_process_makes_one_picture_after_the_other(maker: Maker) -> None:
    assert maker.make(len(IMAGE), reading(IMAGE))[8:12] == b"WEBP"
    first = child(maker)
    assert maker.make(len(IMAGE), reading(IMAGE))[8:12] == b"WEBP"
    assert child(maker) == first


def test_of_many_frames_only_what_is_needed_is_read(maker: Maker) -> None:
    frame = bytes(256 * 256 * 2)
    made = ct(rows=256, columns=256, NumberOfFrames="100", PixelData=frame * 100)
    data = dicom_bytes(made)
    read = reading(data)
    assert maker.make(len(data), read)[8:12] == b"WEBP"
    assert read.given < len(data) / 5


def test_a_process_that_is_killed_costs_its_picture_and_nothing_else(maker: Maker) -> None:
    maker.make(len(IMAGE), reading(IMAGE))
    pid = child(maker)

    def deadly(offset: int, length: int) -> bytes:
        os.kill(pid, signal.SIGKILL)
        return IMAGE[offset : offset + length]

    with pytest.raises(NotMade, match="cannot be decoded"):
        maker.make(len(IMAGE), deadly)
    assert maker.make(len(IMAGE), reading(IMAGE))[8:12] == b"WEBP"


def test_a_process_that_hangs_is_ended(settings: Settings) -> None:
    maker = Maker(settings)
    maker.make(len(IMAGE), reading(IMAGE))  # loading it takes longer than that where the machine is busy
    pid = child(maker)
    maker._seconds = 3

    def freezing(offset: int, length: int) -> bytes:
        os.kill(pid, signal.SIGSTOP)
        return IMAGE[offset : offset + length]

    began = time.monotonic()
    with pytest.raises(NotMade, match="took too long") as told:
        maker.make(len(IMAGE), freezing)
    assert told.value.is_final
    assert 2 < time.monotonic() - began < 20
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    maker.close()


def test_what_reading_raises_is_raised_and_the_next_picture_is_made(maker: Maker) -> None:
    def gone(offset: int, length: int) -> bytes:
        raise StoredFileBroken("It is gone.")

    with pytest.raises(StoredFileBroken):
        maker.make(len(IMAGE), gone)
    assert maker.make(len(IMAGE), reading(IMAGE))[8:12] == b"WEBP"


def test_the_process_knows_no_secret_and_cannot_write(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "of the house")
    maker.make(len(IMAGE), reading(IMAGE))
    about = Path(f"/proc/{child(maker)}")
    assert b"JWT_SECRET" not in (about / "environ").read_bytes()
    limits = {line[:26].strip(): line[26:].split() for line in (about / "limits").read_text().splitlines()}
    assert limits["Max file size"][0] == "0"
    assert int(limits["Max address space"][0]) <= 2 << 30


def test_a_picture_is_made_once_for_all_who_ask_and_kept(settings: Settings) -> None:
    made: list[int] = []
    maker = Maker(settings)
    make = maker.make

    def counted(size: int, read: object) -> bytes:
        made.append(size)
        time.sleep(0.2)
        return make(size, read)  # type: ignore[arg-type]

    maker.make = counted  # type: ignore[method-assign]
    thumbnails, origin = Thumbnails(settings, maker), series_of(IMAGE)
    found = origin.find(UID)
    assert found is not None
    pictures = []
    threads = [threading.Thread(target=lambda: pictures.append(thumbnails.of(found, origin))) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 1
    assert len(set(pictures)) == 1
    assert len(pictures) == 6
    assert Thumbnails(settings, maker).of(found, origin) == pictures[0], "a restart finds it"
    assert len(made) == 1
    assert thumbnails.of(replace(found, version="other"), origin).etag != pictures[0].etag
    assert len(made) == 2
    thumbnails.close()


def test_where_no_process_can_be_started_one_is_told_to_come_again(tmp_path: Path) -> None:
    thumbnails = Thumbnails(Settings.load(READINGROOM_DATA=tmp_path, READINGROOM_PYTHON="/nowhere/python"))
    origin = series_of(IMAGE)
    found = origin.find(UID)
    assert found is not None
    for _ in range(2):  # and nothing is remembered of the image
        with pytest.raises(TooManyRequests):
            thumbnails.of(found, origin)


def test_a_series_whose_middle_is_broken_shows_another_image(settings: Settings) -> None:
    thumbnails, origin = Thumbnails(settings), series_of(IMAGE, b"nothing", b"nothing", b"nothing")
    found = origin.find(UID)
    assert found is not None
    with pytest.raises(NoThumbnail):
        thumbnails.of(found, origin)
    origin = series_of(b"nothing", IMAGE, b"nothing", b"nothing")
    found = origin.find(UID)
    assert found is not None
    assert thumbnails.of(found, origin).bytes[8:12] == b"WEBP"
    thumbnails.close()


def test_that_there_is_no_picture_is_remembered(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    thumbnails, origin = Thumbnails(settings), series_of(b"nothing at all")
    found = origin.find(UID)
    assert found is not None
    for _ in range(2):
        with pytest.raises(NoThumbnail):
            thumbnails.of(found, origin)
        monkeypatch.setattr(origin, "open", None)  # nobody opens it a second time
    thumbnails.close()


def test_those_that_nobody_asked_for_longest_go_first(tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path, largest=10 * 4096)
    for n in range(10):
        kept.put(f"{n:040x}", b"x" * 4000)
        os.utime(next(tmp_path.rglob(f"{n:040x}.webp")), (n, n))
    assert kept.get(f"{0:040x}"), "and is young again"
    kept.put(f"{10:040x}", b"x" * 4000)
    left = {int(place.stem, 16) for place in tmp_path.rglob("*.webp")}
    assert left == {0, 3, 4, 5, 6, 7, 8, 9, 10}
    assert kept.get(f"{1:040x}") is None


def test_a_full_disk_keeps_nothing_and_harms_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    kept = KeptFiles(tmp_path)
    kept.put("ab" * 20, b"picture")
    assert kept.get("ab" * 20) is None
    assert [place for place in tmp_path.rglob("*") if place.is_file()] == []


def test_of_those_who_ask_for_a_slow_picture_some_wait_and_no_more(settings: Settings) -> None:
    go_on, begun = threading.Event(), threading.Event()

    class Slow:
        def make(self, size: int, read: object) -> bytes:
            begun.set()
            assert go_on.wait(30)
            return b"a picture"

    thumbnails = Thumbnails(settings, Slow())  # type: ignore[arg-type]  # all that is asked of it
    origin = series_of(IMAGE)
    found = origin.find(UID)
    assert found is not None
    told: list[str] = []

    def ask() -> None:
        try:
            told.append(thumbnails.of(found, origin).bytes.decode())
        except TooManyRequests:
            told.append("too many")

    threads = [threading.Thread(target=ask) for _ in range(WAITING + 6)]
    for each in threads:
        each.start()
    assert begun.wait(30)
    for _ in range(500):
        if len(told) == 5:
            break
        time.sleep(0.02)
    assert told == ["too many"] * 5, "one makes it, twelve wait"
    go_on.set()
    for each in threads:
        each.join(30)
    assert told.count("a picture") == WAITING + 1
