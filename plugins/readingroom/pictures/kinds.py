"""What a file is by its first bytes, what is known of a picture before it is decoded, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from readingroom.errors import UnsupportedMedia

HEAD_BYTES: Final = 64
"""As many first bytes as `recognised` looks at."""

EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/tiff": "tif",
    "image/bmp": "bmp",
    "image/heic": "heic",
    "application/pdf": "pdf",
}
"""Every accepted type, with the extension that its files are kept under. None of them runs anything in a browser when
it is served under this very type with `nosniff`; PDF is best served as an attachment."""

ACCEPTED: Final = "PNG, JPEG, WebP, TIFF, BMP, HEIC and PDF"

HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"})
"""ISO/IEC 23008-12: HEVC-coded still pictures; mif1 and msf1 leave the codec open."""

AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})


@dataclass(frozen=True, slots=True)
class Kind:
    """What a whole file is. `width` and `height` are as shown: turned by its orientation, a PDF's in its first page's
    points; `pages` of a PDF or TIFF, frames of what moves; `bits` of one sample."""

    mime: str
    extension: str
    width: int
    height: int
    pages: int
    bits: int


@dataclass(frozen=True, slots=True)
class Variants:
    """Two WebP files, sRGB, without metadata; the size is the web variant's, in pixels."""

    thumb_path: Path
    web_path: Path
    width: int
    height: int


class PictureMaker(Protocol):
    """Safe for many threads; `app.py` builds `Pictures(settings)` once and closes it."""

    def inspect(self, path: Path) -> Kind:
        """What that whole file is, without decoding it.

        Raises UnsupportedMedia (415), PayloadTooLarge (413: pixels or pages), BrokenPicture (422: damaged, cut short,
        or something else behind its end), TooManyRequests and PicturesUnavailable.
        """

    def make_variants(self, path: Path, kind: Kind, folder: Path) -> Variants:
        """`thumb.webp` (≤ 400 pixels wide) and `web.webp` (≤ 2000) in that folder, never enlarged.

        Both are there or neither. Raises as `inspect`.
        """

    def close(self) -> None:
        """End the processes."""


def recognised(head: bytes) -> str:
    """The type of a file that begins so (its first HEAD_BYTES, or all of a shorter one).

    Raises UnsupportedMedia; nothing else of the file is checked, so that a wrong one is refused before it has come.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "image/tiff"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    # An AVIF has brands in common with a HEIC.
    if head[4:8] == b"ftyp" and _brands(head) & HEIC_BRANDS and not _brands(head) & AVIF_BRANDS:
        return "image/heic"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    raise UnsupportedMedia(f"Accepted are {ACCEPTED}{_instead(head)}.", detail={"accepted": sorted(EXTENSIONS)})


def _brands(head: bytes) -> set[bytes]:
    # The box ends where its first four bytes say: what follows is another box.
    end = min(int.from_bytes(head[:4]), len(head))
    return {head[8:12]} | {head[at : at + 4] for at in range(16, end - 3, 4)}


def _instead(head: bytes) -> str:
    if not head:
        return "; this file is empty"
    if head[:4] in (b"II+\0", b"MM\0+"):
        return "; this is a BigTIFF"
    if head[:3] == b"GIF":
        return "; this is a GIF"
    if head[4:8] == b"ftyp" and _brands(head) & AVIF_BRANDS:
        return "; this is an AVIF"
    return "; this is none of them, whatever its name says"
