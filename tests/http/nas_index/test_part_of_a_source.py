"""Runs over one folder of a source: what is wrong with the folder says nothing of the source, and nothing leaves it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures.nas import Nas
from tests.fixtures.nas_trees import make_tree


def test_a_folder_that_is_not_there_does_not_make_its_source_offline(nas: Nas) -> None:
    make_tree(nas.root, 20, 10)
    nas.indexed()
    status = nas.ended(nas.start(source=str(nas.root), path="no/such"))
    assert (status["state"], status["recent_errors"][0]["error_code"]) == ("failed", "folder_not_found")
    assert status["recent_errors"][0]["suggestion"]
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert (source["online"], source["offline_reason"], source["files"]) == (True, "", 20)


def test_a_folder_of_a_source_that_is_not_mounted_is_an_outage(nas: Nas) -> None:
    make_tree(nas.root, 20, 10)
    nas.indexed()
    below = next(each.name for each in nas.root.iterdir() if each.is_dir())
    shutil.rmtree(nas.root)
    nas.root.mkdir()  # a mount point with nothing mounted
    assert nas.ended(nas.start(source=str(nas.root), path=below))["state"] == "offline"
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert (source["online"], source["files"]) == (False, 20)


def test_no_link_leads_a_run_out_of_its_source(nas: Nas, tmp_path: Path) -> None:
    make_tree(nas.root, 20, 10)
    nas.indexed()
    elsewhere = tmp_path / "elsewhere"
    make_tree(elsewhere, 10, 10)
    (nas.root / "out").symlink_to(elsewhere)
    (nas.root / "in").symlink_to(next(each for each in nas.root.iterdir() if each.is_dir()))
    for path in ("out", "in"):
        status = nas.ended(nas.start(source=str(nas.root), path=path))
        assert (status["state"], status["recent_errors"][0]["error_code"]) == ("failed", "source_forbidden"), path
        assert (status["added"], status["enumerated_files"]) == (0, 0)
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert (source["online"], source["files"]) == (True, 20)


@pytest.mark.parametrize("meant", [False, True])
def test_a_folder_that_lacks_most_of_its_files_is_a_lost_mount_too(nas: Nas, meant: bool) -> None:
    make_tree(nas.root / "one", 30, 10)
    make_tree(nas.root / "two", 100, 10)
    nas.indexed()
    shutil.rmtree(nas.root / "one")
    (nas.root / "one").mkdir()  # it was a mount of its own
    status = nas.indexed(source=str(nas.root), path="one", accept_loss=meant)
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert source["files"] == (100 if meant else 130)
    assert ("accept_loss" in status["message"]) is not meant
