"""Has pictures made by processes that are kept warm, ended when one hangs, and started again."""

from __future__ import annotations

import time
from contextlib import ExitStack

import structlog

from readingroom.confined import Pool, Worker, handed
from readingroom.confined.handed import Read
from readingroom.errors import TooManyRequests
from readingroom.settings import Settings
from readingroom.thumbnails import line

log = structlog.get_logger(__name__)

SECONDS = 60.0
"""For one picture, with what a slow NAS takes to give the file; decoding alone is bounded in `process`."""

BYTES_IN_ALL = 1 << 30
"""That are read of one file."""


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
        with ExitStack() as held:
            try:
                worker = held.enter_context(self._pool.worker())
            except OSError as error:
                log.error("no process for pictures can be started", reason=error.strerror)
                raise TooManyRequests("No picture can be made now; try again in a moment.", retry_after=5) from None
            return _asked(worker, size, read, self._seconds)

    def close(self) -> None:
        """End the processes that wait."""
        self._pool.close()


def _asked(worker: Worker, size: int, read: Read, seconds: float) -> bytes:
    worker.is_between = False
    reading = 0.0

    def timed(offset: int, length: int) -> bytes:
        nonlocal reading
        began = time.monotonic()
        try:
            return read(offset, length)
        finally:
            reading += time.monotonic() - began

    try:
        worker.line.settimeout(seconds)
        worker.line.sendall(handed.SIZE.pack(size))
        until = time.monotonic() + seconds
        kind, data = handed.heard(worker, size, timed, until, in_all=BYTES_IN_ALL, largest=line.LARGEST_PICTURE)
    except handed.Overreach:
        raise NotMade("too large") from None
    except TimeoutError:
        log.warning("a picture took too long; its process was ended", seconds=seconds)
        raise NotMade("took too long", is_final=reading < seconds / 2) from None
    except (EOFError, ConnectionError, BrokenPipeError):
        log.warning("a picture ended its process", status=worker.status())
        raise NotMade("cannot be decoded") from None
    return _ending(worker, kind, data)


def _ending(worker: Worker, kind: bytes, data: bytes) -> bytes:
    if kind not in (line.PICTURE, line.NOTHING):
        raise NotMade("cannot be decoded")
    worker.is_between = True
    if kind == line.PICTURE and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data
    raise NotMade(data[:200].decode("ascii", "replace") if kind == line.NOTHING else "cannot be decoded")
