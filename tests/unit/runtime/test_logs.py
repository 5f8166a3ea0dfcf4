"""Logs of the servers that have grown too long begin anew while the servers write on."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.runtime import supervisor
from scripts.runtime.supervisor import shorten


def test_a_long_log_begins_anew_and_the_one_before_is_kept(tmp_path: Path) -> None:
    log, other = tmp_path / "orthanc.log", tmp_path / "gateway-access.log"
    log.touch(0o600)
    other.write_bytes(b"short\n")
    with log.open("ab", buffering=0) as server:
        server.write(b"x" * 2000 + b"\n")
        shorten(tmp_path, 1000)
        server.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    kept = tmp_path / "orthanc.log.1"
    assert (kept.stat().st_size, kept.stat().st_mode & 0o777) == (2001, 0o600)
    assert other.read_bytes() == b"short\n"


def test_a_full_disk_keeps_no_copy_and_the_log_is_cut_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_from: Path, to: Path) -> None:
        to.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(supervisor.shutil, "copyfile", full)
    log = tmp_path / "orthanc.log"
    log.write_bytes(b"x" * 2000)
    shorten(tmp_path, 1000)
    assert [(each.name, each.stat().st_size) for each in tmp_path.iterdir()] == [("orthanc.log", 0)]


def test_a_log_that_is_no_file_is_let_be(tmp_path: Path) -> None:
    (tmp_path / "gateway-access.log").symlink_to("/dev/null")
    (tmp_path / "folder.log").mkdir()
    shorten(tmp_path, -1)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder.log", "gateway-access.log"]
