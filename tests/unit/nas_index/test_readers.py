"""Processes that read headers: what they say arrives whole, and one that no longer makes sense is replaced."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from readingroom.nas_index import readers
from readingroom.nas_index.reader_process import receive, send
from readingroom.nas_index.readers import PLUGINS, ReaderPlan, Readers, ReadersFailed

PATIENCE = 60.0
MANY = 3_000
"""Files in one batch, all broken: what is said of them is more than a pipe holds."""


def test_a_signal_in_the_middle_of_an_answer_cuts_nothing_of_it(tmp_path: Path) -> None:
    names = [f"{n}-{'long' * 20}" for n in range(MANY)]
    for name in names:
        (tmp_path / name).write_bytes(b"no DICOM")
    process = subprocess.Popen(
        [sys.executable, "-m", "readingroom.nas_index.reader_process"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(PLUGINS)},
    )  # fmt: skip
    try:
        assert process.stdin is not None and process.stdout is not None
        send(process.stdin, ReaderPlan(root=str(tmp_path)).begin())
        send(process.stdin, (7, [(name, 8, 1, 0) for name in names]))
        wait_until_full(process.stdout.fileno())
        for sent in (signal.SIGSTOP, signal.SIGCONT):
            time.sleep(0.2)
            os.kill(process.pid, sent)
        number, outcomes, headers = receive(process.stdout)
        assert (number, len(outcomes), headers) == (7, MANY, [])
        send(process.stdin, (8, [(names[0], 8, 1, 0)]))
        assert receive(process.stdout)[0] == 8, "what comes next is in step"
    finally:
        process.kill()
        process.communicate()


def wait_until_full(pipe: int) -> None:
    """Until nothing more goes into a pipe that nobody reads."""
    size = fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
    end = time.monotonic() + PATIENCE
    while struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0] < size:
        assert time.monotonic() < end, "the answer is too short"
        time.sleep(0.01)


@pytest.mark.parametrize(
    "said", [rb"\005\000\000\000xxxxx", rb"\001\000\000\000i", rb"\005\000\000\000(\001\000\000\000"]
)
def test_a_process_that_lives_and_speaks_nonsense_is_ended_and_after_some_the_run_says_why(
    said: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    babbler = tmp_path / "babbler"
    babbler.write_bytes(b"#!/bin/sh\nprintf '" + said + b"'\nexec sleep 600\n")
    babbler.chmod(0o755)
    monkeypatch.setattr(readers, "sys", SimpleNamespace(executable=str(babbler)))
    end = time.monotonic() + PATIENCE
    with Readers(ReaderPlan(root=str(tmp_path), processes=1)) as reading:
        reading.give([("a", 1, 1, 0), ("b", 1, 1, 0)])
        with pytest.raises(ReadersFailed, match="-9"):
            while time.monotonic() < end:
                reading.take(0.1)
