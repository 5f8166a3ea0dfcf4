"""Index runs, sources and advice as staff meet them; the runs are real processes on a real folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import time
from typing import Any

from tests.fixtures.nas import PATIENCE, Nas
from tests.fixtures.nas_trees import hostile_files, make_tree, multiply
from tests.fixtures.slowed import Slowed

STATUS_KEYS = {
    "enumerated_files", "files_processed", "series_count", "errors", "running", "paused", "phase",
    "files_per_second", "last_updated", "estimated_completion", "recent_errors",
}  # fmt: skip
ERROR_KEYS = {"error_type", "error_code", "message", "suggestion", "file_path", "timestamp", "retry_count"}


def test_a_run_is_a_process_of_its_own_and_tells_what_it_found(nas: Nas) -> None:
    made = make_tree(nas.root, 300, 30)
    for name, data in hostile_files():
        (nas.root / name).write_bytes(data)
    assert not nas.status()["running"]
    status = nas.indexed()
    assert set(status) >= STATUS_KEYS
    # Of the hostile files the deflated one is good, and the header of the one that is cut in its pixels.
    assert status["added"] == made["files"] + 2
    assert status["series_count"] == made["series"] + 2
    assert status["files_processed"] == status["enumerated_files"]
    assert status["errors"] == len(nas.staff.get(f"/api/index/runs/{status['run_id']}/errors").get_json()["items"])
    assert set(status["recent_errors"][0]) == ERROR_KEYS
    assert {each["error_type"] for each in status["recent_errors"]} == {"dicom"}
    assert all(each["suggestion"] for each in status["recent_errors"])
    assert {"index.run.start", "index.run.finish"} <= set(nas.actions())
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert (source["files"], source["online"], source["last_run"]["state"]) == (made["files"] + 2, True, "done")


def test_a_second_run_touches_only_what_changed(nas: Nas) -> None:
    make_tree(nas.root, 120, 30, junk_of=1000)
    nas.indexed()
    files = sorted(nas.root.rglob("IM*.dcm"))
    files[0].unlink()
    moved = files[1].parent / "moved"
    moved.mkdir()
    files[1].rename(moved / files[1].name)
    files[2].write_bytes(files[2].read_bytes() + b"\0\0")
    status = nas.indexed()
    figures = {name: status[name] for name in ("unchanged", "added", "changed", "moved", "gone")}
    assert figures == {"unchanged": status["enumerated_files"] - 2, "added": 0, "changed": 1, "moved": 1, "gone": 1}


def test_one_run_per_source_at_a_time_pause_resume_and_cancel(nas: Nas) -> None:
    make_tree(nas.root, 60, 30)
    run_id = nas.start(path=str(nas.root))
    refused = nas.staff.post("/api/index/start", json={"path": str(nas.root)})
    assert refused.status_code == 409
    assert refused.get_json()["error"] == "index_running"
    assert refused.get_json()["detail"]["runId"] == run_id
    nas.ended(run_id)
    gone = nas.staff.post("/api/index/pause", json={"runId": run_id})
    assert (gone.status_code, gone.get_json()["error"]) == (409, "conflict")


def test_a_worker_that_is_killed_is_seen_at_once_and_the_next_run_reads_nothing_twice(nas: Nas) -> None:
    make_tree(nas.root, 2000, 100, junk_of=10_000)
    multiply(nas.root, 12)
    run_id = nas.start(path=str(nas.root), workers=1)
    with Slowed(run_id):
        end = time.monotonic() + PATIENCE
        while nas.status(runId=run_id)["added"] == 0:
            assert time.monotonic() < end, nas.status(runId=run_id)
            time.sleep(0.1)
        os.kill(nas.worker(run_id), signal.SIGKILL)
        status = nas.ended(run_id)
    assert status["state"] == "interrupted"
    before = nas.staff.get("/api/index/sources").get_json()["items"][0]["files"]
    resumed = nas.staff.post("/api/index/resume", json={"runId": run_id}).get_json()
    assert resumed["run_id"] != run_id
    again = nas.ended(resumed["run_id"])
    assert again["state"] == "done", again
    assert again["added"] == 12 * 2000 - before
    assert again["unchanged"] >= before


def test_a_source_that_is_gone_is_offline_and_nothing_is_forgotten(nas: Nas) -> None:
    make_tree(nas.root, 60, 30)
    files = nas.indexed()["added"]
    away = nas.root.with_name("unplugged")
    nas.root.rename(away)
    status = nas.ended(nas.start(source=str(nas.root)))
    assert status["state"] == "offline"
    nas.root.mkdir()  # an empty mount point
    status = nas.ended(nas.start(source=str(nas.root)))
    assert status["state"] == "offline"
    assert status["recent_errors"][0]["suggestion"]
    (source,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert (source["online"], source["files"]) == (False, files)
    nas.root.rmdir()
    away.rename(nas.root)
    status = nas.indexed(source=str(nas.root))
    assert status["unchanged"] == status["enumerated_files"]
    assert nas.staff.get("/api/index/sources").get_json()["items"][0]["online"]


def test_a_list_with_unc_paths_is_indexed_through_the_map(nas: Nas) -> None:
    make_tree(nas.root, 40, 20, junk_of=1000)
    paths = [str(path.relative_to(nas.root)).replace("/", "\\") for path in sorted(nas.root.rglob("IM*.dcm"))]
    listed = nas.root / "nas_dicom_files.txt"
    listed.write_bytes("\r\n".join(rf"\\NAS\Images\{path}" for path in [*paths, "gone.dcm"]).encode("utf-16"))
    status = nas.indexed(path=str(listed))
    assert (status["added"], status["errors"]) == (40, 1)
    assert status["recent_errors"][0]["error_code"] == "file_not_found"


def test_the_web_indexes_nothing_outside_the_allowed_roots(nas: Nas) -> None:
    for path in (
        "/etc",
        f"{nas.root}/../data",
        "sftp://reader@nas.example/elsewhere",
        "sftp://evil.example/images",
        "smb://x/y",
    ):
        answer = nas.staff.post("/api/index/start", json={"path": path})
        assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request"), path
    link = nas.root / "out"
    link.symlink_to("/etc")
    assert nas.staff.post("/api/index/start", json={"path": str(link)}).status_code == 400
    assert nas.staff.post("/api/index/start", json={"source": "nobody"}).status_code == 404
    for call in (
        nas.student.post("/api/index/start", json={}),
        nas.student.get("/api/nas/config"),
        nas.student.get("/api/index/status"),
    ):
        assert call.status_code == 403


def test_what_nothing_could_hold_is_refused_and_no_fault_of_ours(nas: Nas) -> None:
    root = str(nas.root)
    wishes: list[dict[str, Any]] = [
        {"source": "~nobody-of-that-name/x"},
        {"path": "/mnt/\0"},
        {"source": "file:///%00"},
        {"source": root, "limit": 1 << 40},
        {"source": root, "limit": 1 << 80},
        {"source": f"{root}/{'x' * 200}"},
    ]
    for wish in wishes:
        assert nas.staff.post("/api/index/start", json=wish).status_code == 400, wish
    assert nas.staff.post("/api/index/start", json={"source": root, "path": "a\0b"}).status_code == 404
    assert nas.staff.post("/api/nas/test", json={"source": "file:///%00"}).status_code == 400
    for query in ("/api/index/runs?offset=", "/api/index/runs?limit=", "/api/series/x?files_offset="):
        assert nas.staff.get(f"{query}{1 << 80}").status_code == 400, query


CONFIG = {
    "enabled": True, "type": "smb", "host": "192.0.2.100", "port": 445, "share": "medical_images",
    "username": "nas_user", "password": "nas_password", "domain": "WORKGROUP", "path": "/dicom", "timeout": 30,
    "retry_attempts": 3, "retry_delay": 5, "connection_pool_size": 5, "enumeration_method": "auto", "max_workers": 8,
    "chunk_size": 50, "performance_mode": "balanced",
}  # fmt: skip


def test_a_configuration_is_kept_and_its_secrets_never_come_out_again(nas: Nas) -> None:
    put = nas.staff.put("/api/nas/config", json=CONFIG)
    assert put.status_code == 200, put.text
    shown = nas.staff.get("/api/nas/config")
    assert "nas_password" not in put.text + shown.text
    (source,) = shown.get_json()["sources"]
    assert source["password"] == "***"
    assert {key: source[key] for key in CONFIG if key != "password"} == {
        k: v for k, v in CONFIG.items() if k != "password"
    }
    place = nas.data / "nas_config.json"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    # Sent back with one change, the secret stays.
    again = nas.staff.put("/api/nas/config", json={"sources": [source | {"max_workers": 16}]})
    assert again.status_code == 200
    assert json.loads(place.read_text())["sources"][0]["password"] == "nas_password"
    # To another host it does not go.
    stolen = nas.staff.put("/api/nas/config", json={"sources": [source | {"host": "evil.example"}]})
    assert stolen.status_code == 400
    assert "nas_password" not in "".join(path.read_text(errors="replace") for path in (nas.data / "logs").glob("*"))
    assert "index.config.write" in nas.actions()


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"type": "ftp"}, "type"),
    ({"max_workers": 0.5}, "max_workers"),
    ({"timeout": -1}, "timeout"),
    ({"host": ""}, "host"),
    ({"path": "../.."}, "path"),
    ({"passwort": "x"}, "passwort"),
    ({"type": "local", "path": "/etc"}, "NAS_ALLOWED_ROOTS"),
    ({"type": "sftp", "username": "", "password": ""}, "user name"),
    ({"type": "sftp", "private_key_path": "/root/.ssh/id"}, "key file"),
]


def test_a_configuration_that_does_not_fit_is_refused_without_repeating_secrets(nas: Nas) -> None:
    for change, told in MISFITS:
        answer = nas.staff.put("/api/nas/config", json=CONFIG | change)
        assert answer.status_code == 400, change
        assert told in answer.get_json()["message"]
        assert "nas_password" not in answer.text
    assert not (nas.data / "nas_config.json").exists()


def test_a_connection_test_tells_what_is_there_or_what_is_wrong(nas: Nas) -> None:
    make_tree(nas.root, 40, 20)
    (nas.root / "empty").mkdir()
    good = nas.staff.post("/api/nas/test", json={"source": str(nas.root)}).get_json()
    assert good["ok"], good
    assert good["files_sampled"] > 0
    assert good["latency_ms"] > 0
    assert good["throughput_mb_s"] > 0
    assert good["encrypted"] is None
    shutil.rmtree(nas.root / "empty")
    wrong = nas.staff.post("/api/nas/test", json={"source": f"{nas.root}/empty"}).get_json()
    assert (wrong["ok"], wrong["error_type"], wrong["error_code"]) == (False, "filesystem", "source_not_found")
    assert wrong["suggestion"]
    config = CONFIG | {"host": "127.0.0.1", "port": 9, "timeout": 2}
    dead = nas.staff.post("/api/nas/test", json={"config": config})
    said = dead.get_json()
    assert (said["ok"], said["error_type"], said["error_code"]) == (False, "network", "source_unreachable"), said
    assert "nas_password" not in dead.text


def test_figures_and_advice_follow_what_was_seen(nas: Nas) -> None:
    (nothing,) = nas.staff.get("/api/nas/suggestions").get_json()["suggestions"]
    assert nothing["title"] == "Configure a source"
    make_tree(nas.root, 40, 20)
    for number in range(12):
        (nas.root / f"cut{number}.dcm").write_bytes(next(nas.root.rglob("IM*.dcm")).read_bytes()[:400])
    nas.staff.put(
        "/api/nas/config", json={"name": "archive", "type": "local", "path": str(nas.root), "max_workers": 100}
    )
    (untested,) = nas.staff.get("/api/nas/suggestions").get_json()["suggestions"]
    assert untested["title"] == "Test archive"
    nas.staff.post("/api/nas/test", json={"source": "archive"})
    nas.indexed(source="archive")
    advice = nas.staff.get("/api/nas/suggestions").get_json()["suggestions"]
    assert ("max_workers", 0) in {(each["setting"], each["value"]) for each in advice}
    assert any("truncated" in each["title"] for each in advice)
    (figures,) = nas.staff.get("/api/nas/metrics").get_json()["sources"]
    assert figures["name"] == "archive"
    assert figures["files"] == 40
    assert figures["latency_ms"] > 0
    assert figures["errors_by_code"]["truncated"] == 12


def test_a_run_that_was_cut_off_goes_on_when_the_instance_starts(nas: Nas) -> None:
    make_tree(nas.root, 1000, 100)
    multiply(nas.root, 8)
    run_id = nas.start()
    os.kill(nas.worker(run_id), signal.SIGKILL)
    assert nas.ended(run_id)["state"] == "interrupted"
    nas.room.start()
    status = nas.ended()
    assert status["run_id"] != run_id
    assert (status["state"], status["series_count"]) == ("done", 10)
