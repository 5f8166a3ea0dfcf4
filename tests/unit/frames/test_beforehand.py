"""Frames made ready for slow lines before anybody asks: when, which, and what is left to whoever asks."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from readingroom.errors import PacsUnreachable
from readingroom.frames.beforehand import SLOW_DAYS, Beforehand, Lines
from readingroom.frames.kept import KeptFrames
from readingroom.frames.making import Making
from readingroom.manifests import SeriesPlan

from tests.fixtures.frame_places import MemorySeries

SIDE = 200
FRAMES = 3


def pixels(n: int, side: int = SIDE) -> bytes:
    return (np.arange(side * side, dtype="<u2") % 997 + n).tobytes()


def manifest(side: int = SIDE) -> bytes:
    grey = {"rows": side, "columns": side, "samplesPerPixel": 1, "bitsAllocated": 16, "pixelRepresentation": 0}
    return json.dumps({"defaults": grey, "frames": {}}).encode()


class Ground:
    """A series, what was made of its frames, and how quiet it is."""

    def __init__(self, folder: Path) -> None:
        self.series = MemorySeries([pixels(n) for n in range(FRAMES)])
        self.kept = KeptFrames(folder / "frames", 64 << 20)
        self.making: Making = self.series.making(self.kept)
        self.lines = Lines(folder / "frames" / "slow-lines", "always")
        self.quiet = float("inf")
        self.asked: list[str] = []
        self.begun: list[Beforehand] = []

    @property
    def plan(self) -> SeriesPlan:
        return replace(self.series.plan, manifest=manifest())

    def begin(self, plan: Callable[[str], SeriesPlan | None] | None = None) -> Beforehand:
        def found(id_: str) -> SeriesPlan | None:
            self.asked.append(id_)
            return self.plan if plan is None else plan(id_)

        made = Beforehand(self.series, self.making, self.lines, found, lambda: self.quiet)
        made.start()
        self.begun.append(made)
        return made

    def ready(self) -> list[str | None]:
        """The form in which each frame is kept."""
        found = [self.kept.get("v1", f"{n}-1.jpls") for n in range(FRAMES)]
        return [None if each is None else each.encoding for each in found]


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    yield made
    for each in made.begun:
        each.stop()
    made.making.close()


def until(what: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_frames_of_a_series_that_has_come_are_compressed_once(ground: Ground) -> None:
    beforehand = ground.begin()
    beforehand.settled("one")
    until(lambda: ground.ready() == ["jpls"] * FRAMES)
    read = ground.series.read
    beforehand.settled("one")
    until(lambda: ground.asked == ["one", "one"])
    time.sleep(0.2)
    assert ground.series.read == read, "what is kept is not made again"


def test_nothing_is_done_while_somebody_waits_for_frames(ground: Ground) -> None:
    ground.quiet = 0.0
    ground.begin().settled("one")
    time.sleep(0.5)
    assert (ground.asked, ground.series.read) == ([], 0)
    ground.quiet = float("inf")
    until(lambda: ground.ready() == ["jpls"] * FRAMES)


def test_a_series_that_is_gone_or_cannot_be_asked_for_stops_nobody(ground: Ground) -> None:
    def found(id_: str) -> SeriesPlan | None:
        if id_ == "away":
            raise PacsUnreachable("Orthanc does not answer.")
        if id_ == "odd":
            raise ValueError(id_)
        return None if id_ == "gone" else ground.plan

    beforehand = ground.begin(found)
    ground.series.broken[1] = OSError("a broken file")
    for each in ("gone", "away", "odd", "one"):
        beforehand.settled(each)
    until(lambda: ground.ready() == ["jpls", None, "jpls"])


def test_small_frames_are_left_as_they_are(ground: Ground) -> None:
    ground.series = MemorySeries([pixels(n, 64) for n in range(FRAMES)])
    asked = replace(ground.series.plan, manifest=manifest(64))
    ground.begin(lambda _: asked).settled("small")
    until(lambda: ground.asked == ["small"])
    time.sleep(0.3)
    assert (ground.series.read, ground.ready()) == (0, [None] * FRAMES)


def test_it_ends_at_once_whatever_waits(ground: Ground) -> None:
    ground.quiet = 0.0
    beforehand = ground.begin()
    for n in range(2_000):
        beforehand.settled(str(n))
    began = time.monotonic()
    beforehand.stop()
    assert time.monotonic() - began < 5


def test_by_itself_it_waits_for_the_first_viewer_on_a_slow_line_and_remembers_it(
    ground: Ground, tmp_path: Path
) -> None:
    mark = tmp_path / "frames" / "slow-lines"
    ground.lines = Lines(mark, "auto")
    beforehand = ground.begin()
    beforehand.settled("too early")
    assert not ground.lines.expected()
    ground.lines.slow()
    beforehand.settled("one")
    until(lambda: ground.asked == ["one"])
    assert Lines(mark, "auto").expected(), "after a restart too"
    long_ago = time.time() - (SLOW_DAYS + 1) * 86400
    os.utime(mark, (long_ago, long_ago))
    assert not Lines(mark, "auto").expected(), "nobody has come for a month"


def test_never_means_never(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "slow-lines", "never")
    lines.slow()
    assert not lines.expected()
    assert not (tmp_path / "slow-lines").exists()
