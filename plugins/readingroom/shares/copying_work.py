"""Makes de-identified copies, one after the other; runs in a process of its own (`readingroom.copy_worker`)."""

from __future__ import annotations

import errno
import hashlib
import io
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

import structlog
from pydicom import Dataset, dcmread

from readingroom.clock import Clock
from readingroom.deidentify import Profile, identifying
from readingroom.errors import BadRequest, Conflict, ReadingRoomError, StoredFileBroken
from readingroom.series import FoundSeries, Origins
from readingroom.series.model import FACTS
from readingroom.settings import Settings, kept_secret
from readingroom.shares.copying_places import CopiedFile, CopiedSeries, CopyPlaces, file_name, write
from readingroom.shares.copying_queue import CopyQueue
from readingroom.shares.rules import Link
from readingroom.zipstream import crc32

log = structlog.get_logger(__name__)

RESERVE = 1 << 30
"""Bytes that a copy leaves free on the disk: Orthanc writes to it too."""

LARGEST_FILE = 1 << 30
"""A file is de-identified whole, and takes about four times its size of memory meanwhile."""

WAITS = (1.0, 4.0, 15.0, 40.0)
"""Seconds between tries to read a file: a NAS that is away for a minute ends no copy."""

BEAT_SECONDS = 1.0


class Unwanted(Exception):
    """The link was revoked or ran out meanwhile."""


class CopyWork:
    """Does what links ask for."""

    def __init__(
        self, settings: Settings, queue: CopyQueue, origins: Origins, clock: Clock, stopping: threading.Event
    ) -> None:
        self._secret = kept_secret(settings.data, "deidentify_secret").encode()
        self._places = CopyPlaces(settings.data)
        self._queue = queue
        self._origins = origins
        self._clock = clock
        self._stopping = stopping

    def until_none_waits(self) -> None:
        """Make all copies that wait."""
        while not self._stopping.is_set() and (link := self._queue.take()) is not None:
            self.make(link)

    def make(self, link: Link) -> None:
        """Make one; what goes wrong is told to the link's maker and not raised."""
        try:
            if self._queue.is_hopeless(link):
                raise Conflict("The process that makes the copy died several times at the same file.")
            self._make(link)
        except Unwanted:
            self._places.drop(link.id)
        except InterruptedError:
            log.info("a copy was interrupted; it is gone on with at the next start", share=link.id)
        except Exception as error:
            log.warning("a copy failed", share=link.id, kind=type(error).__name__)
            self._places.drop(link.id)
            self._queue.failed(link, _said(error))
        else:
            log.info("a copy is ready", share=link.id)

    def _make(self, link: Link) -> None:
        done = self._places.series(link.id)
        if done is None:
            found = self._source(link)
            copying = _Copying(link, found, self._places.begin(link.id, found.version))
            self._room(found, copying.folder)
            self._files(copying)
            done = copying.series(int(self._clock.now().timestamp()) * 1_000_000_000)
            self._places.finish(link.id, done, copying.files)
        if not self._queue.ready(link, done.file_count, done.size_bytes):
            raise Unwanted

    def _source(self, link: Link) -> FoundSeries:
        key = link.series_uid or link.series_key
        with suppress(KeyError):
            there = self._origins.find_in("orthanc" if link.origin == "orthanc" else "nas", key)
            if there is not None:
                return there
        found = self._origins.find(key)
        if found is None or found.origin == "copy":
            raise StoredFileBroken("The series is no longer where it was.")
        return found

    def _room(self, found: FoundSeries, folder: Path) -> None:
        there = sum(place.stat().st_size for place in folder.glob("*.dcm"))
        if shutil.disk_usage(folder).free < found.size_bytes - there + RESERVE:
            raise OSError(errno.ENOSPC, "no room")

    def _files(self, copying: _Copying) -> None:
        link, found = copying.link, copying.found
        profile = Profile(self._secret, f"share {link.id}")
        listed = self._origins.files(found)
        if not listed:
            raise StoredFileBroken("The series has no files.")
        told = 0.0
        for index, each in enumerate(listed):
            if self._stopping.is_set():
                raise InterruptedError
            place = copying.folder / file_name(index)
            is_new = not place.exists()
            if is_new:
                if each.size > LARGEST_FILE:
                    raise BadRequest(f"File {index + 1} is too large to be de-identified.")
                original = self._read(found, index, each.size)
                try:
                    data = profile.apply(original).data
                except BadRequest as error:
                    raise BadRequest(f"File {index + 1} of {len(listed)}: {error.message}") from None
            else:  # of an earlier start of this copy: what stands there is whole
                data = place.read_bytes()
            copying.take(data, index, len(listed))
            if is_new:
                write(place, data)
            if time.monotonic() - told >= BEAT_SECONDS:
                told = time.monotonic()
                if not self._queue.beat(link, index + 1, is_progress=is_new):
                    raise Unwanted

    def _read(self, found: FoundSeries, index: int, size: int) -> bytes:
        target = bytearray(size)
        for wait in (*WAITS, None):
            try:
                with self._origins.open(found, index) as file:
                    file.read_into(0, memoryview(target))
                break
            except StoredFileBroken:
                if wait is None:
                    raise
                if self._stopping.wait(wait):
                    raise InterruptedError from None
        return bytes(target)


class _Copying:
    """One copy that is being made."""

    def __init__(self, link: Link, found: FoundSeries, folder: Path) -> None:
        self.link = link
        self.found = found
        self.folder = folder
        self.files: list[CopiedFile] = []
        self._first: Dataset | None = None

    def take(self, data: bytes, index: int, count: int) -> None:
        """Look at a de-identified file before it is kept. Raises Conflict when something is burned into it."""
        header = dcmread(io.BytesIO(data), stop_before_pixels=True)
        flags = identifying(header)
        if flags.burned_in and not self.link.accept_burned_in:
            raise Conflict(
                f"File {index + 1} of {count} says that something is burned into its picture, and that is not taken "
                "out. Look at it, and have the copy made all the same if it names nobody."
            )
        if flags.has_patient_name or flags.has_birth_date:
            raise Conflict(f"File {index + 1} of {count} still names somebody after it was de-identified.")
        if self._first is None:
            self._first = header
        number = str(header.get("InstanceNumber") or "")
        self.files.append(
            CopiedFile(
                len(data), crc32(data, 0), str(header.SOPInstanceUID),
                int(number) if number.removeprefix("-").isdecimal() else None,
            )
        )  # fmt: skip

    def series(self, made_ns: int) -> CopiedSeries:
        """All of it, as its first file tells it."""
        first = self._first or Dataset()
        marks = repr([self.link.id, [(each.size, each.crc32) for each in self.files]])
        return CopiedSeries(
            series_uid=str(first.get("SeriesInstanceUID") or ""),
            study_uid=str(first.get("StudyInstanceUID") or ""),
            facts={keyword: str(first.get(keyword) or "") for keyword in FACTS},
            file_count=len(self.files),
            size_bytes=sum(each.size for each in self.files),
            version=hashlib.sha256(marks.encode()).hexdigest()[:32],
            made_ns=made_ns,
        )


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "There is no room for the copy on the disk."
    if isinstance(error, ReadingRoomError):
        return error.message
    if isinstance(error, MemoryError):
        return "A file is too large to be de-identified."
    return f"The copy broke off ({type(error).__name__}); see logs/share-copy.log."
