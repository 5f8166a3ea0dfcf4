"""Processes for files of strangers: they start light, end when nobody asks, and say how they ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from readingroom.confined import Pool, Worker, pool
from readingroom.settings import Settings

HANGS_UP = "import os, time; os.close(0); time.sleep(60)"
"""What a process may do that a file has taken over: its parent then hears an end that is none."""


def test_one_that_ended_says_how() -> None:
    worker = Worker([sys.executable, "-c", "raise SystemExit(3)"])
    assert worker.status() == 3
    worker.end()


def test_one_that_hung_up_and_runs_on_is_no_exception_and_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "STATUS_SECONDS", 0.2)
    worker = Worker([sys.executable, "-c", HANGS_UP])
    assert worker.line.recv(1) == b""
    assert worker.status() == -signal.SIGKILL
    assert not worker.lives
    worker.end()


PROCESSES = ["readingroom.frames.process", "readingroom.thumbnails.process"]
HEAVY = {"flask", "sqlalchemy", "structlog", "readingroom.settings", "readingroom.identity"}


@pytest.mark.parametrize("module", PROCESSES)
def test_a_process_starts_without_what_only_the_server_needs(module: str) -> None:
    said = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, env=os.environ)
    assert not HEAVY & set(json.loads(done.stdout))


def test_processes_that_nobody_asks_for_a_while_end_and_the_next_question_starts_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 1.0)
    processes = Pool(Settings.load(READINGROOM_DATA=tmp_path), "this")
    monkeypatch.setattr(processes, "_command", [sys.executable, "-c", "import time; time.sleep(600)"])
    timers, plain = [], pool.threading.Timer
    monkeypatch.setattr(pool.threading, "Timer", lambda *parts: timers.append(parts) or plain(*parts))
    asked = []
    for _ in range(20):
        with processes.worker() as worker:
            asked.append(worker)
    assert len(set(asked)) == 1 and len(timers) == 1  # one process for all, and no timer for each answer
    end = time.monotonic() + 30
    while asked[0].lives and time.monotonic() < end:
        time.sleep(0.05)
    assert not asked[0].lives
    with processes.worker() as worker:
        assert worker is not asked[0] and worker.lives
    processes.close()
    assert not worker.lives
