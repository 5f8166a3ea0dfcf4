"""Looks at the structure of a WebP (RFC 9649)."""

from __future__ import annotations

from readingroom.errors import BrokenPicture
from readingroom.pictures.exif import orientation
from readingroom.pictures.limits import Data, Limits, Looked, cut_short, damaged, nothing_behind

CHUNKS = 20_000


def look(data: Data, limits: Limits) -> Looked:
    """Raises BrokenPicture and PayloadTooLarge. Of an animation the first frame counts."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise cut_short()
    nothing_behind(data, end)
    at, frames, turned, has_pixels = 12, 0, 1, False
    canvas: tuple[int, int] | None = None
    for _ in range(CHUNKS):
        if at + 8 > end:
            break
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        begins, at = at + 8, at + 8 + length + length % 2
        if begins + length > end:
            raise cut_short()
        if name in SIZES:
            size = SIZES[name](data[begins : begins + 10])
            limits.of_pixels(*size)
            canvas = canvas or size
            has_pixels = has_pixels or name != b"VP8X"
        elif name == b"ANMF":
            frames, has_pixels = frames + 1, True
        elif name == b"EXIF":
            turned = orientation(data[begins : begins + min(length, 0x10000)])
    else:
        raise damaged()
    if canvas is None or not has_pixels:
        raise BrokenPicture("The picture has no pixels.")
    limits.of_pages(frames)
    return Looked("image/webp", *canvas, bits=8, pages=max(frames, 1), orientation=turned)


def _extended(head: bytes) -> tuple[int, int]:
    if len(head) < 10:
        raise damaged()
    return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1


def _lossy(head: bytes) -> tuple[int, int]:
    if len(head) < 10 or head[3:6] != b"\x9d\x01\x2a":
        raise damaged()
    return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF


def _lossless(head: bytes) -> tuple[int, int]:
    if len(head) < 5 or head[0] != 0x2F:
        raise damaged()
    packed = int.from_bytes(head[1:5], "little")
    return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1


SIZES = {b"VP8X": _extended, b"VP8 ": _lossy, b"VP8L": _lossless}
