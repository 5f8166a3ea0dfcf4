"""Looks at the structure of a BMP, which older X-ray programs export: the plain kinds, not the run-length coded."""

from __future__ import annotations

import struct

from readingroom.errors import BrokenPicture, UnsupportedMedia
from readingroom.pictures.limits import Data, Limits, Looked, cut_short, damaged, nothing_behind

HEADERS = frozenset({40, 52, 56, 64, 108, 124})
HEADER = struct.Struct("<IIiiHHI")
BITS = frozenset({1, 4, 8, 16, 24, 32})
PLAIN, MASKED, MASKED_WITH_ALPHA = 0, 3, 6


def look(data: Data, limits: Limits) -> Looked:
    """Raises BrokenPicture, PayloadTooLarge and UnsupportedMedia."""
    if len(data) < 54:
        raise cut_short()
    offset, header, width, height, planes, bits, packing = HEADER.unpack_from(data, 10)
    if header not in HEADERS or planes != 1 or bits not in BITS:
        raise damaged()
    height = abs(height)
    limits.of_pixels(width, height)
    if packing not in (PLAIN, MASKED, MASKED_WITH_ALPHA):
        raise UnsupportedMedia("A packed BMP is not accepted, a plain one is.")
    if offset < 14 + header:
        raise BrokenPicture("The file is damaged.")
    end = offset + (width * bits + 31) // 32 * 4 * height
    if end > len(data):
        raise cut_short()
    nothing_behind(data, end)
    return Looked("image/bmp", width, height, bits=8)
