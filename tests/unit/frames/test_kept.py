"""Frames that were made are kept: found again, never half, never more than the budget; made once for all who ask."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from readingroom.errors import NotFound, PacsUnreachable
from readingroom.frames import kept as keeping
from readingroom.frames.form import Frame
from readingroom.frames.kept import KeptFrames
from readingroom.frames.maker import Maker, NotMade
from readingroom.frames.making import Making
from readingroom.frames.reading import Unreadable
from readingroom.frames.shape import Shape
from readingroom.metrics import Metrics
from readingroom.settings import Settings

from tests.fixtures.frame_places import MemorySeries

ONE, OTHER, THIRD = "1" * 32, "2" * 32, "3" * 32


def test_a_frame_is_found_again_by_another_process_and_under_its_own_name_alone(tmp_path: Path) -> None:
    KeptFrames(tmp_path, 1 << 20).put(ONE, "3-1.jpls", Frame("jpls", b"compressed"))
    again = KeptFrames(tmp_path, 1 << 20)
    found = again.get(ONE, "3-1.jpls")
    assert found is not None
    assert (found.encoding, bytes(found.payload)) == ("jpls", b"compressed")
    assert [again.get(*name) for name in ((ONE, "3-2.jpls"), (OTHER, "3-1.jpls"), (ONE, "3-1.raw"))] == [None] * 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*.jpls"))


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "longer"])
def test_what_was_damaged_on_the_disk_is_not_given_out_and_goes(tmp_path: Path, damage: str) -> None:
    kept = KeptFrames(tmp_path, 1 << 20)
    kept.put(ONE, "0-1.raw", Frame("raw", bytes(1000)))
    (place,) = tmp_path.rglob("0-1.raw")
    data = bytearray(place.read_bytes())
    data[500] ^= 1
    place.write_bytes(
        {"cut": place.read_bytes()[:-1], "bit": data, "empty": b"", "longer": place.read_bytes() + b"x"}[damage]
    )
    assert kept.get(ONE, "0-1.raw") is None
    assert not place.exists()


def test_the_series_that_nobody_looked_at_longest_goes_first_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "TOUCHED_SECONDS", 0.0)
    kept = KeptFrames(tmp_path, 10 * 4096)
    for n, version in enumerate((ONE, OTHER)):
        for frame in range(4):
            kept.put(version, f"{frame}-1.raw", Frame("raw", b"x" * 3000))
        for path in tmp_path.rglob(version):
            os.utime(path, (1_000_000 + n, 1_000_000 + n))
    assert kept.get(ONE, "0-1.raw") is not None  # now the other one is older
    for frame in range(3):
        kept.put(THIRD, f"{frame}-1.raw", Frame("raw", b"x" * 3000))
    left = {
        version: sum(kept.get(version, f"{n}-1.raw") is not None for n in range(4)) for version in (ONE, OTHER, THIRD)
    }
    assert left == {ONE: 4, OTHER: 0, THIRD: 3}


def test_with_no_budget_and_on_a_full_disk_nothing_is_kept_and_nothing_breaks(tmp_path: Path) -> None:
    none = KeptFrames(tmp_path / "none", 0)
    none.put(ONE, "0-1.raw", Frame("raw", b"x"))
    assert none.get(ONE, "0-1.raw") is None
    (tmp_path / "file").write_text("in the way")
    full = KeptFrames(tmp_path / "file", 1 << 20)
    full.put(ONE, "0-1.raw", Frame("raw", b"x"))
    assert full.get(ONE, "0-1.raw") is None


def _put_for_ever(folder: Path) -> None:
    kept = KeptFrames(folder, 1 << 30)
    for n in range(1_000_000):
        kept.put(ONE, f"{n % 50}-1.raw", Frame("raw", bytes([n % 256]) * 200_000))


def test_a_process_that_is_killed_in_the_middle_leaves_whole_frames_alone(tmp_path: Path) -> None:
    for _ in range(3):
        process = multiprocessing.get_context("spawn").Process(target=_put_for_ever, args=(tmp_path,))
        process.start()
        end = time.monotonic() + 30
        while len(list(tmp_path.rglob("*.raw"))) < 20 and time.monotonic() < end:
            time.sleep(0.01)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    kept = KeptFrames(tmp_path, 1 << 30)
    names = [path.name for path in tmp_path.rglob("*.raw") if not path.name.startswith(".")]
    assert len(names) >= 20
    assert all(kept.get(ONE, name) is not None for name in names)
    small = KeptFrames(tmp_path, 100_000)
    small.put(OTHER, "0-1.raw", Frame("raw", b"x"))
    assert list(tmp_path.rglob(".*")) == [], "what a killed one left behind goes with its series"


class CountingMaker(Maker):
    """Makes nothing, slowly, and counts."""

    def __init__(self) -> None:
        self.made = 0
        self.fails = False

    def encode(self, pixels: bytes | bytearray, shape: Shape) -> bytes:
        self.made += 1
        time.sleep(0.1)
        if self.fails:
            raise NotMade("no")
        return bytes(pixels[:10])

    def close(self) -> None:
        pass


GREY = Shape(10, 10, 1, 8, False, False)


def test_a_frame_is_made_once_for_all_who_ask_and_kept_for_the_next(tmp_path: Path) -> None:
    series, maker, metrics = MemorySeries([b"x" * 100] * 3), CountingMaker(), Metrics()
    making = Making(series, KeptFrames(tmp_path, 1 << 20), maker, metrics)
    found: list[Frame] = []

    def ask() -> None:
        found.append(making.made(series.plan, series.places[1], "jpls", GREY))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(found), maker.made) == (6, 1)
    assert {(each.encoding, bytes(each.payload)) for each in found} == {("jpls", b"x" * 10)}
    assert making.kept(series.plan, series.places[1], "jpls") is not None
    ask()
    assert maker.made == 1
    told = metrics.snapshot()
    assert told["frames_transcoded"] == 1
    assert told["frames_kept_hits"] >= 2, "more, where one of the six asked when it was made"


def test_what_could_not_be_made_is_tried_again_and_told_to_all_who_waited(tmp_path: Path) -> None:
    series, maker = MemorySeries([b"x" * 100]), CountingMaker()
    making = Making(series, KeptFrames(tmp_path, 1 << 20), maker, Metrics())
    maker.fails = True
    failed: list[int] = []

    def ask() -> None:
        try:
            making.made(series.plan, series.places[0], "jpls", GREY)
        except Unreadable as error:
            failed.append(error.status)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == [422] * 3
    maker.fails = False
    assert making.made(series.plan, series.places[0], "jpls", GREY).encoding == "jpls"


@pytest.mark.parametrize(
    ("error", "status"), [(PacsUnreachable("Orthanc does not answer."), 503), (NotFound("It has gone."), 422)]
)
def test_a_series_that_goes_while_a_frame_is_decoded_is_an_error_in_the_frame_s_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def gone(_: object) -> NoReturn:
        raise error

    series = MemorySeries([b"x" * 100])
    series.places = [replace(series.places[0], decode=True)]
    monkeypatch.setattr(series, "files", gone)
    making = Making(series, KeptFrames(tmp_path, 1 << 20), CountingMaker(), Metrics())
    with pytest.raises(Unreadable) as told:
        making.made(series.plan, series.places[0], "raw", GREY)
    assert told.value.status == status


def test_a_process_that_cannot_be_started_is_blamed_on_no_image(tmp_path: Path) -> None:
    series = MemorySeries([b"x" * 100])
    settings = Settings.load(READINGROOM_DATA=tmp_path, READINGROOM_PYTHON="/nowhere/python")
    making = Making(series, KeptFrames(tmp_path, 1 << 20), Maker(settings), Metrics())
    with pytest.raises(Unreadable) as told:
        making.made(series.plan, series.places[0], "jpls", GREY)
    assert (told.value.status, told.value.code) == (503, "busy")
