"""Has headers written as DICOM JSON by confined processes, which are kept warm."""

from __future__ import annotations

from typing import Final

import structlog

from readingroom.confined import Pool, receive
from readingroom.headers.json_line import LARGEST_ANSWER, LARGEST_HEADER, LENGTH
from readingroom.settings import Settings

log = structlog.get_logger(__name__)

SECONDS: Final = 30.0


class NotWritten(Exception):
    """The header cannot be written as JSON; the message quotes nothing of it."""


class JsonWriter:
    """Safe for many threads."""

    def __init__(self, settings: Settings) -> None:
        self._pool = Pool(settings, "readingroom.headers.json_process")

    def write(self, header: bytes) -> bytes:
        """The DICOM JSON of a file's bytes before its pixel data. Raises NotWritten, TooManyRequests."""
        if len(header) > LARGEST_HEADER:
            raise NotWritten("too large")
        with self._pool.worker() as worker:
            worker.is_between = False
            worker.line.settimeout(SECONDS)
            try:
                worker.line.sendall(LENGTH.pack(len(header)) + header)
                (length,) = LENGTH.unpack(receive(worker.line, LENGTH.size))
                if not -1 <= length <= LARGEST_ANSWER:
                    raise NotWritten("too large")
                said = receive(worker.line, length) if length >= 0 else b""
            except (TimeoutError, EOFError, OSError) as error:
                log.warning("a header ended the process that wrote it", error=type(error).__name__)
                raise NotWritten("cannot be read") from None
            worker.is_between = True
        if not said:
            raise NotWritten("cannot be read")
        return said

    def close(self) -> None:
        """End the processes that wait."""
        self._pool.close()
