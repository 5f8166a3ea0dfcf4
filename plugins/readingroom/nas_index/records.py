"""Files whose header was read, files whose header could not be, and who keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from readingroom.nas_index.header import Header
from readingroom.sources.entries import FileEntry

DICOM_ERROR = "dicom"
"""The error type of a file that will stay bad until it changes: it is not read again before that."""


class Found(NamedTuple):
    """One DICOM file; `path` is relative to its source, `key` is its series' (see `header.series_key`)."""

    path: str
    size: int
    mtime_ns: int
    header: Header
    key: str
    instance: tuple[str, str] | None = None
    """SOPInstanceUID and InstanceNumber, where the header is that of another file of its series."""

    @property
    def numbered(self) -> tuple[str, str]:
        """Its own SOPInstanceUID and InstanceNumber."""
        return self.instance or (self.header.SOPInstanceUID, self.header.InstanceNumber)


@dataclass(frozen=True, slots=True)
class Failed:
    """One file without a header, in the words of an error report; every type but "dicom" is tried again next time."""

    path: str
    size: int
    mtime_ns: int
    error_type: str  # network authentication filesystem dicom system
    error_code: str
    message: str
    suggestion: str = ""
    retry_count: int = 0


class Keeper(Protocol):
    """Keeps what was read: the catalogue's visit, or the command line's file."""

    def compare(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
        """Those that must be read."""
        ...

    def store(self, found: Sequence[Found], failed: Sequence[Failed] = ()) -> Any:
        """Keep these."""
        ...

    def unreadable(self, path: str) -> None:
        """What is below that path was not seen, and is not gone."""
        ...
