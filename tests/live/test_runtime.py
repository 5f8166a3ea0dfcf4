"""The runtime: starting, stopping, restarting, standing side by side, and what is left after a kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import requests

from tests import factories
from tests.fixtures.instance import REPO, LiveInstance, NewInstance, running


def test_a_restart_keeps_accounts_sessions_and_images(new_instance: NewInstance, one_ct: bytes) -> None:
    live = new_instance()
    student = live.student
    stored = live.admin.post("/instances", data=one_ct, headers={"Content-Type": "application/dicom"})
    assert stored.status_code == 200, stored.text
    token = student.token()
    live.restart()
    assert live.admin.get(f"/instances/{stored.json()['ID']}/file").content == one_ct
    answer = requests.get(f"{live.url}/api/me", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert answer.status_code == 200, "a token signed before the restart is still good"
    assert answer.json()["user"] == "test-student"


def test_the_first_password_is_made_at_random_shown_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, READINGROOM_ADMIN_PASSWORD="") as live:
        password = (data / "secrets" / "admin_password").read_text().strip()
        assert len(password) >= 16
        assert (data / "secrets" / "admin_password").stat().st_mode & 0o777 == 0o600
        assert (data / "secrets").stat().st_mode & 0o777 == 0o700
        answer = requests.post(f"{live.url}/api/token/", json={"username": "admin", "password": password}, timeout=30)
        assert answer.status_code == 200
        live.stop()
        again = live.script("serve", "--background", "--port", "0", "--dicom-port", "0")
        assert again.returncode == 0, again.stderr
        assert password not in again.stdout + again.stderr
        for log in (data / "logs").iterdir():
            assert password not in log.read_text(errors="replace"), f"the password is in {log.name}"


def test_two_instances_stand_side_by_side(instance: LiveInstance, new_instance: NewInstance) -> None:
    other = new_instance()
    assert other.url != instance.url
    for live in (instance, other):
        assert requests.get(f"{live.url}/health", timeout=30).json()["ok"] is True
    other.stop()
    assert requests.get(f"{instance.url}/health", timeout=30).status_code == 200


@pytest.mark.parametrize("option", ["--port", "--dicom-port"])
def test_a_taken_port_is_refused_with_the_option_that_changes_it(tmp_path: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _serve("--data", str(tmp_path / "data"), "--port", "0", "--dicom-port", "0", option, str(port))
    assert done.returncode == 1
    assert f"Port {port} is taken by another program. Name another one with {option}." in done.stderr


def test_a_folder_in_use_is_refused_with_the_command_that_frees_it(instance: LiveInstance) -> None:
    done = _serve("--data", str(instance.data), "--port", "0", "--dicom-port", "0")
    assert done.returncode == 1
    assert "is in use by a Reading Room that is already running" in done.stderr
    assert f"scripts/stop --data {instance.data}" in done.stderr
    assert requests.get(f"{instance.url}/health", timeout=30).status_code == 200


def test_stop_says_what_it_did_and_may_be_called_again(new_instance: NewInstance) -> None:
    live = new_instance()
    assert f"Stopped Reading Room at {live.url}" in live.stop()
    assert "Nothing is running" in live.stop()
    assert not (live.data / "run" / "instance.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_serve_in_the_foreground_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "data"
    serve = subprocess.Popen(
        [
            sys.executable,
            str(REPO / "scripts" / "serve"),
            "--data",
            str(data),
            "--port",
            "0",
            "--dicom-port",
            "0",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert serve.stdout is not None
    said = list(iter(serve.stdout.readline, "  Ctrl-C stops it.\n"))
    assert any(line.startswith("Reading Room answers at http") for line in said), said
    below = _family(data)
    assert len(below) >= 3, "supervisor, Orthanc and the gateway at least"
    serve.send_signal(number)
    rest, _ = serve.communicate(timeout=180)
    assert serve.returncode == 0, rest
    assert not [pid for pid in below if _lives(pid)]
    assert not (data / "run" / "instance.json").exists()


def test_a_download_under_way_ends_visibly_when_the_instance_stops(new_instance: NewInstance) -> None:
    live = new_instance()
    picture = factories.dicom_bytes(factories.ct(rows=4096, columns=4096))
    stored = live.admin.post("/instances", data=picture, headers={"Content-Type": "application/dicom"})
    with live.admin.get(f"/instances/{stored.json()['ID']}/file", stream=True) as answer:
        pieces = answer.iter_content(65536)
        assert len(next(pieces)) == 65536
        live.stop()  # a slow reader does not hold it up: what has not ended within a minute is killed, and told
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for _ in pieces:
                pass


@pytest.mark.parametrize("who", ["keeper", "supervisor"])
def test_after_a_kill_nothing_is_left_and_the_next_start_works(new_instance: NewInstance, who: str) -> None:
    live = new_instance()
    below = _family(live.data)
    victim = live.pid if who == "keeper" else _supervisor(live.data)
    os.kill(victim, signal.SIGKILL)
    _until(lambda: not [pid for pid in below if _lives(pid)], 180)
    live.start()
    assert requests.get(f"{live.url}/health", timeout=30).status_code == 200


def test_an_orthanc_that_falls_is_started_again_and_that_is_logged(new_instance: NewInstance) -> None:
    live = new_instance()
    (orthanc,) = [pid for pid in _family(live.data) if _command(pid).startswith("Orthanc")]
    os.kill(orthanc, signal.SIGKILL)
    _until(lambda: not _lives(orthanc), 60)
    _until(partial(_healthy, live), 240)
    assert "Orthanc ended with status -9; starting it again" in (live.data / "logs" / "serve.log").read_text()


def test_a_start_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    env = {**os.environ, "READINGROOM_MODALITIES": "this is no JSON"}
    done = _serve("--background", "--data", str(data), "--port", "0", "--dicom-port", "0", env=env)
    assert done.returncode == 1
    assert "READINGROOM_MODALITIES" in done.stderr
    assert not _family(data)


def test_serve_answers_help_without_starting_anything() -> None:
    done = _serve("--help")
    assert done.returncode == 0
    assert "--background" in done.stdout


def _serve(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPO / "scripts" / "serve"), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)


def _healthy(live: LiveInstance) -> bool:
    try:
        return requests.get(f"{live.url}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:.0f} s"
        time.sleep(0.05)


def _family(data: Path) -> list[int]:
    """The processes that name this data folder on their command line, and the gateway's workers below them."""
    named = [pid for pid in _all() if str(data) in _command(pid) and pid != os.getpid()]
    return [*named, *(pid for pid in _all() if _parent(pid) in named and pid not in named)]


def _supervisor(data: Path) -> int:
    (pid,) = [
        each
        for each in _family(data)
        if "scripts.runtime.supervisor" in _command(each) and "leash" not in _command(each)
    ]
    return pid


def _all() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def one_ct() -> bytes:
    """One synthetic CT slice as a file."""
    return factories.dicom_bytes(factories.ct())
