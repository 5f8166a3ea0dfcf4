"""A server under watch: started again after a growing pause, given up when it keeps falling, stopped politely."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from scripts.runtime import leash
from scripts.runtime.child import TRIES, Child


def child(command: list[str], log: Path, now: list[float]) -> Child:
    return Child("it", command, os.environ, log, signal.SIGQUIT, 0.5, clock=lambda: now[0])


def test_it_is_started_again_after_a_pause_that_doubles(tmp_path: Path) -> None:
    now = [0.0]
    watched = child(["false"], tmp_path / "log", now)
    watched.start()
    for fall in range(TRIES):
        assert watched.process is not None
        watched.process.wait()
        assert watched.mind(), "it has fallen, and waits"
        now[0] += 2**fall - 0.01
        assert watched.mind()
        assert watched.process is None, "not before its time"
        now[0] += 0.01
        assert watched.mind()
        assert watched.process is not None
    watched.process.wait()
    assert not watched.mind(), "too often"


def test_falls_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    now = [0.0]
    watched = child(["false"], tmp_path / "log", now)
    for _ in range(3 * TRIES):
        watched.start()
        assert watched.process is not None
        watched.process.wait()
        assert watched.mind()
        now[0] += 1000


def test_one_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal,time\nfor n in (3, 15): signal.signal(n, signal.SIG_IGN)\nprint('x', flush=True)\ntime.sleep(60)"
    )
    watched = child([sys.executable, "-c", deaf], tmp_path / "log", [0.0])
    watched.start()
    while not (tmp_path / "log").read_text():
        time.sleep(0.01)
    watched.stop()
    assert watched.process is not None
    assert watched.process.returncode == -signal.SIGKILL


def test_the_end_of_the_leash_ends_the_command() -> None:
    held, word = os.pipe()
    command = [sys.executable, leash.__file__, str(held), "sh", "-c", "echo ready; exec sleep 600"]
    process = subprocess.Popen(command, pass_fds=(held,), stdout=subprocess.PIPE)
    os.close(held)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.close(word)
    assert process.wait(60) == 128 + signal.SIGTERM


def test_a_word_on_the_leash_is_a_signal_and_its_status_comes_back() -> None:
    held, word = os.pipe()
    script = "trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [sys.executable, leash.__file__, str(held), "sh", "-c", script], pass_fds=(held,), stdout=subprocess.PIPE
    )
    os.close(held)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.write(word, b"I")
    assert process.wait(60) == 7
    os.close(word)
