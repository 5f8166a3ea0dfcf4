"""The ways into the private root: the same command gives the same answer by bubblewrap and by chroot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.runtime import keep, roots, sandbox
from scripts.runtime.ground import Ground
from tests.fixtures.instance import REPO

ANSWERS = {"bwrap": sandbox.bwrap_answer, "chroot": sandbox.chroot_answer}


@pytest.fixture(params=["bwrap", "chroot"])
def ground(request: pytest.FixtureRequest) -> Ground:
    way: str = request.param
    root = roots.root_folder(os.environ.get("READINGROOM_SUITE", "forky"), "test")
    if not (root / keep.WHOLE).exists():
        pytest.skip("there is no private root to go into; scripts/test makes one")
    if said := ANSWERS[way]():
        pytest.skip(f"{way} does not work here: {said}")
    return Ground(way, "forky", root, Path(sys.executable))


def said(ground: Ground, script: str, *, cwd: Path = REPO) -> str:
    """What a shell script prints in there; started as our commands start theirs."""
    command = [sys.executable, "-m", "scripts.runtime.inroot", *ground.arguments(), "sh", "-c", script]
    done = subprocess.run(command, env=keep.module_environment(), cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_orthanc_and_nginx_are_there(ground: Ground) -> None:
    assert "Orthanc" in said(ground, "Orthanc --version | head -1")
    assert said(ground, "command -v nginx")


def test_paths_mean_the_same_inside_and_the_current_folder_stays(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("from outside")
    assert said(ground, "cat 'a file'; echo inside > answer", cwd=tmp_path) == "from outside"
    assert (tmp_path / "answer").read_text() == "inside\n"
    assert said(ground, "pwd", cwd=tmp_path) == str(tmp_path)


def test_the_repository_and_the_root_cannot_be_written_to(ground: Ground) -> None:
    assert said(ground, f"touch '{REPO}/touched' 2>/dev/null || echo refused") == "refused"
    if ground.way == "bwrap":
        assert said(ground, "touch /usr/touched 2>/dev/null || echo refused") == "refused"


def test_a_commands_status_comes_back(ground: Ground) -> None:
    command = [sys.executable, "-m", "scripts.runtime.inroot", *ground.arguments(), "sh", "-c", "exit 7"]
    assert subprocess.run(command, env=keep.module_environment(), check=False).returncode == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_outside_reaches_the_command_inside(ground: Ground, number: signal.Signals) -> None:
    script = f"trap 'echo heard; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"
    command = [sys.executable, "-m", "scripts.runtime.inroot", *ground.arguments(), "sh", "-c", script]
    process = subprocess.Popen(command, env=keep.module_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    assert (rest, process.returncode) == ("heard\n", 9)


def test_when_the_outside_is_killed_the_inside_ends(ground: Ground, tmp_path: Path) -> None:
    script = f"trap 'echo ended > {tmp_path}/ended; exit' TERM; echo ready; while :; do sleep 0.05; done"
    command = [sys.executable, "-m", "scripts.runtime.inroot", *ground.arguments(), "sh", "-c", script]
    process = subprocess.Popen(command, env=keep.module_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    assert process.stdout.read() == "", "its end of the pipe is closed when the last of them is gone"
    assert (tmp_path / "ended").read_text() == "ended\n"
