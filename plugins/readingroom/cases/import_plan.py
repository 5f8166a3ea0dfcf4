"""What an import makes of a source's listing: which case a path belongs to, and what has to be done about a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from readingroom.cases import exam_types, numbering
from readingroom.errors import BadRequest
from readingroom.sources.entries import FileEntry
from readingroom.sources.names import printable

SECOND = 1_000_000_000
"""Nanoseconds."""

HANDFUL = 10
"""So few files may vanish at once without anybody thinking of a lost mount."""

MAX_PATH_BYTES = 2300
"""Of a path below its case's folder: PostgreSQL takes 2,704 bytes into an index, exam type and case id among them."""

_NUMBER = re.compile(r"[0-9]{4,}")


@dataclass(frozen=True, slots=True)
class Slot:
    """A file's place among the cases: `{exam_type}/{case_number, 4+ digits}/{relative_path}`."""

    exam_type: str
    case_number: int
    relative_path: str


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A path that fits no case; `folder` is the part that does not fit, so that it is reported once."""

    folder: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of a file that was imported before."""

    row: int
    case_id: str
    source: str
    source_size: int
    source_mtime_ns: int
    source_sha256: str
    sha256: str
    missing: bool
    orthanc_id: str
    attachment: str
    study_instance_uid: str
    size: int
    """Of the stored file."""

    @property
    def deidentified(self) -> bool:
        """Whether other bytes were stored than lie at the source; de-identifying always changes some."""
        return self.sha256 != self.source_sha256


class Step(Enum):
    """What has to be done about a file."""

    NOTHING = "nothing"
    BRING = "bring"
    """It is new, or its bytes have to be looked at again."""


def place(path: str) -> Slot | Misplaced:
    """Where a path of the source (relative to it, `/` between its parts) belongs."""
    exam_type, _, rest = path.partition("/")
    if not rest:
        return Misplaced(printable(path), "a file beside the exam type folders")
    if exam_type[0] in ".@#$":
        return Misplaced(f"{printable(exam_type)}/", "a folder of the storage system, not an exam type")
    try:
        exam_types.check_name(exam_type)
    except BadRequest as error:
        return Misplaced(f"{printable(exam_type)}/", error.message)
    number, _, relative = rest.partition("/")
    if not relative:
        return Misplaced(printable(path), "a file beside the case folders")
    folder = f"{printable(exam_type)}/{printable(number)}/"
    if not _NUMBER.fullmatch(number):
        return Misplaced(folder, "the folder's name is not a case number of four or more digits")
    if not 1 <= int(number) <= numbering.MAX_NUMBER:
        return Misplaced(folder, f"case numbers lie between 1 and {numbering.MAX_NUMBER}")
    if numbering.padded(int(number)) != number:
        return Misplaced(folder, f"case {int(number)} is expected as {numbering.padded(int(number))}/")
    return Slot(exam_type, int(number), storable(relative))


def storable(path: str) -> str:
    """The path as every database takes it: as it is, unless its bytes are no UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return printable(path)
    return path


def step(entry: FileEntry, recorded: Recorded | None, source: str, deidentify: bool) -> Step:
    """What a listed file needs, judged by its size and modification time alone.

    A file that was stored as it is gets replaced when it is to be de-identified; one that was de-identified stays so.
    """
    if recorded is None or entry.size != recorded.source_size or (deidentify and not recorded.deidentified):
        return Step.BRING
    if entry.mtime_ns == recorded.source_mtime_ns:
        return Step.NOTHING
    if source != recorded.source and _same_second(entry.mtime_ns, recorded.source_mtime_ns):
        return Step.NOTHING
    return Step.BRING


def _same_second(one: int, other: int) -> bool:
    # The same folder reached by SFTP tells whole seconds only, by SMB a tenth of a microsecond.
    return one // SECOND == other // SECOND and (
        one % SECOND == 0 or other % SECOND == 0 or one // 1000 == other // 1000
    )


def looks_like_a_lost_mount(recorded: int, absent: int, listed: int) -> bool:
    """Whether so many recorded files are gone at once that the source itself must be gone.

    `recorded` files were brought from there, `absent` of them are no longer listed; `listed` files are there now.
    """
    if not absent:
        return False
    return listed == 0 or (absent > HANDFUL and absent * 2 > recorded)
