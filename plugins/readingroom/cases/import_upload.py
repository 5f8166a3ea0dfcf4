"""Brings one file into Orthanc so that its own bytes can be given out again, whatever Orthanc already had."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from isal import isal_zlib

from readingroom.cases.import_header import Header, NotDicom, read_header, recognise
from readingroom.cases.import_patience import is_fault, is_refusal
from readingroom.cases.import_presence import read_back
from readingroom.cases.import_spool import Task
from readingroom.deidentify import Deidentified, Replacement
from readingroom.downloads import StoredFiles
from readingroom.errors import (
    PacsError,
    PacsNotFound,
    PacsUnreachable,
    ReadingRoomError,
    SourceError,
    SourceRefused,
    SourceUnreachable,
)
from readingroom.pacs import Pacs, StoredInstance, get_json, store
from readingroom.sources.source import Source

Outcome = Literal["added", "changed", "unchanged", "not_dicom", "failed"]

BYTES_IN_FLIGHT = 256 * 1024 * 1024
"""What all uploads together hold in memory; a single larger file goes alone."""

PEEK = 64 * 1024
"""So much of a file tells whether it is DICOM; a dry run reads no more."""

OWN_ATTACHMENTS = range(1024, 65536)
"""Orthanc leaves these attachment types to its users (REST API, user-defined attachments)."""


class Deidentifier(Protocol):
    """Takes what identifies a patient out of a file, the same way for all files of one case."""

    def file(self, case_number: int, data: bytes) -> Deidentified:
        """The file without identity, and what was replaced; raises BadRequest where it cannot be done."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a file's bytes are now, and what they are."""

    header: Header
    size: int
    crc32: int
    sha256: str
    source_sha256: str
    orthanc_id: str
    attachment: str
    replacements: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of one task."""

    task: Task
    outcome: Outcome
    reason: str = ""
    stored: Stored | None = None
    orthanc_fault: bool = False
    """Orthanc failed by itself (a status of 500 and up), not because of this file."""


class ByteBudget:
    """Lets so many bytes be in memory at a time; whoever would go beyond waits."""

    def __init__(self, limit: int = BYTES_IN_FLIGHT) -> None:
        self._limit = limit
        self._used = 0
        self._freed = threading.Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Have `size` bytes of the budget; more than all of it means: alone."""
        with self._freed:
            self._freed.wait_for(lambda: self._used == 0 or self._used + size <= self._limit)
            self._used += size
        try:
            yield
        finally:
            with self._freed:
                self._used -= size
                self._freed.notify_all()


class Uploader:
    """Reads files from the source and stores them; one object serves all upload threads.

    Raises PacsUnreachable, SourceUnreachable and SourceRefused, which concern every file alike;
    what concerns one file is told in its `Brought`.
    """

    def __init__(
        self,
        source: Source,
        pacs: Pacs,
        stored: StoredFiles,
        deidentifier: Deidentifier,
        *,
        uploads: int,
        always_check: bool = False,
    ) -> None:
        self._source = source
        self._pacs = pacs
        self._stored = stored
        self._deidentifier = deidentifier
        self._always_check = always_check
        self._budget = ByteBudget()
        # While so many files are on their way to Orthanc, other threads read and hash the next ones.
        self._uploads = threading.BoundedSemaphore(uploads)

    def bring(self, task: Task) -> Brought:
        """Store one file, unless its bytes prove to be the ones that are stored already."""
        with self._budget.hold(task.entry.size):
            return _telling(task, lambda: self._bring(task))

    def peek(self, task: Task) -> Brought:
        """What `bring` would come to, as far as the file's beginning tells; nothing is stored."""
        return _telling(task, lambda: self._peek(task))

    def _peek(self, task: Task) -> Brought:
        with self._source.open(task.entry.path) as file:
            data = file.read(PEEK)
        read_header(data, whole=len(data) == task.entry.size)
        return Brought(task, "changed" if task.recorded and not task.lost else "added", _why(task))

    def _bring(self, task: Task) -> Brought:
        data = self._read(task)
        header = read_header(data)
        source_sha256 = hashlib.sha256(data).hexdigest()
        recorded = task.recorded
        same_bytes = recorded is not None and recorded.source_sha256 == source_sha256
        if recorded and same_bytes and not task.lost and recorded.deidentified == task.deidentify:
            return Brought(task, "unchanged")
        sha256, replaced = source_sha256, tuple[Replacement, ...]()
        if task.deidentify:
            clean = self._deidentified(task, data)
            data, replaced = clean.data, clean.replacements
            header, sha256 = read_header(data), hashlib.sha256(data).hexdigest()
        crc32 = isal_zlib.crc32(data)
        with self._uploads:
            orthanc_id, attachment = self._store(data, task.lost)
        stored = Stored(header, len(data), crc32, sha256, source_sha256, orthanc_id, attachment, replaced)
        restored = recorded is not None and recorded.sha256 == sha256
        return Brought(task, "changed" if recorded and not restored else "added", _why(task), stored)

    def _read(self, task: Task) -> bytes:
        """The whole file, or of one that is no DICOM only the beginning: it may be a film of many GB."""
        with self._source.open(task.entry.path) as file:
            recognise(file.read(PEEK))
            file.seek(0)  # still in the file's buffer; joining two parts would hold a large file twice
            return file.read(file.entry.size)

    def _deidentified(self, task: Task, data: bytes) -> Deidentified:
        return self._deidentifier.file(task.slot.case_number, data)

    def _store(self, data: bytes, doubtful: bool) -> tuple[str, str]:
        """Give Orthanc the bytes; returns the instance's id and the attachment that holds exactly them.

        `doubtful`: what Orthanc has may be damaged, so that its word is not enough.
        """
        answer = store(self._pacs, data)
        if not answer.already_stored and not self._always_check:
            return answer.id, "dicom"
        try:
            return answer.id, self._attachment_with(answer, data, doubtful)
        except PacsNotFound:  # somebody deleted the instance between the two questions
            again = store(self._pacs, data)
            return again.id, self._attachment_with(again, data, doubtful)

    def _attachment_with(self, instance: StoredInstance, data: bytes, doubtful: bool) -> str:
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if self._holds(instance.id, "dicom", data, md5, doubtful):
            return "dicom"
        # The number follows from the content: a run that was killed finds the attachment that it already made, and two
        # files with other bytes under one SOPInstanceUID do not meet.
        first = int(md5[:8], 16)
        for step in range(len(OWN_ATTACHMENTS)):
            number = str(OWN_ATTACHMENTS[(first + step) % len(OWN_ATTACHMENTS)])
            try:
                if self._holds(instance.id, number, data, md5, doubtful):
                    return number
            except PacsNotFound:
                get_json(self._pacs, f"/instances/{instance.id}")  # the instance itself must still be there
                self._pacs.put(f"/instances/{instance.id}/attachments/{number}", data)
                return number
        raise PacsError("Orthanc: this instance has no free attachment number left")

    def _holds(self, instance: str, attachment: str, data: bytes, md5: str, doubtful: bool) -> bool:
        """Whether that attachment is these bytes; raises PacsNotFound where there is none."""
        info = get_json(self._pacs, f"/instances/{instance}/attachments/{attachment}/info")
        if int(info.get("UncompressedSize", len(data))) != len(data):
            return False
        said = info.get("UncompressedMD5", "")
        if said and (said != md5 or not doubtful):
            return bool(said == md5)
        # StoreMD5ForAttachments is off, or the storage is not to be trusted: the bytes themselves have to tell.
        return read_back(self._stored, instance, attachment, len(data)) == data


def _why(task: Task) -> str:
    if task.lost:
        return "was no longer in Orthanc"
    if task.recorded and task.deidentify and not task.recorded.deidentified:
        return "de-identified"
    return ""


def _telling(task: Task, bring: Callable[[], Brought]) -> Brought:
    """Turn what goes wrong with one file into its outcome; what concerns all files is raised."""
    try:
        return bring()
    except NotDicom as error:
        return Brought(task, "not_dicom", error.message)
    except (SourceUnreachable, SourceRefused, PacsUnreachable):
        raise
    except PacsError as error:
        if is_refusal(error):
            raise
        return Brought(task, "failed", error.message, orthanc_fault=is_fault(error))
    except (SourceError, ReadingRoomError) as error:
        return Brought(task, "failed", error.message)
    except MemoryError:
        return Brought(task, "failed", f"a file of {task.entry.size} bytes does not fit into memory")
