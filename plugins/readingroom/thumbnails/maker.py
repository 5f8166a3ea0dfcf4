"""Has pictures made by processes that are kept warm, ended when one hangs, and started again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from readingroom.errors import TooManyRequests
from readingroom.settings import Settings
from readingroom.thumbnails import line

log = structlog.get_logger(__name__)

PROCESSES = 2
"""Of some 120 MB each; a picture takes one about 30 ms."""

WAITING = 12
"""Requests that wait for one: each holds one of Orthanc's 50 threads."""

SECONDS = 60.0
"""For one picture, with what a slow NAS takes to give the file; decoding alone is bounded in `process`."""

IDLE_SECONDS = 120.0
"""Nobody has asked for so long: the processes end."""

BYTES_IN_ALL = 1 << 30
"""That are read of one file."""

Read = Callable[[int, int], bytes]
"""Bytes of the file, by offset and length; what it raises is raised by `Maker.make`."""


class NotMade(Exception):
    """There is no picture: the message says why, quoting nothing of the file; `is_final`: nor will there be."""

    def __init__(self, why: str, *, is_final: bool = True) -> None:
        super().__init__(why)
        self.is_final = is_final


class Maker:
    """Safe for many threads."""

    def __init__(self, settings: Settings, seconds: float = SECONDS) -> None:
        self._python = settings.python or sys.executable
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(PROCESSES)
        self._waiting = threading.BoundedSemaphore(WAITING)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._sweeper: threading.Timer | None = None

    def make(self, size: int, read: Read) -> bytes:
        """A WebP of a file of that size. Raises NotMade, TooManyRequests, and what `read` raises."""
        if not self._waiting.acquire(blocking=False):
            raise TooManyRequests("Too many pictures are being made; try again in a moment.", retry_after=2)
        try:
            with self._places:
                worker = self._taken()
                try:
                    picture = worker.make(size, read, self._seconds)
                except NotMade:
                    if worker.is_well:
                        self._back(worker)
                    else:
                        worker.end()
                    raise
                except BaseException:
                    worker.end()  # it is in the middle of something
                    raise
                self._back(worker)
                return picture
        finally:
            self._waiting.release()

    def close(self) -> None:
        """End the processes that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
            if self._sweeper is not None:
                self._sweeper.cancel()
        for worker in idle:
            worker.end()

    def _taken(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.lives:
                    return worker
                worker.end()
        return Worker(self._python)

    def _back(self, worker: Worker) -> None:
        with self._lock:
            self._idle.append(worker)
            if self._sweeper is not None:
                self._sweeper.cancel()
            self._sweeper = threading.Timer(IDLE_SECONDS, self.close)
            self._sweeper.daemon = True
            self._sweeper.start()


class Worker:
    """One process."""

    def __init__(self, python: str) -> None:
        ours, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(
                [python, "-m", "readingroom.thumbnails.process"],
                stdin=its.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a traceback quotes values of the header
                env=_environment(),
                start_new_session=True,
            )
        self._socket = ours
        self.is_well = True

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def make(self, size: int, read: Read, seconds: float) -> bytes:
        """See Maker."""
        until = time.monotonic() + seconds
        read_in_all, reading = 0, 0.0
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(line.FILE.pack(size))
            while True:
                self._socket.settimeout(max(until - time.monotonic(), 0.001))
                said = line.Said(*line.ANSWER.unpack(line.receive(self._socket, line.ANSWER.size)))
                if said.kind != line.READ:
                    return self._ending(said)
                read_in_all += said.length
                fits = 0 < said.length <= line.LARGEST_READ and said.offset + said.length <= size
                if not fits or read_in_all > BYTES_IN_ALL:
                    self.is_well = False
                    raise NotMade("too large")
                began = time.monotonic()
                data = read(said.offset, said.length)
                reading += time.monotonic() - began
                self._socket.sendall(line.GIVEN.pack(len(data)) + data)
        except TimeoutError:
            self.is_well = False
            log.warning("a picture took too long; its process was ended", seconds=seconds)
            raise NotMade("took too long", is_final=reading < seconds / 2) from None
        except (EOFError, ConnectionError, BrokenPipeError):
            self.is_well = False
            status = self._process.wait(5)
            log.warning("a picture ended its process", status=status)
            raise NotMade("cannot be decoded") from None

    def _ending(self, said: line.Said) -> bytes:
        if said.length > line.LARGEST_PICTURE or said.kind not in (line.PICTURE, line.NOTHING):
            self.is_well = False
            raise NotMade("cannot be decoded")
        data = line.receive(self._socket, said.length)
        if said.kind == line.PICTURE and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return data
        raise NotMade(data[:200].decode("ascii", "replace") if said.kind == line.NOTHING else "cannot be decoded")

    def end(self) -> None:
        """Be done with it."""
        self._socket.close()
        with suppress(OSError):
            self._process.kill()
        self._process.wait()


def _environment() -> dict[str, str]:
    """What the process is told: no secret of ours, and one thread for numpy."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    here = str(Path(__file__).resolve().parents[2])
    return kept | {"PYTHONPATH": here, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
