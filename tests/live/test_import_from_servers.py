"""Cases from a folder, an SFTP server and an SMB share into a running instance, and out again byte for byte."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.factories import JUNK, bestof_tree, ct_slices, write_tree
from tests.fixtures.instance import REPO, Client, LiveInstance, NewInstance
from tests.fixtures.lossy_line import LossyLine
from tests.fixtures.processes import kill_whole
from tests.fixtures.smbd import Smbd
from tests.fixtures.sshd import Sshd

PATIENCE = 120.0
"""Seconds; a machine with other work needs many of them."""


@dataclass
class Nas:
    """A folder of cases at some server, and what an operator sets to reach it."""

    root: Path
    url: str
    env: dict[str, str] = field(default_factory=dict)


def sftp_nas(sshd: Sshd, port: int = 0) -> Nas:
    """A fresh folder on the SFTP server, reached directly or over a relay at `port`."""
    root = sshd.root / uuid.uuid4().hex
    root.mkdir()
    url = f"sftp://{sshd.user}@{sshd.host}:{port or sshd.port}{root}"
    return Nas(root, url, {"SFTP_PASSWORD": sshd.password, "SFTP_HOST_FINGERPRINT": sshd.host_key_fingerprint})


def smb_nas(smbd: Smbd, port: int = 0) -> Nas:
    """A fresh folder on the SMB server, reached directly or over a relay at `port`."""
    root = smbd.root / uuid.uuid4().hex
    root.mkdir()
    url = f"smb://{smbd.user}@{smbd.host}:{port or smbd.port}/{smbd.share}/{root.name}"
    return Nas(root, url, {"SMB_PASSWORD": smbd.password, "SMB_ENCRYPTION": "required"})


@pytest.fixture(params=["disk", "sftp", "smb"])
def nas(request: pytest.FixtureRequest, tmp_path: Path) -> Nas:
    """A source of each kind."""
    if request.param == "sftp":
        return sftp_nas(request.getfixturevalue("sshd"))
    if request.param == "smb":
        return smb_nas(request.getfixturevalue("smbd"))
    (tmp_path / "nas").mkdir()
    return Nas(tmp_path / "nas", str(tmp_path / "nas"))


def import_cases(
    live: LiveInstance, nas: Nas, *options: str, expect: int = 0
) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """Run scripts/import_cases; its report's run and what it printed."""
    report = live.data.parent / f"report-{uuid.uuid4().hex}.json"
    done = live.script("import_cases", nas.url, "--report", str(report), *options, **nas.env)
    assert done.returncode == expect, done.stdout + done.stderr
    return (json.loads(report.read_text()) if report.exists() else {}), done


def figures(report: Mapping[str, Any]) -> dict[str, int]:
    """The counts of a report that are not zero."""
    names = ("added", "unchanged", "changed", "missing", "not_dicom", "failed")
    return {name: report["run"][name] for name in names if report["run"][name]}


def large_tree(nas: Nas, slices: int, size: int = 512) -> dict[str, bytes]:
    """Two cases of CT slices; `size` 512 makes half a megabyte each."""
    tree = {
        f"CT/{number:04d}/series/IM{index:04d}.dcm": data
        for number in (3, 4)
        for index, data in enumerate(ct_slices(slices, size, size, name=f"case {number}", study=f"study {number}"))
    }
    write_tree(nas.root, tree)
    return tree


def published(admin: Client) -> Iterator[tuple[str, str]]:
    """Every case, published: id and number in four digits."""
    for case in admin.get("/api/bestof/cases?limit=100").json()["items"]:
        answer = admin.put(f"/api/bestof/cases/{case['id']}", json={"published": True})
        assert answer.status_code == 200, answer.text
        yield case["id"], f"{case['caseNumber']:04d}"


def assert_students_get(live: LiveInstance, tree: Mapping[str, bytes]) -> None:
    """What students download of each case is exactly what lies at the source, byte for byte."""
    student = live.student
    got: Counter[tuple[str, str]] = Counter()
    for case_id, number in published(live.admin):
        answer = student.get(f"/api/bestof/dicoms/download?caseId={case_id}")
        assert answer.status_code == 200, answer.text
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            for name in archive.namelist():
                got[number, hashlib.sha256(archive.read(name)).hexdigest()] += 1
    expected = Counter((path.split("/")[1], hashlib.sha256(data).hexdigest()) for path, data in tree.items())
    assert got == expected


def dicoms(tree: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a tree that are DICOM and lie in a case's folder."""
    return {path: data for path, data in tree.items() if path.rpartition("/")[2] not in (*JUNK, "README.txt")}


def test_what_lies_at_the_source_is_what_students_download(new_instance: NewInstance, nas: Nas) -> None:
    tree = bestof_tree(nas.root)
    wanted = dicoms(tree)
    live = new_instance()

    report, done = import_cases(live, nas)
    assert figures(report) == {"added": len(wanted), "not_dicom": len(JUNK)}
    assert report["run"]["source"] == nas.url
    for secret in ("SFTP_PASSWORD", "SMB_PASSWORD"):
        if secret in nas.env:
            assert nas.env[secret] not in done.stdout + done.stderr + json.dumps(report)
    listed = {item["path"] for item in report["items"] if item["outcome"] == "not_dicom"}
    assert listed == {f"CT/0003/{name}" for name in JUNK}
    assert_students_get(live, wanted)

    again, _ = import_cases(live, nas)
    assert figures(again) == {"unchanged": len(wanted), "not_dicom": len(JUNK)}

    changed = "CT/0003/lung/a/b/000.dcm"
    time.sleep(1.1)  # SFTP tells times in whole seconds
    # The same image with another last pixel: same SOPInstanceUID, same size, other bytes.
    wanted[changed] = wanted[changed][:-1] + bytes([wanted[changed][-1] ^ 1])
    (nas.root / changed).write_bytes(wanted[changed])
    (nas.root / "Echo/0012/clip").unlink()
    third, _ = import_cases(live, nas)
    expected = {"changed": 1, "missing": 1, "unchanged": len(wanted) - 2, "not_dicom": len(JUNK)}
    assert figures(third) == expected
    assert_students_get(live, wanted)  # what is missing at the source stays stored


@pytest.mark.parametrize("kind", ["sftp", "smb"])
def test_a_connection_cut_in_mid_file_costs_nothing_but_time(
    new_instance: NewInstance, request: pytest.FixtureRequest, kind: str
) -> None:
    live = new_instance()
    server: Sshd | Smbd = request.getfixturevalue("sshd" if kind == "sftp" else "smbd")
    with LossyLine(server.host, server.port) as line:
        nas = sftp_nas(server, line.port) if isinstance(server, Sshd) else smb_nas(server, line.port)
        tree = large_tree(nas, 30)
        line.cut_after(10_000_000)
        report, _ = import_cases(live, nas)
        assert figures(report) == {"added": len(tree)}
        assert line.connections > 5, "it was cut, and came back"
    assert_students_get(live, tree)


def test_a_server_with_another_host_key_gets_nothing_and_the_import_says_which_key_it_saw(
    instance: LiveInstance, sshd: Sshd, tmp_path: Path
) -> None:
    nas = sftp_nas(sshd)
    bestof_tree(nas.root, junk=False)
    before = instance.admin.get("/statistics").json()["CountInstances"]
    other = tmp_path / "known_hosts"
    other.write_text(sshd.known_hosts_line("rsa").replace(str(sshd.port), "22"))
    for wrong in (
        {"SFTP_HOST_FINGERPRINT": "SHA256:" + "A" * 43},
        {"SFTP_HOST_FINGERPRINT": "", "SFTP_KNOWN_HOSTS": str(other)},
    ):
        refused = Nas(nas.root, nas.url, nas.env | wrong)
        _, done = import_cases(instance, refused, expect=1)
        said = done.stdout + done.stderr
        assert sshd.host_key_fingerprint in said
        assert sshd.password not in said
    assert instance.admin.get("/statistics").json()["CountInstances"] == before


def test_a_wrong_password_and_a_missing_share_end_an_import_with_a_sentence(
    instance: LiveInstance, sshd: Sshd, smbd: Smbd
) -> None:
    bad_login = sftp_nas(sshd)
    bad_login.env["SFTP_PASSWORD"] = "not-the-password"
    _, done = import_cases(instance, bad_login, expect=1)
    assert "does not let reader in" in done.stdout + done.stderr
    assert "not-the-password" not in done.stdout + done.stderr
    no_share = smb_nas(smbd)
    no_share.url = no_share.url.replace("/cases/", "/missing/")
    _, done = import_cases(instance, no_share, expect=1)
    assert "no share 'missing'" in done.stdout + done.stderr


def started_import(live: LiveInstance, nas: Nas) -> subprocess.Popen[bytes]:
    """scripts/import_cases as a process of its own that can be killed, one upload at a time so that it takes long."""
    command = [sys.executable, str(REPO / "scripts" / "import_cases"), nas.url, "--data", str(live.data)]
    # A session of its own: the launcher, and the worker that it starts, can then be killed together.
    return subprocess.Popen(
        [*command, "--workers", "1"],
        env={**os.environ, **nas.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def until_stored(live: LiveInstance, count: int, process: subprocess.Popen[bytes]) -> int:
    """Wait until Orthanc has that many instances and some of them are recorded; how many it then has."""
    admin = live.admin
    end = time.monotonic() + PATIENCE
    while True:
        there = int(admin.get("/statistics").json()["CountInstances"])
        cases = admin.get("/api/bestof/cases").json()["items"]
        if there >= count and any(case["fileCount"] for case in cases):
            return there
        assert process.poll() is None, f"the import ended with {process.returncode} after {there} files"
        assert time.monotonic() < end, f"only {there} of {count} were stored"
        time.sleep(0.05)


def until_back(live: LiveInstance) -> None:
    """Wait until an Orthanc that was killed answers again: a new import waits for it a few seconds only."""
    end = time.monotonic() + PATIENCE
    while live.anonymous.get("/health").status_code != 200:
        assert time.monotonic() < end, "Orthanc did not come back"
        time.sleep(0.1)


def orthanc_pid(live: LiveInstance) -> int:
    """The process id of this instance's Orthanc."""
    (pid,) = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _command(entry)[:1] in (["Orthanc"], ["/usr/sbin/Orthanc"])
        if any(str(live.data) in word for word in _command(entry))
    ]
    return pid


def _command(entry: Path) -> list[str]:
    try:
        return (entry / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []  # it ended


def test_orthanc_killed_in_mid_import_comes_back_and_the_import_ends_whole(
    new_instance: NewInstance, sshd: Sshd
) -> None:
    nas = sftp_nas(sshd)
    tree = large_tree(nas, 120)
    live = new_instance()
    process = started_import(live, nas)
    there = until_stored(live, 20, process)
    os.kill(orthanc_pid(live), signal.SIGKILL)
    assert there < len(tree), "the kill came in the middle"
    assert process.wait(300) == 0
    report, _ = import_cases(live, nas)
    assert figures(report) == {"unchanged": len(tree)}
    assert_students_get(live, tree)


def test_everything_killed_in_mid_import_and_run_again_ends_whole(new_instance: NewInstance, sshd: Sshd) -> None:
    nas = sftp_nas(sshd)
    tree = large_tree(nas, 120)
    live = new_instance()
    process = started_import(live, nas)
    there = until_stored(live, 20, process)
    os.kill(orthanc_pid(live), signal.SIGKILL)
    kill_whole(process)
    assert there < len(tree), "the kill came in the middle"
    until_back(live)
    report, _ = import_cases(live, nas)
    assert set(figures(report)) <= {"added", "unchanged"}
    assert sum(figures(report).values()) == len(tree)
    assert figures(report).get("unchanged", 0) > 0, "what was recorded before the kill is not brought again"
    instances = live.admin.get("/statistics").json()["CountInstances"]
    assert instances == len(tree)
    assert_students_get(live, tree)
    again, _ = import_cases(live, nas)
    assert figures(again) == {"unchanged": len(tree)}


def test_an_admin_imports_from_the_configured_server_and_watches_it(new_instance: NewInstance, sshd: Sshd) -> None:
    nas = sftp_nas(sshd)
    tree = bestof_tree(nas.root, junk=False)
    live = new_instance(IMPORT_SOURCE=nas.url, **nas.env)
    assert live.student.post("/api/bestof/imports", json={}).status_code == 403
    answer = live.admin.post("/api/bestof/imports", json={})
    assert answer.status_code == 202, answer.text
    run = answer.json()["runId"]
    end = time.monotonic() + PATIENCE
    while (state := live.admin.get(f"/api/bestof/imports/{run}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < end, state
        time.sleep(0.2)
    assert state["state"] == "done", state
    assert (state["added"], state["failed"], state["source"]) == (len(tree), 0, nas.url)
    assert sshd.password not in json.dumps(state)
    assert_students_get(live, tree)
    elsewhere = live.admin.post("/api/bestof/imports", json={"source": "/etc"})
    assert elsewhere.status_code == 400
