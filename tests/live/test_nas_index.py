"""A NAS indexed by a real instance and from the command line: every series, count and name is what pydicom says, and
neither a killed worker nor a killed Orthanc costs a file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from readingroom.sources import printable

from tests.fixtures.instance import REPO, LiveInstance, running
from tests.fixtures.nas_trees import hostile_files, make_tree, multiply, pydicom_samples
from tests.fixtures.processes import children
from tests.fixtures.slowed import Slowed, process_of

PATIENCE = 240.0


class Nas:
    """A folder below what an instance may index."""

    def __init__(self, live: LiveInstance, root: Path) -> None:
        self.live = live
        self.root = root
        root.mkdir()
        self.admin = live.admin

    def start(self, **wish: Any) -> str:
        """Start a run of the whole folder."""
        answer = self.admin.post("/api/index/start", json={"path": str(self.root), **wish})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["runId"])

    def ask(self, what: str, run_id: str) -> dict[str, Any]:
        """Pause, resume or cancel a run; its status then."""
        answer = self.admin.post(f"/api/index/{what}", json={"runId": run_id})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def status(self, run_id: str) -> dict[str, Any]:
        """How far that run is."""
        answer = self.admin.get("/api/index/status", params={"runId": run_id})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def until(self, run_id: str, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until a run is so."""
        end = time.monotonic() + PATIENCE
        while not true(status := self.status(run_id)):
            if time.monotonic() > end:
                pytest.fail(f"not so in {PATIENCE:.0f} s: {status}")  # said whole, where an assertion would cut it
            time.sleep(0.2)
        return status

    def ended(self, run_id: str) -> dict[str, Any]:
        """Wait for its end."""
        return self.until(run_id, lambda status: not status["running"])

    def files(self) -> int:
        """How many files of this folder the catalogue has."""
        items = self.admin.get("/api/index/sources").json()["items"]
        return next((int(each["files"]) for each in items if each["name"] == str(self.root)), 0)

    def series(self) -> dict[str, dict[str, Any]]:
        """Every series of this folder, by its UID."""
        found: dict[str, dict[str, Any]] = {}
        while True:
            answer = self.admin.get(
                "/api/search", params={"source": str(self.root), "limit": 200, "offset": len(found)}
            )
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found.update((each["SeriesInstanceUID"], each) for each in page["results"])
            if len(found) >= page["total"] or not page["results"]:
                assert len(found) == page["total"]
                return found


def pydicom_says(root: Path) -> dict[str, list[Dataset]]:
    """The images below a folder by series, as pydicom reads them."""
    found: dict[str, list[Dataset]] = {}
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.suffix in (".txt", ".jpg", ".db", ".json", ".xml"):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                header = dcmread(path, stop_before_pixels=True, force=True)
                series, image = header.get("SeriesInstanceUID"), header.get("SOPInstanceUID")
                str(header.get("PatientName", ""))
        except Exception:  # what pydicom cannot read is no image
            continue
        if series and image:
            found.setdefault(str(series), []).append(header)
    return found


def orthanc_of(live: LiveInstance) -> int:
    """Orthanc's own process."""
    return next(pid for pid in children(live.pid) if Path(f"/proc/{pid}/comm").read_text().strip() == "Orthanc")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    """An instance for these tests alone: some of them kill its Orthanc."""
    folder = tmp_path_factory.mktemp("nas")
    with running(folder / "data", NAS_ALLOWED_ROOTS=str(folder.parent)) as started:
        yield started


@pytest.fixture
def nas(live: LiveInstance, tmp_path: Path) -> Nas:
    """An empty folder."""
    return Nas(live, tmp_path / "nas")


def mixed_tree(root: Path) -> None:
    """Images in nested folders, everything that pydicom brings along, and what is hostile or no DICOM at all."""
    make_tree(root / "archive", 400, 40)
    for number, sample in enumerate(pydicom_samples()):
        place = root / "samples" / f"{number % 7}" / f"deeper {number % 3}" / f"{number}-{sample.name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(sample.read_bytes())
    (root / "hostile").mkdir()
    for name, data in hostile_files():
        (root / "hostile" / name).write_bytes(data)
    (root / "hostile" / "round").symlink_to(root)


def test_every_series_count_and_name_is_what_pydicom_says(nas: Nas) -> None:
    mixed_tree(nas.root)
    status = nas.ended(nas.start())
    assert status["state"] == "done", status
    said, found = pydicom_says(nas.root), nas.series()
    assert found.keys() == said.keys()
    for series_uid, headers in said.items():
        series = found[series_uid]
        assert series["file_count"] == len(headers), series
        names = Counter(_name(each) for each in headers)
        assert series["PatientName"] in names, (series_uid, names)
        assert series["PatientID"] in {str(each.get("PatientID") or "").strip() for each in headers}
    assert status["added"] == sum(map(len, said.values()))
    assert status["files_processed"] == status["enumerated_files"] == status["added"] + status["errors"]


def test_the_command_line_writes_the_same_without_a_server(nas: Nas, tmp_path: Path) -> None:
    mixed_tree(nas.root)
    listed, out = tmp_path / "nas_dicom_files.txt", tmp_path / "out" / "index.json"
    out.parent.mkdir()
    listed.write_text("\n".join(str(path) for path in sorted(nas.root.rglob("*")) if path.is_file()))
    said = pydicom_says(nas.root)
    for arguments in (["--list", str(listed)], ["--source", str(nas.root)]):
        done = build_index(*arguments, "--out", str(out))
        assert done.returncode == 0, done.stderr
        index = json.loads(out.read_text())
        assert {each["SeriesInstanceUID"]: each["file_count"] for each in index} == {
            uid: len(headers) for uid, headers in said.items()
        }
        assert all(len(each["files"]) == each["file_count"] for each in index)
        assert all(Path(path).is_file() for each in index for path in each["files"])
        status = json.loads((out.parent / "index_status.json").read_text())
        assert (status["running"], status["series_count"]) == (False, len(said))
        assert {each["file_path"] for each in status["recent_errors"]} <= {
            printable(str(path)) for path in nas.root.rglob("*")
        }
    assert sorted(each.name for each in out.parent.iterdir()) == ["index.json", "index_status.json"]


def test_a_sample_of_two_hundred_paths_takes_a_moment(nas: Nas, tmp_path: Path) -> None:
    make_tree(nas.root, 300, 30, junk_of=10_000)
    listed, out = tmp_path / "list.txt", tmp_path / "index_sample.json"
    files = sorted(path for path in nas.root.rglob("IM*"))
    windows = [str(path.relative_to(nas.root)).replace("/", "\\") for path in files]
    listed.write_bytes("\r\n".join(rf"\\NAS\images\{path}" for path in windows).encode("utf-16"))
    done = build_index("--list", str(listed), "--out", str(out), "--limit", "200", "--map", rf"\\nas\images={nas.root}")
    assert done.returncode == 0, done.stderr
    index = json.loads(out.read_text())
    assert sum(each["file_count"] for each in index) == 200
    assert index[0]["files"][0].startswith("\\\\nas\\images\\")
    assert {"SeriesKey", "PatientName", "PatientID", "PatientBirthDate", "StudyDate", "Modality"} <= index[0].keys()


def test_the_command_line_tells_wrong_arguments_and_lost_sources_apart(tmp_path: Path) -> None:
    assert build_index("--help").returncode == 0
    assert build_index("--out", str(tmp_path / "x.json")).returncode == 2
    gone = build_index("--source", str(tmp_path / "not-there"), "--out", str(tmp_path / "x.json"))
    assert gone.returncode == 1
    assert "not there" in gone.stderr
    assert not (tmp_path / "x.json").exists()


def test_a_worker_that_is_killed_is_continued_and_reads_nothing_twice(nas: Nas) -> None:
    make_tree(nas.root, 2000, 100, junk_of=100_000)
    multiply(nas.root, 15)
    run_id = nas.start(workers=1)
    with Slowed(run_id):
        nas.until(run_id, lambda status: status["added"] > 0)
        os.kill(process_of(run_id), signal.SIGKILL)
        assert nas.ended(run_id)["state"] == "interrupted"
    before = nas.files()
    assert 0 < before < 30_000
    again = nas.ended(nas.ask("resume", run_id)["run_id"])
    assert (again["state"], again["added"]) == ("done", 30_000 - before)
    assert nas.files() == 30_000


def test_a_run_goes_on_while_orthanc_is_killed_and_started_again(nas: Nas) -> None:
    make_tree(nas.root, 2000, 100, junk_of=100_000)
    multiply(nas.root, 20)
    run_id = nas.start(workers=1)
    with Slowed(run_id):
        nas.until(run_id, lambda status: status["added"] > 0)
        worker = process_of(run_id)
        os.kill(orthanc_of(nas.live), signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if nas.admin.get("/api/index/status", timeout=5).status_code == 200:
                    break
            except OSError:
                pass  # the gateway itself
            time.sleep(0.2)
        status = nas.status(run_id)
        assert status["state"] == "done" or process_of(run_id) == worker
    status = nas.ended(run_id)
    assert (status["state"], status["added"]) == ("done", 40_000)


def test_a_run_is_paused_resumed_and_cancelled(nas: Nas) -> None:
    make_tree(nas.root, 2000, 100, junk_of=100_000)
    multiply(nas.root, 40)
    run_id = nas.start(workers=1)
    with Slowed(run_id):
        nas.until(run_id, lambda status: status["files_processed"] > 0)
        nas.ask("pause", run_id)
    paused = nas.until(run_id, lambda status: bool(status["paused"]))
    assert (paused["state"], paused["running"]) == ("paused", True)
    # What was under way is stored; then nothing moves.
    resting, before, end = paused["files_processed"], -1, time.monotonic() + PATIENCE
    while resting != before and time.monotonic() < end:
        time.sleep(2)
        before, resting = resting, nas.status(run_id)["files_processed"]
    assert resting == before < 80_000
    nas.ask("resume", run_id)
    nas.until(run_id, lambda status: status["state"] == "running" and not status["paused"])
    nas.ask("cancel", run_id)
    assert nas.ended(run_id)["state"] == "cancelled"
    kept = nas.files()
    assert kept >= resting
    again = nas.ended(nas.start())
    assert (again["state"], again["added"]) == ("done", 80_000 - kept)


def build_index(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator would."""
    return subprocess.run(
        [sys.executable, str(REPO / "scripts" / "build_index"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _name(header: Dataset) -> str:
    return str(header.get("PatientName") or "").strip().rstrip("=")
