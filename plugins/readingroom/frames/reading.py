"""Reads the stored bytes of one frame, and says in a record's words what went wrong."""

from __future__ import annotations

from readingroom.errors import PacsError, ReadingRoomError, SourceError, StoredFileBroken, TooManyRequests
from readingroom.manifests import FramePlace
from readingroom.series import FoundSeries, Origin

AWAY = frozenset({"source_unreachable", "source_refused", "source_forbidden"})
"""What a NAS says when the file may be there and cannot be reached; asking again later may help."""

GONE = frozenset({"source_not_found", "source_changed"})
"""What it says when the file is no longer the one that was indexed."""


class Unreadable(Exception):
    """A frame that cannot be had; status, code and message stand in its record. It quotes nothing of the file."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def read_into(origin: Origin, found: FoundSeries, place: FramePlace, target: memoryview) -> None:
    """Fill `target`, which is as long as the frame, with its stored bytes. Raises Unreadable."""
    try:
        with origin.open(found, place.file) as file:
            at = 0
            for offset, size in place.parts:
                file.read_into(offset, target[at : at + size])
                at += size
    except (ReadingRoomError, OSError) as error:
        raise unreadable(error) from None


def read(origin: Origin, found: FoundSeries, place: FramePlace) -> bytearray:
    """The same in memory of its own."""
    target = bytearray(place.length)
    read_into(origin, found, place, memoryview(target))
    return target


def unreadable(error: Exception) -> Unreadable:
    """What a record says of an error."""
    said = error.detail if isinstance(error, StoredFileBroken) and isinstance(error.detail, dict) else {}
    code = str(said.get("code", "")) or (error.code if isinstance(error, SourceError) else "")
    if code in AWAY or (isinstance(error, PacsError) and error.status != 404):
        return Unreadable(503, code or "pacs_unreachable", "The place where this image lies does not answer.")
    if code in GONE or (isinstance(error, PacsError) and error.status == 404):
        return Unreadable(404, code or "not_found", "This image is no longer where it was, or no longer what it was.")
    if isinstance(error, TooManyRequests):
        return Unreadable(503, "busy", "Too much is being decoded at the moment.")
    return Unreadable(422, "frame_broken", "The file of this image is missing, damaged or too short.")
