"""Imports into a real Orthanc: every byte comes back, nothing is brought twice, and nothing that dies takes files
with it."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from readingroom.cases.import_cli import application
from readingroom.cases.import_runs import Runs, Wish
from readingroom.clock import SystemClock
from readingroom.db import open_database
from sqlite_utils import Database
from typer.testing import CliRunner

from tests.factories import JUNK, bestof_tree, ct, ct_series, dicom_bytes, mr, write_tree
from tests.fixtures.instance import REPO, Client, LiveInstance, running
from tests.fixtures.processes import children, kill_whole

PATIENCE = 60.0


class Library:
    """A source folder, the instance it is imported into, and what became of it there."""

    numbers = itertools.count(5001)

    def __init__(self, live: LiveInstance, folder: Path) -> None:
        self.live = live
        self.folder = folder
        self.folder.mkdir()
        self.number = next(self.numbers)
        self.orthanc: Client = live.orthanc()
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def case(self) -> str:
        """The folder of this test's own case, below the source."""
        return f"CT/{self.number}"

    def imported(self, *options: str, status: int = 0) -> dict[str, Any]:
        """Import the folder by the command, within this process: that spares each test two interpreters; the report."""
        report = self.folder.with_suffix(".json")
        known = {
            "READINGROOM_DATA": str(self.live.data),
            "READINGROOM_ORTHANC_URL": self.live.orthanc_url,
            "READINGROOM_ORTHANC_STORAGE": str(self.live.data / "orthanc" / "storage"),
        }
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            done = CliRunner().invoke(application, [str(self.folder), "--report", str(report), *options], env=known)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        assert done.exit_code == status, done.output
        said: dict[str, Any] = json.loads(report.read_text())
        said["text"] = done.output
        return said

    def begun(self, *options: str) -> subprocess.Popen[bytes]:
        """Import the folder in a process that a test can kill."""
        script = [sys.executable, str(REPO / "scripts" / "import_cases"), str(self.folder), *options]
        process = subprocess.Popen(
            [*script, "--data", str(self.live.data)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def rows(self) -> dict[str, dict[str, Any]]:
        """What is recorded of files from this source, by their path in it."""
        found = Database(self.live.data / "readingroom.db").query(
            "select f.*, c.case_number from case_file f join clinical_case c on c.id = f.case_id where f.source = ?",
            [str(self.folder)],
        )
        return {f"{row['exam_type']}/{row['case_number']:04d}/{row['relative_path']}": row for row in found}

    def stored(self, row: dict[str, Any]) -> bytes:
        """The bytes that a student would get."""
        place = f"/instances/{row['orthanc_id']}/attachments/{row['attachment']}/data"
        return self.orthanc.get(place).content

    def instances(self) -> int:
        """How many instances Orthanc has, whoever brought them."""
        return int(self.orthanc.get("/statistics").json()["CountInstances"])

    def is_whole(self) -> None:
        """Every DICOM file of the folder is recorded and comes back byte for byte."""
        rows = self.rows()
        for path in sorted(self.folder.rglob("*.dcm")):
            row = rows[str(path.relative_to(self.folder))]
            data = path.read_bytes()
            assert self.stored(row) == data, path
            assert (row["size"], row["crc32"], row["sha256"]) == (
                len(data),
                zlib.crc32(data),
                hashlib.sha256(data).hexdigest(),
            )


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    """An instance for imports alone: some of these tests kill its Orthanc."""
    roots = tmp_path_factory.mktemp("imports")
    with running(roots / "data", IMPORT_ALLOWED_ROOTS=str(roots.parent)) as started:
        yield started


@pytest.fixture
def library(live: LiveInstance, tmp_path: Path) -> Iterator[Library]:
    """An empty source folder and a case number that no other test has; no import outlives the test."""
    library = Library(live, tmp_path / "bestof")
    yield library
    for process in library.processes:
        if process.poll() is None:
            kill_whole(process)


def wait_until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


def orthanc_pid(live: LiveInstance) -> int:
    config = str(live.data / "run" / "orthanc.json").encode()
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if entry.name.isdigit() and command[0].endswith(b"Orthanc") and config in command:
            return int(entry.name)
    raise AssertionError("Orthanc does not run")


def change(path: Path, data: bytes) -> None:
    """Replace a file, with a modification time that differs whatever the disk's resolution."""
    before = path.stat().st_mtime_ns
    path.write_bytes(data)
    os.utime(path, ns=(before + 2_000_000_000, before + 2_000_000_000))


def test_every_file_of_a_real_folder_comes_back_byte_for_byte(library: Library) -> None:
    tree = bestof_tree(library.folder)
    report = library.folder.with_suffix(".json")

    done = library.live.script("import_cases", str(library.folder), "--report", str(report))

    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(report.read_text())

    rows = library.rows()
    junk = {f"CT/0003/{name}" for name in JUNK}
    assert set(rows) == set(tree) - junk - {"MRI/README.txt"}
    for path, row in rows.items():
        assert library.stored(row) == tree[path], path
        assert row["sha256"] == row["source_sha256"] == hashlib.sha256(tree[path]).hexdigest()
        assert row["crc32"] == zlib.crc32(tree[path])
        assert row["size"] == row["source_size"] == len(tree[path])
    outcomes = {item["path"]: item["outcome"] for item in said["items"]}
    assert {path for path, outcome in outcomes.items() if outcome == "not_dicom"} == junk
    assert outcomes["MRI/README.txt"] == "skipped"
    assert said["run"]["added"] == len(rows) and said["run"]["failed"] == 0
    cases = library.live.admin.get("/api/bestof/cases?limit=500").json()["items"]
    files = {case["caseNumber"]: case["fileCount"] for case in cases}
    assert {number: files[number] for number in (1, 2, 3, 12)} == {1: 7, 2: 3, 3: 10, 12: 1}


def test_a_second_import_of_an_unchanged_folder_uploads_nothing(library: Library) -> None:
    ct_series(library.folder / library.case, 20, name=library.case)
    library.imported()
    before = library.orthanc.get("/changes?last").json()["Last"]

    said = library.imported()

    assert (said["run"]["added"], said["run"]["unchanged"]) == (0, 20)
    since = library.orthanc.get(f"/changes?since={before}&limit=1000").json()["Changes"]
    # What lay still for a minute becomes "stable" meanwhile, on a slow machine.
    assert [change for change in since if not change["ChangeType"].startswith("Stable")] == []


def test_an_import_that_is_killed_goes_on_where_it_was(library: Library) -> None:
    ct_series(library.folder / library.case, 400, 128, 128, name=library.case)
    process = library.begun("--workers", "2")
    wait_until(lambda: len(library.rows()) > 20, "the first files are recorded")
    kill_whole(process)
    there = len(library.rows())
    assert there < 400, "it was over before it was killed"

    said = library.imported()

    assert said["run"]["unchanged"] == there
    assert said["run"]["added"] == 400 - there
    library.is_whole()
    runs = library.live.admin.get("/api/bestof/imports?limit=2").json()["items"]
    assert [run["state"] for run in runs] == ["done", "interrupted"]


def test_an_orthanc_that_is_killed_in_mid_import_is_waited_for(library: Library) -> None:
    ct_series(library.folder / library.case, 400, 128, 128, name=library.case)
    process = library.begun("--workers", "2")
    wait_until(lambda: len(library.rows()) > 20, "the first files are recorded")

    os.kill(orthanc_pid(library.live), signal.SIGKILL)

    assert process.wait(PATIENCE + 60) == 0
    library.is_whole()
    assert len(library.rows()) == 400


def test_ctrl_c_ends_an_import_cleanly_and_the_next_one_finishes_it(library: Library) -> None:
    ct_series(library.folder / library.case, 400, 128, 128, name=library.case)
    process = library.begun("--workers", "2")
    wait_until(lambda: len(library.rows()) > 20, "the first files are recorded")
    for pid in [process.pid, *children(process.pid)]:  # a terminal sends it to all of them
        os.kill(pid, signal.SIGINT)

    assert process.wait(PATIENCE) == 130
    run = library.live.admin.get("/api/bestof/imports?limit=1").json()["items"][0]
    assert run["state"] == "cancelled" and run["added"] == len(library.rows())
    library.imported()
    library.is_whole()


def test_a_changed_file_is_replaced_in_its_case_and_what_orthanc_had_stays(library: Library) -> None:
    old, new = (dicom_bytes(ct(library.case, StudyDescription=said)) for said in ("before", "after, and longer"))
    write_tree(library.folder, {f"{library.case}/a.dcm": old})
    library.imported()
    instance = library.rows()[f"{library.case}/a.dcm"]["orthanc_id"]
    change(library.folder / library.case / "a.dcm", new)

    said = library.imported()

    row = library.rows()[f"{library.case}/a.dcm"]
    assert said["run"]["changed"] == 1
    assert row["orthanc_id"] == instance and int(row["attachment"]) >= 1024
    assert library.stored(row) == new
    assert library.orthanc.get(f"/instances/{instance}/file").content == old
    assert library.imported()["run"]["unchanged"] == 1


def test_one_sop_instance_uid_with_other_bytes_in_two_cases_gives_each_its_own(library: Library) -> None:
    other = next(Library.numbers)
    tree = {
        f"{library.case}/a.dcm": dicom_bytes(ct(library.case, StudyDescription="of the one")),
        f"{library.case}/b.dcm": dicom_bytes(ct(library.case, StudyDescription="of the other")),
        f"MRI/{other}/a.dcm": dicom_bytes(ct(library.case, StudyDescription="of a third")),
        f"MRI/{other}/same.dcm": dicom_bytes(ct(library.case, StudyDescription="of the one")),
    }
    write_tree(library.folder, tree)

    library.imported()

    rows = library.rows()
    assert {path: library.stored(row) for path, row in rows.items()} == tree
    assert len({row["orthanc_id"] for row in rows.values()}) == 1


def test_bytes_that_a_modality_sent_before_are_not_touched(library: Library) -> None:
    sent = dicom_bytes(ct(library.case, StudyDescription="from the scanner"))
    answer = library.orthanc.post("/instances", data=sent).json()
    mine = dicom_bytes(ct(library.case, StudyDescription="from the NAS"))
    write_tree(library.folder, {f"{library.case}/a.dcm": mine})

    library.imported()

    assert library.orthanc.get(f"/instances/{answer['ID']}/file").content == sent
    assert library.stored(library.rows()[f"{library.case}/a.dcm"]) == mine


def test_a_touched_file_is_read_again_and_found_unchanged(library: Library) -> None:
    ct_series(library.folder / library.case, 3, name=library.case)
    library.imported()
    touched = library.folder / library.case / "IM00002.dcm"
    change(touched, touched.read_bytes())

    assert library.imported()["run"]["unchanged"] == 3
    assert library.rows()[f"{library.case}/IM00002.dcm"]["source_mtime_ns"] == touched.stat().st_mtime_ns


def test_files_gone_from_the_source_are_marked_and_stay_stored(library: Library) -> None:
    files = ct_series(library.folder / library.case, 30, name=library.case)
    library.imported()
    gone = files[4]
    data = gone.read_bytes()
    gone.unlink()

    said = library.imported()

    row = library.rows()[f"{library.case}/IM00005.dcm"]
    assert said["run"]["missing"] == 1 and row["missing_at_source"]
    assert library.stored(row) == data
    gone.write_bytes(data)
    library.imported()
    assert not library.rows()[f"{library.case}/IM00005.dcm"]["missing_at_source"]


@pytest.mark.parametrize("how", ["an empty folder", "half of it", "no folder at all"])
def test_a_lost_mount_is_no_deletion(library: Library, how: str) -> None:
    files = ct_series(library.folder / library.case, 30, name=library.case)
    library.imported()
    if how == "half of it":
        for file in files[:16]:
            file.unlink()
    else:
        shutil.rmtree(library.folder)
        if how == "an empty folder":
            library.folder.mkdir()

    said = library.imported(status=1)

    assert said["run"]["state"] == "failed" and said["run"]["missing"] == 0
    if how != "no folder at all":
        assert "lost mount" in said["run"]["message"]
    assert not any(row["missing_at_source"] for row in library.rows().values())
    if how == "half of it":
        assert library.imported("--missing-is-meant")["run"]["missing"] == 16


def test_instances_that_somebody_deleted_from_orthanc_are_brought_again(library: Library) -> None:
    ct_series(library.folder / library.case, 5, name=library.case)
    library.imported()
    victim = library.rows()[f"{library.case}/IM00003.dcm"]
    library.orthanc.delete(f"/instances/{victim['orthanc_id']}")

    said = library.imported()

    assert (said["run"]["added"], said["run"]["unchanged"]) == (1, 4)
    assert [item["reason"] for item in said["items"]] == ["was no longer in Orthanc"]
    library.is_whole()


def test_verify_finds_and_repairs_what_was_damaged_in_storage(library: Library) -> None:
    ct_series(library.folder / library.case, 5, name=library.case)
    library.imported()
    victim = library.rows()[f"{library.case}/IM00003.dcm"]
    uuid = library.orthanc.get(f"/instances/{victim['orthanc_id']}/attachments/dicom/info").json()["Uuid"]
    place = library.live.data / "orthanc" / "storage" / uuid[:2] / uuid[2:4] / uuid
    damaged = bytearray(place.read_bytes())
    damaged[-10] ^= 0xFF
    place.write_bytes(damaged)
    assert library.imported()["run"]["unchanged"] == 5

    said = library.imported("--verify")

    assert (said["run"]["added"], said["run"]["unchanged"]) == (1, 4)
    library.is_whole()


def test_a_dry_run_says_everything_and_stores_nothing(library: Library) -> None:
    ct_series(library.folder / library.case, 3, name=library.case)
    write_tree(library.folder, {f"{library.case}/{name}": data for name, data in JUNK.items()})
    before = library.instances()

    said = library.imported("--dry-run")

    assert (said["run"]["added"], said["run"]["not_dicom"]) == (3, len(JUNK))
    assert "What an import would do" in said["text"]
    assert library.rows() == {} and library.instances() == before
    cases = library.live.admin.get(f"/api/bestof/cases?q={library.number}").json()
    assert cases["total"] == 0


def test_a_file_that_is_cut_short_is_reported_and_the_others_come_in(library: Library) -> None:
    whole = dicom_bytes(mr(library.case))
    tree = {f"{library.case}/good.dcm": whole, f"{library.case}/cut.dcm": whole[:-100]}
    write_tree(library.folder, tree)

    said = library.imported(status=1)

    assert set(library.rows()) == {f"{library.case}/good.dcm"}
    [item] = [item for item in said["items"] if item["outcome"] == "failed"]
    assert item["path"] == f"{library.case}/cut.dcm" and "cut short" in item["reason"]
    assert "cut.dcm" in said["text"]


def test_folders_that_do_not_fit_are_told_once_and_harm_nothing(library: Library) -> None:
    data = dicom_bytes(mr(library.case))
    odd = ["CT/12/a.dcm", "CT/00012/a.dcm", "CT/0000/a.dcm", "CT/old/a.dcm", "CT/old/b.dcm", "@eaDir/0001/a", "top.dcm"]
    write_tree(library.folder, dict.fromkeys(odd, data) | {f"{library.case}/deep/er/a.dcm": data})

    said = library.imported()

    assert set(library.rows()) == {f"{library.case}/deep/er/a.dcm"}
    told = {item["path"]: item["reason"] for item in said["items"] if item["outcome"] == "skipped"}
    assert set(told) == {"CT/12/", "CT/00012/", "CT/0000/", "CT/old/", "@eaDir/", "top.dcm"}
    assert "(2 files)" in told["CT/old/"] and "0012/" in told["CT/00012/"]


def test_a_withdrawn_case_is_left_alone(library: Library) -> None:
    ct_series(library.folder / library.case, 2, name=library.case)
    library.imported()
    admin = library.live.admin
    [case] = admin.get(f"/api/bestof/cases?q={library.number}").json()["items"]
    assert admin.delete(f"/api/bestof/cases/{case['id']}").ok
    ct_series(library.folder / library.case / "more", 2, name=f"{library.case} more")

    said = library.imported()

    assert [(i["path"], i["outcome"]) for i in said["items"]] == [(f"{library.case}/", "skipped")]
    assert "withdrawn" in said["items"][0]["reason"] and len(library.rows()) == 2


def test_a_new_exam_type_folder_makes_the_exam_type(library: Library) -> None:
    write_tree(library.folder, {f"PET-CT/{library.number}/a.dcm": dicom_bytes(mr(library.case))})

    library.imported()

    types = library.live.admin.get("/api/bestof/exam-types").json()["items"]
    assert "PET-CT" in [each["name"] for each in types]


def test_a_de_identified_case_stays_so_and_is_not_brought_twice(library: Library) -> None:
    named = {"PatientName": "Roe^Richard", "PatientID": "MRN-77", "PatientBirthDate": "19500101"}
    tree = {f"{library.case}/{n}.dcm": dicom_bytes(ct(library.case, n, **named)) for n in range(3)}
    write_tree(library.folder, tree)

    library.imported("--deidentify")

    rows = library.rows()
    for path, row in rows.items():
        data = library.stored(row)
        assert b"Roe^Richard" not in data and b"MRN-77" not in data
        assert row["sha256"] != row["source_sha256"] == hashlib.sha256(tree[path]).hexdigest()
        assert not row["has_patient_name"] and not row["has_birth_date"]
    assert len({row["study_instance_uid"] for row in rows.values()}) == 1
    assert library.imported("--deidentify")["run"]["unchanged"] == 3
    write_tree(library.folder, {f"{library.case}/3.dcm": dicom_bytes(ct(library.case, 3, **named))})
    assert library.imported()["run"]["added"] == 1, "without the option, too"
    late = library.rows()[f"{library.case}/3.dcm"]
    assert b"Roe^Richard" not in library.stored(late)
    assert late["study_instance_uid"] == rows[f"{library.case}/0.dcm"]["study_instance_uid"]


def test_a_case_brought_as_it_was_can_be_de_identified_later(library: Library) -> None:
    write_tree(library.folder, {f"{library.case}/a.dcm": dicom_bytes(ct(library.case, PatientName="Roe^Richard"))})
    library.imported()
    assert library.rows()[f"{library.case}/a.dcm"]["has_patient_name"]

    said = library.imported("--deidentify")

    assert said["run"]["changed"] == 1
    assert not library.rows()[f"{library.case}/a.dcm"]["has_patient_name"]


def test_only_the_cases_that_were_named_are_touched(library: Library) -> None:
    other = next(Library.numbers)
    ct_series(library.folder / library.case, 2, name=library.case)
    ct_series(library.folder / f"CT/{other}", 2, name=f"CT/{other}")

    library.imported("--case", str(other))

    assert {row["case_number"] for row in library.rows().values()} == {other}


def test_the_web_starts_watches_and_reads_an_import(library: Library) -> None:
    ct_series(library.folder / library.case, 10, name=library.case)
    write_tree(library.folder, {f"{library.case}/notes.txt": b"call back"})
    admin = library.live.admin

    begun = admin.post("/api/bestof/imports", json={"source": str(library.folder)})
    assert begun.status_code == 202, begun.text
    place = f"/api/bestof/imports/{begun.json()['runId']}"
    wait_until(lambda: admin.get(place).json()["state"] not in ("queued", "running"), "the import ends")

    run = admin.get(place).json()
    assert (run["state"], run["added"], run["notDicom"], run["startedBy"]) == ("done", 10, 1, "admin"), run
    items = admin.get(f"{place}/items?outcome=not_dicom").json()
    assert items["total"] == 1 and items["items"][0]["path"] == f"{library.case}/notes.txt"
    library.is_whole()


def test_the_web_cancels_an_import_and_refuses_a_second_of_the_same_source(library: Library) -> None:
    ct_series(library.folder / library.case, 600, 128, 128, name=library.case)
    admin = library.live.admin
    wish = {"source": str(library.folder), "workers": 1}
    run_id = admin.post("/api/bestof/imports", json=wish).json()["runId"]
    wait_until(library.rows, "the first files are recorded")

    again = admin.post("/api/bestof/imports", json=wish)
    assert (again.status_code, again.json()["error"]) == (409, "import_running")
    assert admin.post(f"/api/bestof/imports/{run_id}/cancel").ok
    wait_until(lambda: admin.get(f"/api/bestof/imports/{run_id}").json()["finishedAt"], "the import ends")

    run = admin.get(f"/api/bestof/imports/{run_id}").json()
    assert run["state"] == "cancelled" and 0 < run["added"] < 600
    assert len(library.rows()) == run["added"]


def test_the_command_is_refused_while_its_source_is_imported(library: Library) -> None:
    runs = Runs(open_database(f"sqlite:///{library.live.data / 'readingroom.db'}"), SystemClock(), library.folder)
    run_id = runs.begin(Wish(str(library.folder)), "somebody else")

    done = library.live.script("import_cases", str(library.folder))

    assert done.returncode == 1 and "already" in done.stderr
    runs.cancel(run_id)
    assert library.live.script("import_cases", str(library.folder)).returncode == 0


def test_the_command_explains_itself_and_tells_wrong_arguments_apart(live: LiveInstance) -> None:
    told = live.script("import_cases", "--help")
    assert told.returncode == 0
    for word in ("--dry-run", "--deidentify", "--workers", "--report", "--case", "--data", "sftp://", "smb://"):
        assert word in told.stdout, word
    assert live.script("import_cases", "--workers", "many").returncode == 2
    assert live.script("import_cases", "ftp://nowhere/x").returncode == 2
    nothing = live.script("import_cases")
    assert nothing.returncode == 2 and "IMPORT_SOURCE" in nothing.stderr


def test_an_import_into_an_instance_that_does_not_run_says_so(tmp_path: Path, library: Library) -> None:
    ct_series(library.folder / library.case, 1, name=library.case)
    silent = LiveInstance(tmp_path / "nothing", [], {})
    done = silent.script("import_cases", str(library.folder))
    assert done.returncode == 1
    assert "scripts/serve" in done.stdout + done.stderr
