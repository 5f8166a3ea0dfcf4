"""Reads the headers of a series, each once: one after the other where files are near, many at a time where far."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from readingroom.errors import PacsUnreachable, ReadingRoomError, StoredFileBroken
from readingroom.headers.errors import HeaderError
from readingroom.headers.window import Read
from readingroom.manifests import tags
from readingroom.manifests.file_header import FileReader
from readingroom.manifests.frames import Frame, Unshown, frames_of
from readingroom.manifests.lookups import Tables
from readingroom.series import FoundSeries, Origins, SeriesFile
from readingroom.series.crew import Crew
from readingroom.zipstream import Reader

log = structlog.get_logger(__name__)

FAR_SECONDS: Final = 0.001
"""A file that takes longer waits for a network: a local one takes a tenth of that."""

TRIED: Final = 4
"""Files that are read before it is told whether they are far."""

AT_ONCE: Final = 16
"""Files of one series that are read at a time, where they are far."""

MAX_FRAMES: Final = 200_000
"""Of one series."""

UNREADABLE: Final = "The file cannot be read."
DAMAGED: Final = "Its header is damaged."


@dataclass(slots=True)
class Looked:
    """What was found in the files of a series, by their index."""

    values: dict[int, bytes] = field(default_factory=dict)
    """Of the header of one file: the first that could be read."""
    frames: dict[int, list[Frame]] = field(default_factory=dict)
    unshown: dict[int, str] = field(default_factory=dict)
    lost: ReadingRoomError | None = None
    """Why files could not be read; those are to be tried again."""


class HeaderCrew:
    """Threads that read headers; safe for many series at a time."""

    def __init__(self) -> None:
        self._crew = Crew("manifest-headers")

    def look(self, origin: Origins, found: FoundSeries, files: Sequence[SeriesFile]) -> Looked:
        """What a viewer must know of each file. Raises PacsUnreachable."""
        work = _Work(origin, found, files)
        return self._crew.run(lambda: work.done_by(self._crew))

    def close(self) -> None:
        """Let the threads go."""
        self._crew.close()


class _Work:
    """The headers of one series on their way."""

    def __init__(self, origin: Origins, found: FoundSeries, files: Sequence[SeriesFile]) -> None:
        self._origin = origin
        self._found = found
        self._files = files
        self._lock = threading.Lock()
        self._next = 0
        self._first: int | None = None
        self._frames = 0
        self._tables = Tables()
        self._failed: BaseException | None = None
        self.looked = Looked()

    def done_by(self, crew: Crew) -> Looked:
        reader, quickest = FileReader(), float("inf")
        for _ in range(TRIED):
            began = time.monotonic()
            self._go_on(reader, 1)
            quickest = min(quickest, time.monotonic() - began)  # on a busy machine any of them may have waited
        others: list[Future[None]] = []
        if quickest > FAR_SECONDS:
            others = [Future[None]() for _ in range(min(AT_ONCE, len(self._files) - TRIED) - 1)]
            for done in others:
                crew.start(partial(self._help, done))
        self._go_on(reader)
        for each in others:
            each.result()
        if self._failed is not None:
            raise self._failed
        return self.looked

    def _help(self, done: Future[None]) -> None:
        self._go_on(FileReader())
        done.set_result(None)

    def _go_on(self, reader: FileReader, most: int | None = None) -> None:
        """Read file after file; what goes wrong beyond a single file ends the work of all."""
        try:
            while most is None or most > 0:
                with self._lock:
                    index = self._next
                    if index >= len(self._files) or self._failed is not None:
                        return
                    self._next += 1
                self._one(reader, index)
                most = None if most is None else most - 1
        except BaseException as error:
            with self._lock:
                self._failed = self._failed or error

    def _one(self, reader: FileReader, index: int) -> None:
        size = self._files[index].size
        try:
            with self._origin.look(self._found, index) as file:
                read = reading(file, size)
                header = reader.read(read, size)
                frames = frames_of(index, header, read, self._tables)
        except Unshown as error:
            self._keep(index, dict(header.values), [], str(error))
        except HeaderError:
            self._keep(index, {}, [], DAMAGED)
        except PacsUnreachable:
            raise
        except ReadingRoomError as error:
            with self._lock:
                self.looked.lost = error
                self.looked.unshown[index] = UNREADABLE
        except Exception as error:  # a file of strangers must not keep the others from being shown
            log.warning("a header could not be taken apart", error=type(error).__name__)
            with self._lock:  # ours may be the mistake: it is not kept
                self.looked.lost = StoredFileBroken("A header could not be read.", detail={"file": index})
                self.looked.unshown[index] = UNREADABLE
        else:
            self._keep(index, dict(header.values), frames, "")

    def _keep(self, index: int, values: dict[int, bytes], frames: list[Frame], why_not: str) -> None:
        looked = self.looked
        with self._lock:
            self._frames += len(frames)
            if self._frames > MAX_FRAMES:
                frames, why_not = [], "The series has too many images."
            if frames:
                looked.frames[index] = frames
            if why_not:
                looked.unshown[index] = why_not
            if values and (self._first is None or index < self._first) and tags.SOP_INSTANCE in values:
                self._first = index
                looked.values = values


def reading(file: Reader, size: int) -> Read:
    """How a header's walk asks an open file of `size` bytes: fewer bytes where it ends."""

    def read(offset: int, length: int) -> bytes:
        target = bytearray(max(min(length, size - offset), 0))
        if target:
            file.read_into(offset, memoryview(target))
        return bytes(target)

    return read
