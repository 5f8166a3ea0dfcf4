"""Has frames decoded and compressed by processes that are kept warm, ended when one hangs, and started again."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from dataclasses import asdict

import structlog

from readingroom.confined import Pool, Worker, handed
from readingroom.confined.handed import Read
from readingroom.frames import line
from readingroom.frames.shape import Shape
from readingroom.manifests import FramePlace
from readingroom.settings import Settings

log = structlog.get_logger(__name__)

SECONDS = 60.0
"""For one frame, with what a slow NAS takes to give the file; decoding alone is bounded in `process`."""

BYTES_IN_ALL = 1 << 30
"""That are read of one file for one frame."""

MOST_PROCESSES = 8

WAITING = 256
"""Threads that wait for a process: our own, never Orthanc's, and streams together have no more under way."""


class NotMade(Exception):
    """There is no frame; the message says why, quoting nothing of the file."""


class NotNow(Exception):
    """No process can be started at the moment: nothing is said of the frame."""


class Maker:
    """Safe for many threads."""

    def __init__(self, settings: Settings, seconds: float = SECONDS) -> None:
        # Half of what there is, but two: decoding must leave processors to Orthanc.
        processes = min(max((os.process_cpu_count() or 2) // 2, 2), MOST_PROCESSES)
        self._pool = Pool(settings, "readingroom.frames.process", processes=processes, waiting=WAITING)
        self._seconds = seconds

    def decode(self, place: FramePlace, shape: Shape, size: int, read: Read) -> bytes:
        """The pixels of a frame of a file of that size, in that shape.

        Raises NotMade, NotNow, TooManyRequests, and what `read` raises.
        """
        about = {"shape": asdict(shape), "number": place.number, "syntax": place.syntax, "parts": place.parts}
        made = self._asked(line.DECODE, size, json.dumps(about).encode(), b"", read, shape.size)
        if len(made) != shape.size:
            raise NotMade("it is not what its header says")
        return made

    def encode(self, pixels: bytes | bytearray, shape: Shape) -> bytes:
        """These greys as lossless JPEG-LS. Raises as `decode` does."""
        return self._asked(line.ENCODE, len(pixels), shape.said(), pixels, _nothing, 2 * len(pixels) + 1024)

    def close(self) -> None:
        """End the processes that wait."""
        self._pool.close()

    def _asked(
        self, kind: bytes, size: int, about: bytes, behind: bytes | bytearray, read: Read, largest: int
    ) -> bytes:
        with ExitStack() as held:
            try:
                worker = held.enter_context(self._pool.worker())
            except OSError as error:
                log.error("no process for frames can be started", reason=error.strerror)
                raise NotNow from None
            return _told(worker, line.QUESTION.pack(kind, size, len(about)) + about, behind, read, size, self._seconds,
                         max(largest, 1024))  # fmt: skip


def _nothing(offset: int, length: int) -> bytes:
    raise NotMade("it asks for a file that it was not given")


def _told(
    worker: Worker, question: bytes, behind: bytes | bytearray, read: Read, size: int, seconds: float, largest: int
) -> bytes:
    worker.is_between = False
    try:
        worker.line.settimeout(seconds)
        worker.line.sendall(question)
        worker.line.sendall(behind)
        until = time.monotonic() + seconds
        kind, data = handed.heard(worker, size, read, until, in_all=BYTES_IN_ALL, largest=largest)
    except handed.Overreach:
        raise NotMade("too large") from None
    except TimeoutError:
        log.warning("a frame took too long; its process was ended", seconds=seconds)
        raise NotMade("took too long") from None
    except (EOFError, ConnectionError, BrokenPipeError):
        log.warning("a frame ended its process", status=worker.status())
        raise NotMade("cannot be decoded") from None
    if kind not in (line.FRAME, line.NOTHING):
        raise NotMade("cannot be decoded")
    worker.is_between = True
    if kind == line.NOTHING:
        raise NotMade(data[:200].decode("ascii", "replace"))
    return data
