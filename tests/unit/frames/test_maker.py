"""The processes that make frames: one after the other, shut in, and no harm from a file that means it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from imagecodecs import jpegls_decode
from readingroom.errors import StoredFileBroken
from readingroom.frames.maker import Maker, NotMade
from readingroom.frames.shape import Shape
from readingroom.manifests import FramePlace
from readingroom.settings import Settings

from tests.fixtures.manifests import frames_in

FILE = (Path(pydicom.__file__).parent / "data" / "test_files" / "MR_small_RLE.dcm").read_bytes()
PLACE: FramePlace = frames_in(FILE)[0].place
SHAPE = Shape(64, 64, 1, 16, True, False)
GREY = Shape(64, 64, 1, 16, False, False)
PIXELS = np.arange(64 * 64, dtype="<u2").tobytes()


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[Maker]:
    made = Maker(Settings.load(READINGROOM_DATA=tmp_path), seconds=60)
    yield made
    made.close()


def reading(offset: int, length: int) -> bytes:
    return FILE[offset : offset + length]


def child(maker: Maker) -> int:
    """The one warm process."""
    (worker,) = maker._pool._idle
    return worker.pid


def test_one_process_makes_one_frame_after_the_other(maker: Maker) -> None:
    first = maker.decode(PLACE, SHAPE, len(FILE), reading)
    pid = child(maker)
    assert jpegls_decode(maker.encode(PIXELS, GREY)).tobytes() == PIXELS
    assert maker.decode(PLACE, SHAPE, len(FILE), reading) == first
    assert child(maker) == pid


def test_it_knows_no_secret_and_cannot_write(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "of the house")
    maker.encode(PIXELS, GREY)
    about = Path(f"/proc/{child(maker)}")
    assert b"JWT_SECRET" not in (about / "environ").read_bytes()
    limits = {line[:26].strip(): line[26:].split() for line in (about / "limits").read_text().splitlines()}
    assert limits["Max file size"][0] == "0"
    assert int(limits["Max address space"][0]) <= 3 << 30


def test_one_that_is_killed_costs_its_frame_and_nothing_else(maker: Maker) -> None:
    maker.encode(PIXELS, GREY)
    pid = child(maker)

    def deadly(offset: int, length: int) -> bytes:
        os.kill(pid, signal.SIGKILL)
        return reading(offset, length)

    with pytest.raises(NotMade, match="cannot be decoded"):
        maker.decode(PLACE, SHAPE, len(FILE), deadly)
    assert maker.decode(PLACE, SHAPE, len(FILE), reading)


def test_one_that_hangs_is_ended(maker: Maker) -> None:
    maker.decode(PLACE, SHAPE, len(FILE), reading)
    pid = child(maker)
    maker._seconds = 3

    def freezing(offset: int, length: int) -> bytes:
        os.kill(pid, signal.SIGSTOP)
        return reading(offset, length)

    began = time.monotonic()
    with pytest.raises(NotMade, match="took too long"):
        maker.decode(PLACE, SHAPE, len(FILE), freezing)
    assert time.monotonic() - began < 20
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_reading_raises_is_raised_and_the_next_frame_is_made(maker: Maker) -> None:
    def gone(offset: int, length: int) -> bytes:
        raise StoredFileBroken("It is gone.")

    with pytest.raises(StoredFileBroken):
        maker.decode(PLACE, SHAPE, len(FILE), gone)
    assert maker.decode(PLACE, SHAPE, len(FILE), reading)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(64, 32, 1, 16, True, False),
        Shape(64, 64, 3, 8, False, False),
        Shape(1 << 15, 1 << 15, 1, 32, False, False),
    ],
)
def test_a_frame_that_is_not_what_its_manifest_says_is_none(maker: Maker, shape: Shape) -> None:
    with pytest.raises(NotMade):
        maker.decode(PLACE, shape, len(FILE), reading)
