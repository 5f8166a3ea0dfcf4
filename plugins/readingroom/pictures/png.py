"""Looks at the structure of a PNG (W3C PNG, third edition)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from readingroom.errors import BrokenPicture
from readingroom.pictures.exif import orientation
from readingroom.pictures.limits import Data, Limits, Looked, cut_short, damaged, nothing_behind

CHUNKS = 500_000
"""Of 8 kB each are 4 GB: nobody writes so many, and each costs Python a microsecond."""

TEXT = 1 << 20
"""Bytes of it, packed or not. Unpacked, Pillow holds it to as much (MAX_TEXT_CHUNK)."""

DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bits by colour type, section 11.2.1."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_EXIF = 1 << 16
TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
HEADER = struct.Struct(">II5B")


def look(data: Data, limits: Limits) -> Looked:
    """Raises BrokenPicture and PayloadTooLarge. Of an animation the still image counts, or its first frame."""
    if len(data) < 33:
        raise cut_short()
    if data[8:16] != b"\0\0\0\rIHDR":
        raise damaged()
    width, height, bits, colours, packing, filtering, interlace = HEADER.unpack_from(data, 16)
    limits.of_pixels(width, height)
    if bits not in DEPTHS.get(colours, ()) or packing or filtering or interlace > 1:
        raise damaged()
    frames, turned, has_pixels, text, ends = 1, 1, False, 0, 0
    for name, begins, length in _chunks(data):
        if name == b"IDAT":
            has_pixels = True
        elif name == b"eXIf":
            turned = orientation(data[begins : begins + min(length, LARGEST_EXIF)])
        elif name == b"acTL" and length == 8:
            frames = max(int.from_bytes(data[begins : begins + 4]), 1)
        elif name in TEXTS:
            text += length
        ends = begins + length + 4
    if not has_pixels:
        raise BrokenPicture("The picture has no pixels.")
    if text > TEXT:
        raise BrokenPicture("The file carries more text than a picture needs; send the picture alone.")
    limits.of_pages(frames)
    nothing_behind(data, ends)
    return Looked("image/png", width, height, bits, pages=frames, orientation=turned)


def _chunks(data: Data) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of each chunk, IEND the last."""
    at = len(SIGNATURE)
    for _ in range(CHUNKS):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            raise cut_short()
        yield name, at + 8, length
        if name == b"IEND":
            return
        at += 12 + length
    raise damaged()
