"""What is on its way has a folder of its own, and goes when it is done with or was forgotten."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from readingroom.errors import StorageUnavailable
from readingroom.imaging.spool import ABANDONED_SECONDS, Spool


def test_a_folder_goes_with_its_use(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    with spool.folder() as first, spool.folder() as second:
        assert first != second and first.stat().st_mode & 0o77 == 0
        (first / "original").write_bytes(b"x")
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_folder_goes_when_its_use_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="spoilt"), Spool(tmp_path).folder() as folder:
        (folder / "original").write_bytes(b"x")
        raise ValueError("spoilt")
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_a_day_ago_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    old, fresh, other = spool.make(), spool.make(), tmp_path / "somebody-else-s"
    other.mkdir()
    for folder in (old, other):
        os.utime(folder, (time.time(), time.time() - ABANDONED_SECONDS - 60))
    spool.clear()
    assert sorted(tmp_path.iterdir()) == sorted((fresh, other))
    Spool(tmp_path / "not there yet").clear()


def test_a_spool_that_cannot_be_written_to_says_that_storage_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable):
        Spool(tmp_path / "file" / "spool").make()
