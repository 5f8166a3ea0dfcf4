"""A whole tree, indexed by a real instance and from the command line: what pydicom says, to the last file and name.

It has 6,000 files; READINGROOM_WHOLE_TREE=100000 in the environment makes it 100,000 (some minutes, most of them
pydicom's). What is compared, and what is not, is told in `tests/fixtures/whole_index.py`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from readingroom.sources import printable

from tests.fixtures.instance import REPO, Client, LiveInstance, running
from tests.fixtures.slowed import Slowed
from tests.fixtures.whole_index import FILES, Whole, lay_down

PATIENCE = 120 + FILES / 200

GROWING = ("enumerated_files", "files_processed", "series_count", "errors", "added")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The tree and what pydicom says of it."""
    return lay_down(tmp_path_factory.mktemp("whole") / "nas")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, whole: Whole) -> Iterator[LiveInstance]:
    """An instance that may index it."""
    with running(tmp_path_factory.mktemp("instance") / "data", NAS_ALLOWED_ROOTS=str(whole.root)) as started:
        yield started


def test_an_instance_indexes_what_pydicom_reads_and_tells_how_far_it_is(live: LiveInstance, whole: Whole) -> None:
    admin = live.admin
    answer = admin.post("/api/index/start", json={"path": str(whole.root)})
    assert answer.status_code == 202, answer.text
    run_id = answer.json()["runId"]
    seen = watched(admin, run_id)

    last = seen[-1]
    assert last["state"] == "done", last
    for key in GROWING:
        values = [each[key] for each in seen]
        assert values == sorted(values), key
    between = {each["files_processed"] for each in seen if 0 < each["files_processed"] < last["files_processed"]}
    assert len(between) >= 3, seen
    assert any(each["files_per_second"] > 0 for each in seen[:-1])
    foretold = [each for each in seen if each["estimated_completion"]]
    assert foretold, "no end was foretold"
    for each in foretold:
        left = moment(each["estimated_completion"]) - moment(each["last_updated"])
        assert left.total_seconds() >= 0, each
        # The first figures of a slow start look far ahead.
        assert left.total_seconds() < 3600 or each["files_processed"] < last["files_processed"] / 20, each

    index = catalogued(admin, whole)
    assert whole.differences(index) == []
    assert last["series_count"] == len(index)
    images = sum(len(each["files"]) for each in index)
    assert last["enumerated_files"] == last["files_processed"] == whole.opened == images + last["errors"]
    in_index = {path for each in index for path in each["files"]}
    told = {each["file_path"] for each in errors(admin, run_id)}
    assert {printable(path) for path in whole.undecided} <= in_index | told


def test_a_second_run_finds_nothing_new(live: LiveInstance, whole: Whole) -> None:
    admin = live.admin
    run_id = admin.post("/api/index/start", json={"path": str(whole.root)}).json()["runId"]
    last = watched(admin, run_id, slow=False)[-1]
    assert (last["state"], last["added"], last["changed"], last["gone"], last["moved"]) == ("done", 0, 0, 0, 0), last
    assert last["unchanged"] == whole.opened


def test_the_command_line_writes_the_same_and_its_files_are_whole_at_any_moment(whole: Whole, tmp_path: Path) -> None:
    out, status = tmp_path / "index.json", tmp_path / "index_status.json"
    process = subprocess.Popen([*BUILD_INDEX, "--source", str(whole.root), "--out", str(out), "--quiet"])
    seen: list[dict[str, Any]] = []
    while process.poll() is None:
        if status.exists():
            seen.append(json.loads(status.read_text()))
        if out.exists():
            assert isinstance(json.loads(out.read_text()), list)
        time.sleep(0.01)
    assert process.returncode == 0
    last = json.loads(status.read_text())
    assert not last["running"]
    assert any(each["running"] for each in seen)
    for key in GROWING[:-1]:
        values = [each[key] for each in [*seen, last]]
        assert values == sorted(values), key

    index = json.loads(out.read_text())
    images = sum(len(each["files"]) for each in index)
    assert last["enumerated_files"] == last["files_processed"] == whole.opened == images + last["errors"]
    assert last["series_count"] == len(index)
    for series in index:
        series["files"] = [path.removeprefix(f"{printable(str(whole.root))}/") for path in series["files"]]
    assert whole.differences(index) == []


def test_a_list_with_a_limit_takes_just_so_many(whole: Whole, tmp_path: Path) -> None:
    paths = [path for each in whole.series.values() for path in each.files if "\n" not in path]
    listed, out = tmp_path / "nas_dicom_files.txt", tmp_path / "index_sample.json"
    listed.write_bytes(b"\n".join(os.fsencode(whole.root / path) for path in paths))
    done = build_index("--list", listed, "--out", out, "--limit", "200")
    assert done.returncode == 0, done.stderr
    index = json.loads(out.read_text())
    found = [path for each in index for path in each["files"]]
    assert sorted(found) == sorted(printable(str(whole.root / path)) for path in paths[:200])
    status = json.loads((tmp_path / "index_status.json").read_text())
    assert (status["files_processed"], status["errors"], status["running"]) == (200, 0, False)


def test_index_and_status_have_the_shape_that_was_agreed(whole: Whole, tmp_path: Path) -> None:
    folder = tmp_path / "nas"
    folder.mkdir()
    series = next(each for each in whole.series.values() if len(each.files) > 1)
    for number, path in enumerate(series.files):
        (folder / f"{number}.dcm").write_bytes((whole.root / path).read_bytes())
    (folder / "notes.dcm").write_bytes(b"no DICOM at all")
    out = tmp_path / "index.json"
    assert build_index("--source", folder, "--out", out).returncode == 0
    (entry,) = json.loads(out.read_text())
    for key in (
        "SeriesKey", "PatientName", "PatientID", "PatientBirthDate", "StudyDate", "StudyDescription",
        "SeriesDescription", "SeriesNumber", "Modality", "SeriesInstanceUID", "StudyInstanceUID",
    ):  # fmt: skip
        assert isinstance(entry[key], str), key
    assert re.fullmatch("[0-9a-f]{40}", entry["SeriesKey"])
    assert entry["file_count"] == len(entry["files"]) == len(series.files)
    assert all(isinstance(path, str) and Path(path).is_file() for path in entry["files"])

    status = json.loads((tmp_path / "index_status.json").read_text())
    numbers = ("enumerated_files", "files_processed", "series_count", "errors")
    assert [type(status[key]) for key in numbers] == [int] * 4
    assert (status["running"], status["paused"], status["phase"]) == (False, False, "")
    assert isinstance(status["files_per_second"], float)
    assert moment(status["last_updated"]).tzinfo is not None
    assert status["estimated_completion"] is None
    (error,) = status["recent_errors"]
    assert set(error) == {
        "error_type", "error_code", "message", "suggestion", "file_path", "timestamp", "retry_count"
    }  # fmt: skip
    assert (error["error_type"], error["error_code"], error["retry_count"]) == ("dicom", "not_dicom", 0)
    assert error["file_path"] == str(folder / "notes.dcm")
    assert set(status) == {
        *numbers, "running", "paused", "phase", "files_per_second", "last_updated", "estimated_completion",
        "recent_errors",
    }  # fmt: skip
    assert moment(error["timestamp"]).tzinfo is not None


def test_a_command_that_is_killed_while_it_writes_leaves_the_old_index_whole(whole: Whole, tmp_path: Path) -> None:
    out = tmp_path / "index.json"
    for _ in range(20):
        out.write_text('[{"SeriesKey": "from before"}]\n')
        process = subprocess.Popen([*BUILD_INDEX, "--source", str(whole.root), "--out", str(out), "--quiet"])
        while process.poll() is None and not list(tmp_path.glob(".index.json.*")):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        if list(tmp_path.glob(".index.json.*")):  # killed before it was renamed
            break
    else:
        raise AssertionError("the index was never caught while it was written")
    assert json.loads(out.read_text()) == [{"SeriesKey": "from before"}]
    assert isinstance(json.loads((tmp_path / "index_status.json").read_text()), dict)
    assert build_index("--source", whole.root, "--out", out).returncode == 0
    assert len(json.loads(out.read_text())) >= len(whole.series)


BUILD_INDEX = [sys.executable, str(REPO / "scripts" / "build_index")]


def build_index(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator would."""
    return subprocess.run(
        [*BUILD_INDEX, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def watched(admin: Client, run_id: str, *, slow: bool = True) -> list[dict[str, Any]]:
    """What the status said of a run, again and again until it ended; a small tree slowly until it was seen to move."""
    seen: list[dict[str, Any]] = []
    end = time.monotonic() + PATIENCE
    with Slowed(run_id, rests=0.5) if slow else nullcontext() as slowed:
        while not seen or seen[-1]["running"]:
            if slowed is not None and has_moved(seen):
                slowed.let_go()
            answer = admin.get("/api/index/status", params={"runId": run_id})
            assert answer.status_code == 200, answer.text
            seen.append(answer.json())
            assert time.monotonic() < end, seen[-1]
            time.sleep(0.2)
    return seen


def has_moved(seen: list[dict[str, Any]]) -> bool:
    """An end was foretold, and there were several figures on the way to it."""
    return len({each["files_processed"] for each in seen}) > 5 and any(each["estimated_completion"] for each in seen)


def catalogued(admin: Client, whole: Whole) -> list[dict[str, Any]]:
    """Every series that the catalogue has of the tree, each with the paths of all its files."""
    found: list[dict[str, Any]] = []
    while page := asked(admin, "/api/search", source=str(whole.root), limit=200, offset=len(found))["results"]:
        found += page
    for series in found:
        files: list[str] = []
        while len(files) < series["file_count"]:
            said = asked(admin, f"/api/series/{series['SeriesKey']}", files_offset=len(files))
            assert said["files_total"] == series["file_count"]
            assert said["files"], said
            files += [each["path"] for each in said["files"]]
        series["files"] = files
    return found


def errors(admin: Client, run_id: str) -> list[dict[str, Any]]:
    """Every error of a run."""
    found: list[dict[str, Any]] = []
    while page := asked(admin, f"/api/index/runs/{run_id}/errors", limit=200, offset=len(found))["items"]:
        found += page
    return found


def asked(admin: Client, path: str, **query: Any) -> dict[str, Any]:
    """An answer."""
    answer = admin.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def moment(said: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(said)
