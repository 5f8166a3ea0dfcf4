"""One server that the supervisor keeps: started, watched, started again a few times, stopped politely."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from scripts.runtime.say import say

TRIES = 5
"""Restarts within `WINDOW` seconds; a server that falls more often has a fault that starting it again will not mend."""

WINDOW = 600.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass
class Child:
    """A server program and what became of it."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    log: Path
    polite: int
    """The signal that asks it to finish what it is doing."""
    patience: float
    """Seconds that it gets for that, before SIGTERM and then SIGKILL."""
    clock: Callable[[], float] = time.monotonic
    process: subprocess.Popen[bytes] | None = None
    falls: deque[float] = field(default_factory=deque)
    due: float = 0.0

    def start(self) -> None:
        """Start it; its output is appended to its log."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=partial(end_with_parent, os.getpid()),  # noqa: PLW1509  # it has no threads
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether it lives at this moment."""
        return self.process is not None and self.process.poll() is None

    def mind(self) -> bool:
        """Start it again when it fell, after a growing pause; False when it has fallen too often."""
        if self.running:
            return True
        now = self.clock()
        if self.process is not None:
            status = self.process.returncode
            self.process = None
            while self.falls and now - self.falls[0] > WINDOW:
                self.falls.popleft()
            self.falls.append(now)
            if len(self.falls) > TRIES:
                say(
                    f"{self.name} ended with status {status} for the {len(self.falls)}th time; giving up. "
                    f"See {self.log}"
                )
                return False
            pause = float(2 ** (len(self.falls) - 1))
            self.due = now + pause
            say(f"{self.name} ended with status {status}; starting it again in {pause:.0f} s. See {self.log}")
        if now >= self.due:
            self.start()
        return True

    def ask_to_stop(self) -> None:
        """Send the polite signal, without waiting."""
        if self.process and self.running:
            self.process.send_signal(self.polite)

    def stop(self) -> None:
        """Stop it: politely, then by SIGTERM, then by SIGKILL."""
        if not self.process:
            return
        self.ask_to_stop()
        for number, seconds in ((signal.SIGTERM, self.patience), (signal.SIGKILL, 5.0)):
            try:
                self.process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                self.process.send_signal(number)
        self.process.wait()


def end_with_parent(parent: int) -> None:
    """Between fork and exec: ask the kernel for SIGTERM when the supervisor dies, so that it leaves no orphans."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)  # it died before we asked
