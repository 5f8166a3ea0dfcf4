"""A process that is asked how it ended says so, and has ended then."""

from __future__ import annotations

import signal
import sys

import pytest
from readingroom.confined import Worker, pool

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
