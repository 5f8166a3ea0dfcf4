"""Limits that a picture is held to before it is decoded, and the words in which it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap

from readingroom.errors import BrokenPicture, PayloadTooLarge
from readingroom.pictures.kinds import EXTENSIONS, Kind

Data = bytes | mmap
"""A whole file, mapped."""

PADDING = 64 << 10
"""Zero bytes behind the end, as some cameras and file systems leave them."""

TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations whose height and width change places."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a picture's pixels, and of a document's pages."""

    pixels: int
    pages: int

    def of_pixels(self, width: int, height: int) -> None:
        """Raises PayloadTooLarge, and BrokenPicture where there are none."""
        if width < 1 or height < 1:
            raise BrokenPicture("The picture has no pixels.")
        if width * height > self.pixels:
            raise PayloadTooLarge(
                f"The picture has {width} × {height} pixels; accepted are {self.pixels // 1_000_000} million.",
                detail={"width": width, "height": height, "maxPixels": self.pixels},
            )

    def of_pages(self, pages: int) -> None:
        """Raises PayloadTooLarge."""
        if pages > self.pages:
            raise PayloadTooLarge(
                f"The file has more than {self.pages} pages; that many are accepted.",
                detail={"maxPages": self.pages},
            )


@dataclass(frozen=True, slots=True)
class Looked:
    """What the structure of a file says: sizes as stored, and the orientation (1 to 8) that it is shown in."""

    mime: str
    width: int
    height: int
    bits: int
    pages: int = 1
    orientation: int = 1
    is_negative: bool = False
    """Its zero is white (TIFF's PhotometricInterpretation 0)."""

    @property
    def kind(self) -> Kind:
        """As the rest of the house knows it."""
        shown = (self.height, self.width) if self.orientation in TURNED else (self.width, self.height)
        return Kind(self.mime, EXTENSIONS[self.mime], *shown, self.pages, self.bits)


def cut_short() -> BrokenPicture:
    """To raise where a file ends before it should."""
    return BrokenPicture("The file is cut short: it ends in the middle.")


def damaged() -> BrokenPicture:
    """To raise where a file is not built as its type is."""
    return BrokenPicture("The file is damaged.")


def nothing_behind(data: Data, end: int) -> None:
    """Raises BrokenPicture where something but zeros follows."""
    behind = len(data) - end
    if behind > PADDING or any(data[end:]):
        raise BrokenPicture("The file goes on behind the end of its picture; send the picture alone.")


def no_archive(data: Data) -> None:
    """Raises BrokenPicture where the file's end makes it a zip too (APPNOTE 4.3.16): such a file is two things."""
    tail = data[-(0xFFFF + 22) :]
    at = tail.rfind(b"PK\5\6")
    while at >= 0:
        if at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
            raise BrokenPicture("The file is an archive too; send the picture alone.")
        at = tail.rfind(b"PK\5\6", 0, at)
