"""A source unplugged in mid-run and plugged in again: nothing is lost, and nobody has to lift a hand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from readingroom.nas_index.nas_config import ConfigFile, NasConfig
from readingroom.nas_index.tables import nas_file, nas_folder, nas_series, nas_source
from sqlalchemy import select

from tests.fixtures.nas import Nas
from tests.fixtures.nas_trees import make_tree, multiply
from tests.fixtures.outages import How, Unpluggable, unpluggable

PATIENCE = 90.0
EVERY_WAY = [
    ("sftp", "killed"), ("sftp", "frozen"), ("smb", "killed"), ("smb", "frozen"), ("mount", "unmounted"),
]  # fmt: skip

FILES = {"sftp": 12_000, "smb": 12_000, "mount": 20_000}
"""Enough for a second or two with one worker, so that the middle of a run can be met."""

WHY_AWAY = {("network", "source_unreachable"), ("filesystem", "source_not_found")}

Row = tuple[str, str, int, str, str]


class Site:
    """One application, and one source that can be unplugged."""

    def __init__(self, nas: Nas, kind: str, source: Unpluggable) -> None:
        self.nas = nas
        self.source = source
        self.files = FILES[kind]
        make_tree(source.root, 1000, 50, junk_of=10_000)
        multiply(source.root, self.files // 1000)
        archive = {
            "name": "archive",
            "timeout": 2,
            "retry_delay": 0.2,
            "max_workers": 1,
            "chunk_size": 32,
            **source.config,
        }
        same = {"name": "same", "type": "local", "path": str(source.root)}
        ConfigFile(nas.settings).write(NasConfig.model_validate({"sources": [archive, same]}))

    def start(self) -> str:
        """Start a run of it."""
        return self.nas.start(source="archive")

    def until(self, run_id: str, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until a run is so."""
        end = time.monotonic() + PATIENCE
        while not true(status := self.nas.status(runId=run_id)):
            assert status["running"], (status, self.nas.log(run_id))
            assert time.monotonic() < end, (status, self.nas.log(run_id))
            time.sleep(0.05)
        return status

    def ended(self, run_id: str) -> dict[str, Any]:
        """Wait for its end."""
        return self.until(run_id, lambda status: not status["running"])

    def in_the_middle(self, run_id: str) -> None:
        """Wait until some files are stored; there must be others left."""
        end = time.monotonic() + PATIENCE
        with self.nas.room.database.read() as connection:
            while not connection.scalar(select(nas_file.c.id).limit(1)):
                assert time.monotonic() < end, self.nas.log(run_id)
                connection.rollback()
                time.sleep(0.01)

    def rows(self, source: str) -> list[Row]:
        """Every file of a source in the catalogue."""
        wanted = select(
            nas_folder.c.path, nas_file.c.name, nas_file.c.size, nas_file.c.sop_instance_uid, nas_series.c.series_key
        )
        joined = nas_file.join(nas_folder, nas_folder.c.id == nas_file.c.folder_id).join(
            nas_source, nas_source.c.id == nas_folder.c.source_id
        )
        with self.nas.room.database.read() as connection:
            found = connection.execute(
                wanted.select_from(joined.outerjoin(nas_series, nas_series.c.id == nas_file.c.series_id))
                .where(nas_source.c.name == source)
                .order_by(nas_folder.c.path, nas_file.c.name)
            )
            return [tuple(row) for row in found]

    def undisturbed(self) -> dict[str, Any]:
        """How a run ends that nothing happens to, of the same files where they really are."""
        return self.nas.indexed(source="same")

    def shown(self) -> dict[str, Any]:
        """The source, as the page of sources shows it."""
        (found,) = (
            each for each in self.nas.staff.get("/api/index/sources").get_json()["items"] if each["name"] == "archive"
        )
        return dict(found)

    def found(self) -> dict[str, Any]:
        """What a search for everybody in that source finds."""
        answer = self.nas.staff.get("/api/search", query_string={"source": "archive"})
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A source of the kind, to be unplugged the way, and as many minutes' patience, as the test asks for."""
    kind, how, minutes = request.param
    with unpluggable(kind, how) as source:
        nas = Nas(tmp_path, "", wait_minutes=minutes)
        try:
            yield Site(nas, kind, source)
        finally:
            nas.room.stop()


def ways(minutes: float, kinds: list[tuple[str, How]]) -> pytest.MarkDecorator:
    """The test runs with a source of each of these kinds; its runs wait so many minutes."""
    return pytest.mark.parametrize(
        "site", [(*each, minutes) for each in kinds], indirect=True, ids=["-".join(each) for each in kinds]
    )


@ways(5, EVERY_WAY)
def test_a_source_unplugged_in_mid_run_and_plugged_in_again_loses_nothing_and_needs_no_hand(site: Site) -> None:
    run_id = site.start()
    site.in_the_middle(run_id)
    site.source.unplug()
    waiting = site.until(run_id, lambda status: status["phase"] == "waiting")
    assert waiting["state"] == "running"
    error = waiting["recent_errors"][0]
    assert (error["error_type"], error["error_code"]) in WHY_AWAY
    assert error["suggestion"]
    assert waiting["message"] == error["message"]
    assert not site.shown()["online"]
    assert site.shown()["offline_reason"] == error["message"]
    found = site.found()
    assert found["total"] > 0
    assert not any(each["source_online"] for each in found["results"])
    time.sleep(2)
    stored = len(site.rows("archive"))
    assert 0 < stored < site.files
    site.source.plug()
    status = site.ended(run_id)
    assert (status["state"], status["added"]) == ("done", site.files), (status, site.nas.log(run_id))
    assert (status["moved"], status["gone"], status["changed"]) == (0, 0, 0)
    assert all(each["file_path"] for each in status["recent_errors"])
    assert site.shown()["online"]
    same = site.undisturbed()
    for figure in ("added", "errors", "enumerated_files", "files_processed", "series_count"):
        assert status[figure] == same[figure], figure
    rows = site.rows("archive")
    assert rows == site.rows("same")
    assert len({row[:2] for row in rows}) == len(rows) == same["enumerated_files"]
    assert site.ended(site.start())["unchanged"] == len(rows)


@ways(0.05, [("sftp", "killed"), ("smb", "killed"), ("smb", "frozen"), ("mount", "unmounted")])
def test_an_outage_that_outlasts_all_patience_ends_the_run_and_the_next_one_goes_on_from_there(site: Site) -> None:
    first = site.start()
    site.in_the_middle(first)
    site.source.unplug()
    status = site.ended(first)
    assert status["state"] == "offline", status
    assert status["recent_errors"][0]["error_code"] == "source_offline"
    assert status["recent_errors"][0]["suggestion"]
    stored = site.rows("archive")
    assert 0 < len(stored) < site.files
    assert site.found()["total"] > 0
    assert site.ended(site.start())["state"] == "offline"  # it is still away
    assert site.rows("archive") == stored
    assert not site.shown()["online"]
    site.source.plug()
    status = site.ended(site.start())
    same = site.undisturbed()
    assert (status["state"], status["unchanged"]) == ("done", len(stored)), status
    assert (status["unchanged"] + status["added"] + status["errors"], status["gone"]) == (same["enumerated_files"], 0)
    assert site.rows("archive") == site.rows("same")
    assert site.shown()["online"]


@ways(5, [("mount", "unmounted"), ("smb", "killed")])
def test_a_second_run_that_loses_sight_of_its_source_takes_nothing_out_of_the_catalogue(site: Site) -> None:
    assert site.ended(site.start())["state"] == "done"
    rows = site.rows("archive")
    for delay in (0.0, 0.15):
        run_id = site.start()
        end = time.monotonic() + PATIENCE
        while "index run begins" not in site.nas.log_so_far(run_id):
            assert time.monotonic() < end, site.nas.log(run_id)
            time.sleep(0.002)
        time.sleep(delay)
        site.source.unplug()
        time.sleep(1)
        site.source.plug()
        status = site.ended(run_id)
        assert (status["gone"], status["moved"], status["added"]) == (0, 0, 0), status
        # On a busy machine the source may be away before the run has looked at it: then whoever started it is told.
        assert status["state"] == "done" or (status["state"], status["enumerated_files"]) == ("offline", 0), status
        assert site.rows("archive") == rows


@ways(5, [("mount", "unmounted"), ("smb", "killed")])
def test_after_a_power_cut_of_both_the_run_goes_on_though_the_source_comes_back_later(site: Site) -> None:
    first = site.start()
    site.in_the_middle(first)
    os.kill(site.nas.worker(first), signal.SIGKILL)
    site.source.unplug()
    site.until(first, lambda status: status["state"] == "interrupted")
    stored = site.rows("archive")
    site.nas.room.start()
    second = site.nas.status(source="archive")["run_id"]
    assert second != first
    waiting = site.until(second, lambda status: status["phase"] == "waiting")
    assert waiting["recent_errors"][0]["suggestion"]
    assert not site.shown()["online"]
    site.source.plug()
    status = site.ended(second)
    assert (status["state"], status["gone"], status["unchanged"]) == ("done", 0, len(stored)), status
    assert status["recent_errors"] == [each for each in status["recent_errors"] if each["file_path"]]
    assert status["added"] + status["unchanged"] + status["errors"] == len(site.rows("archive"))
    assert site.shown()["online"]
