"""Runs one command inside the sandbox at the end of a leash: a pipe over which the outside says when to stop.

Signals do not cross a sandbox by themselves, and an outside that dies cannot send any. So the outside writes
a signal's initial on the pipe, and the pipe's end, however it comes, means SIGTERM, then SIGKILL after
`PATIENCE` seconds.
Called as a script: `leash.py FD COMMAND…`.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

PATIENCE = 60.0
"""Longer than the supervisor's own patience with Orthanc, which writes its index when it ends."""

WORDS = {b"I": signal.SIGINT, b"T": signal.SIGTERM, b"K": signal.SIGKILL}


def main(argv: list[str]) -> int:
    """Run argv[1:] until it ends by itself or by the leash; its exit status, 128 + n after signal n."""
    leash = int(argv[0])
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, lambda *_: None)
    os.set_inheritable(leash, False)
    # Without the leash, and with signals as they were before this file took them.
    process = subprocess.Popen(argv[1:])
    deadline = float("inf")
    watched = [leash, wake_read]
    while (status := process.poll()) is None:
        timeout = None if deadline == float("inf") else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select(watched, [], [], timeout)
        if wake_read in ready:
            _drain(wake_read)
        if leash in ready:
            words = os.read(leash, 64)
            for word in words:
                process.send_signal(WORDS.get(bytes([word]), signal.SIGTERM))
            if not words:
                watched.remove(leash)
                process.terminate()
                deadline = time.monotonic() + PATIENCE
        if time.monotonic() >= deadline:
            process.kill()
    return status if status >= 0 else 128 - status


def _drain(pipe: int) -> None:
    try:
        while os.read(pipe, 512):
            pass
    except BlockingIOError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
