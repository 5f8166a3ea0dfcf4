"""What the pipeline hands to the catalogue: files whose header was read, and files whose header could not be."""

from __future__ import annotations

from dataclasses import dataclass

from readingroom.nas_index.header import Header

DICOM_ERROR = "dicom"
"""The error type of a file that will stay bad until it changes: it is not read again before that."""


@dataclass(frozen=True, slots=True)
class Found:
    """One DICOM file; `path` is relative to its source, `key` is its series' (see `header.series_key`)."""

    path: str
    size: int
    mtime_ns: int
    header: Header
    key: str


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
