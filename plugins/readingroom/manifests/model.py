"""What is known of a series as it is shown: its manifest, and where the bytes of each frame lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from readingroom.series import FoundSeries

Encoding = Literal["raw", "jpeg", "jpegll", "jpls", "jp2", "htj2k", "rle"]
"""How a frame's bytes are written when they leave."""


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where one frame of a series lies, and in which form it can leave."""

    file: int
    """Index into `Origins.files(found)`."""
    number: int
    """Frame in its instance, from 1."""
    parts: tuple[tuple[int, int], ...]
    """Offset and length in the file of the frame's bytes, which follow each other: one part where they are raw, the
    fragments where they are encapsulated; none where they cannot be had without reading the file (deflated, bits)."""
    syntax: str
    """Transfer syntax UID of the file."""
    encoding: Encoding
    """Of these bytes, when they are passed through."""
    decode: bool
    """A browser cannot take them as they are: they must be decoded first, and then leave as "raw"."""

    @property
    def length(self) -> int:
        """Bytes of the frame in its file."""
        return sum(length for _, length in self.parts)


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """How a series is shown; `manifest` is JSON, `frames` come in display order."""

    found: FoundSeries
    version: str
    manifest: bytes
    frames: Sequence[FramePlace]


class Plans(Protocol):
    """Knows how series are shown; safe for many threads."""

    def of(self, found: FoundSeries) -> SeriesPlan:
        """The plan of a series as it is now.

        Raises PacsUnreachable and StoredFileBroken where no header could be read, NotFound where the series has gone,
        TooManyRequests where too many wait for one that is being made.
        """
        ...
