"""The mount that stands for a NAS some milliseconds away: the same files, later, and read anew or kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.far_folder import FarFolder, refusal

pytestmark = pytest.mark.skipif(bool(refusal()), reason=refusal() or "it can be mounted here")

ROUND_TRIP = 0.02


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A folder with more entries than one answer of a listing has, and one file of several reads."""
    folder = tmp_path / "exported" / "deep"
    folder.mkdir(parents=True)
    for number in range(300):
        (folder / f"{number:03d} {'ä' * 40}").write_bytes(b"%d" % number)
    (folder.parent / "large").write_bytes(os.urandom(3_000_001))
    return folder.parent


def test_all_that_lies_there_is_there_with_its_size_and_time(exported: Path, tmp_path: Path) -> None:
    with FarFolder(exported, tmp_path / "far", 1) as far:
        assert _tree(far.place) == _tree(exported)
        with pytest.raises(FileNotFoundError):
            (far.place / "nothing").stat()
        with pytest.raises(OSError, match="Read-only"):
            (far.place / "new").touch()
    assert list(far.place.iterdir()) == []


def test_a_question_takes_a_round_trip_and_reading_anew_takes_more_than_what_is_kept(
    exported: Path, tmp_path: Path
) -> None:
    again = {}
    for keeps in (False, True):
        with FarFolder(exported, tmp_path / f"far-{keeps}", ROUND_TRIP * 1000, keeps=keeps) as far:
            large = far.place / "large"
            assert _seconds(large.stat) >= ROUND_TRIP
            assert _seconds(large.read_bytes) >= 2 * ROUND_TRIP, "it is opened, and read"
            again[keeps] = _seconds(large.read_bytes)
    assert again[False] >= 2 * ROUND_TRIP
    assert again[True] < again[False]


def _tree(root: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(each.relative_to(root)): (each.stat().st_size, each.stat().st_mtime_ns, each.read_bytes())
        for each in root.rglob("*")
        if each.is_file()
    }


def _seconds(done: Callable[[], object]) -> float:
    began = time.monotonic()
    done()
    return time.monotonic() - began
