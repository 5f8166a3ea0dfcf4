"""What a series is to whoever shows, sends or copies it, and what is asked of a place where series lie."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from readingroom.zipstream import Reader

_KEY = re.compile(r"[0-9a-f]{40}")

Place = Literal["orthanc", "nas", "copy"]

FACTS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "SeriesDescription",
    "SeriesNumber",
    "Modality",
    "InstitutionName",
)
"""What is told of a series, by DICOM keyword; "" where the header has nothing."""


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """One file of a series; `name` is its own, without a folder and safe to show; size in bytes."""

    name: str
    size: int
    mtime_ns: int
    crc32: int | None  # where it is known already
    sop_instance_uid: str
    instance_number: int | None
    id: str = ""  # the place's own name for it, where it has one


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """One series in one place."""

    key: str  # SeriesKey: SHA-1 of the SeriesInstanceUID, see `key_of`
    series_uid: str
    study_uid: str
    origin: Place
    where: str  # name of the NAS source; else ""
    facts: Mapping[str, str]  # see FACTS
    file_count: int
    size_bytes: int
    version: str  # another one when its files are
    id: str = ""  # the place's own name for it


@dataclass(frozen=True, slots=True)
class ListedSeries:
    """One series in the list of a study: what is told without looking at its files."""

    uid: str  # SeriesInstanceUID; its SeriesKey where the files have none
    place: Place
    where: str  # name of the NAS source; else ""
    modality: str
    number: int | None
    description: str
    file_count: int
    image_count: int  # as far as the place knows it
    state: str  # another one when the series has other files
    first: SeriesFile | None = None  # the one with the lowest InstanceNumber


class Origin(Protocol):
    """A place where series lie; used by many threads at once."""

    def find(self, key: str) -> FoundSeries | None:
        """The series with that SeriesKey or SeriesInstanceUID. Raises PacsUnreachable where Orthanc does not answer."""
        ...

    def files(self, found: FoundSeries) -> Sequence[SeriesFile]:
        """Its files in anatomical order as the headers tell it: by InstanceNumber, then name."""
        ...

    def open(self, found: FoundSeries, index: int) -> AbstractContextManager[Reader]:
        """Open one of its files as `files` knows it; raises StoredFileBroken when it is gone, changed, unreadable."""
        ...

    def keep_crcs(self, found: FoundSeries, crcs: Mapping[int, int]) -> None:
        """Keep CRC-32s that were learnt while files passed, by their index; `files` tells them from then on."""
        ...


@runtime_checkable
class Glances(Protocol):
    """A place whose `open` reads more than it is asked for, and which can do without."""

    def look(self, found: FoundSeries, index: int) -> AbstractContextManager[Reader]:
        """Open one of its files for a few bytes here and there; else as `Origin.open`."""
        ...


def key_of(series_uid: str) -> str:
    """The SeriesKey of a series that has a SeriesInstanceUID: 40 hex digits."""
    return hashlib.sha1(series_uid.encode(), usedforsecurity=False).hexdigest()


def is_key(text: str) -> bool:
    """Whether it has the form of a SeriesKey; a UID of 40 digits would have dots (PS3.5 section 9.1)."""
    return _KEY.fullmatch(text) is not None
