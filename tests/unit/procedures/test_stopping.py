"""A process that is asked to stop hears it wherever it is at that moment, and however often it is asked."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

BEGIN = """
import os, signal, sys, threading, time
from readingroom.procedures import stop_by_signals
stopping = threading.Event()
"""

SECONDS = 60


def outcome(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGIN + script], capture_output=True, text=True, timeout=SECONDS, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_event_is_locked_sets_it_later(number: signal.Signals) -> None:
    said = outcome(f"""
stop_by_signals(stopping, first=lambda number: print(number.name))
with stopping._cond:
    os.kill(os.getpid(), {int(number)})
print(stopping.wait({SECONDS}))
""")
    assert said.stdout.split() == [number.name, "True"], said.stderr


def test_only_the_first_is_told_however_many_come_at_once() -> None:
    said = outcome(f"""
stop_by_signals(stopping, first=lambda number: print(number.name), impatient=True)
for _ in range(1000):
    os.kill(os.getpid(), signal.SIGINT)
print(stopping.wait({SECONDS}))
""")
    assert said.stdout.split() == ["SIGINT", "True"], said.stderr


@pytest.mark.parametrize(("impatient", "status"), [(True, 130), (False, 0)])
def test_a_later_one_leaves_at_once_where_that_was_asked_for(impatient: bool, status: int) -> None:
    said = outcome(f"""
import readingroom.procedures.stopping as of
of.SAME_KEY_SECONDS = 0.05
stop_by_signals(stopping, impatient={impatient})
os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.2)
os.kill(os.getpid(), signal.SIGINT)
""")
    assert said.returncode == status, said.stderr
