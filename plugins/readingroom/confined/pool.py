"""Starts confined processes, keeps them warm, and ends them: when nobody asks, or in the middle of something."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from readingroom.errors import TooManyRequests

if TYPE_CHECKING:  # the process imports this too, and would start a third later
    from readingroom.settings import Settings

PROCESSES = 2
"""As many pictures at a time: decoding must leave processors to Orthanc."""

WAITING = 12
"""Requests that wait for one: each holds one of Orthanc's 50 threads."""

STATUS_SECONDS = 5.0
"""A process that has hung up is given so long to end by itself."""

IDLE_SECONDS = 120.0
"""Nobody has asked for so long: the processes end."""


class Worker:
    """One process, and our end of its line; `is_between` says that it waits for a question."""

    def __init__(self, command: Sequence[str]) -> None:
        ours, its = socket.socketpair()
        with its:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=its.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # a traceback quotes values of the file
                    env=_environment(),
                    cwd="/",
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        self.line = ours
        self.is_between = True

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def status(self) -> int:
        """How it ended, which it is about to: negative by a signal. One that only hung up, and runs on, is ended."""
        try:
            return self._process.wait(STATUS_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def end(self) -> None:
        """Be done with it."""
        self.line.close()
        with suppress(OSError):
            self._process.kill()
        self._process.wait()


class Pool:
    """Processes of one module, `python -m MODULE ARGUMENTS…`, its standard input a socket. Safe for many threads."""

    def __init__(
        self, settings: Settings, module: str, *arguments: str, processes: int = PROCESSES, waiting: int = WAITING
    ) -> None:
        # -P: no folder that it happens to be started in is a place of modules, and thereby readable.
        self._command = [settings.python or sys.executable, "-P", "-m", module, *arguments]
        self._places = threading.BoundedSemaphore(processes)
        self._waiting = threading.BoundedSemaphore(waiting)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._used_at = 0.0
        self._sweeper: threading.Timer | None = None

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """One for a question and its answer, during which `is_between` is off; left off, it is ended.

        Raises TooManyRequests, and OSError where no process can be started.
        """
        if not self._waiting.acquire(blocking=False):
            raise TooManyRequests("Too many pictures are being made; try again in a moment.", retry_after=2)
        try:
            with self._places:
                worker = self._taken()
                try:
                    yield worker
                finally:
                    if worker.is_between:
                        self._back(worker)
                    else:
                        worker.end()
        finally:
            self._waiting.release()

    def close(self) -> None:
        """End the processes that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
            if self._sweeper is not None:
                self._sweeper.cancel()
                self._sweeper = None
        for worker in idle:
            worker.end()

    def _taken(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.lives:
                    return worker
                worker.end()
        return Worker(self._command)

    def _back(self, worker: Worker) -> None:
        with self._lock:
            self._idle.append(worker)
            self._used_at = time.monotonic()
            if self._sweeper is None:
                self._sweep_in(IDLE_SECONDS)

    def _sweep_in(self, seconds: float) -> None:
        self._sweeper = threading.Timer(seconds, self._swept)
        self._sweeper.daemon = True
        self._sweeper.start()

    def _swept(self) -> None:
        """End the processes, or look again: a timer for each answer would be a thread for each."""
        with self._lock:
            rest = self._used_at + IDLE_SECONDS - time.monotonic()
            if rest > 0:
                self._sweep_in(rest)
                return
        self.close()


def _environment() -> dict[str, str]:
    """What a process is told: no secret of ours, and one thread for numpy."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    here = str(Path(__file__).resolve().parents[2])
    return kept | {"PYTHONPATH": here, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
