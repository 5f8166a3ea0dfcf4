"""Has pictures made by processes that are kept warm, ended when one hangs, and started again."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from readingroom.confined import Pool, Worker, receive
from readingroom.settings import Settings
from readingroom.thumbnails import line

log = structlog.get_logger(__name__)

SECONDS = 60.0
"""For one picture, with what a slow NAS takes to give the file; decoding alone is bounded in `process`."""

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
        self._pool = Pool(settings, "readingroom.thumbnails.process")
        self._seconds = seconds

    def make(self, size: int, read: Read) -> bytes:
        """A WebP of a file of that size. Raises NotMade, TooManyRequests, and what `read` raises."""
        with self._pool.worker() as worker:
            return _asked(worker, size, read, self._seconds)

    def close(self) -> None:
        """End the processes that wait."""
        self._pool.close()


def _asked(worker: Worker, size: int, read: Read, seconds: float) -> bytes:
    until = time.monotonic() + seconds
    read_in_all, reading = 0, 0.0
    worker.is_between = False
    try:
        worker.line.settimeout(seconds)
        worker.line.sendall(line.FILE.pack(size))
        while True:
            worker.line.settimeout(max(until - time.monotonic(), 0.001))
            said = line.Said(*line.ANSWER.unpack(receive(worker.line, line.ANSWER.size)))
            if said.kind != line.READ:
                return _ending(worker, said)
            read_in_all += said.length
            fits = 0 < said.length <= line.LARGEST_READ and said.offset + said.length <= size
            if not fits or read_in_all > BYTES_IN_ALL:
                raise NotMade("too large")
            began = time.monotonic()
            data = read(said.offset, said.length)
            reading += time.monotonic() - began
            worker.line.sendall(line.GIVEN.pack(len(data)) + data)
    except TimeoutError:
        log.warning("a picture took too long; its process was ended", seconds=seconds)
        raise NotMade("took too long", is_final=reading < seconds / 2) from None
    except (EOFError, ConnectionError, BrokenPipeError):
        log.warning("a picture ended its process", status=worker.status())
        raise NotMade("cannot be decoded") from None


def _ending(worker: Worker, said: line.Said) -> bytes:
    if said.length > line.LARGEST_PICTURE or said.kind not in (line.PICTURE, line.NOTHING):
        raise NotMade("cannot be decoded")
    data = receive(worker.line, said.length)
    worker.is_between = True
    if said.kind == line.PICTURE and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data
    raise NotMade(data[:200].decode("ascii", "replace") if said.kind == line.NOTHING else "cannot be decoded")
