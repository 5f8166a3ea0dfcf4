"""Looks at the structure of a TIFF (TIFF 6.0): its chain of images, and what the first says of itself."""

from __future__ import annotations

import struct

from readingroom.errors import BrokenPicture, UnsupportedMedia
from readingroom.pictures.limits import Data, Limits, Looked, cut_short, damaged

ENTRIES = 4096
"""Of one image; two hundred are many."""

FORMATS = {1: "B", 3: "H", 4: "I"}
WIDTH, HEIGHT, BITS, PACKING, PHOTOMETRIC = 256, 257, 258, 259, 262
ORIENTATION, SAMPLES = 274, 277
STRIPS, STRIP_BYTES = 273, 279
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 322, 323, 324, 325

PACKINGS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
"""None, CCITT's for faxes, LZW, JPEG, deflate, PackBits."""

MANY = frozenset({STRIPS, STRIP_BYTES, TILES, TILE_BYTES})
"""Entries of which every value is looked at."""

LARGEST_SAMPLE_BYTES = 8
"""Of one pixel: four samples of 16 bits, or one of 64."""

TILE_PIXELS = 1 << 24
"""Larger ones serve nobody but who wants memory taken."""


def look(data: Data, limits: Limits) -> Looked:
    """Raises BrokenPicture, PayloadTooLarge, and UnsupportedMedia where it is packed in a way that is not read."""
    if len(data) < 8:
        raise cut_short()
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    first = at
    met: set[int] = set()
    while at:
        if at in met:
            raise BrokenPicture("The file's pages follow each other in a circle.")
        met.add(at)
        limits.of_pages(len(met))
        if at + 2 > len(data):
            raise cut_short()
        (count,) = struct.unpack_from(f"{order}H", data, at)
        if not 0 < count <= ENTRIES:
            raise damaged()
        if at + 6 + 12 * count > len(data):
            raise cut_short()
        (at,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)
    if not met:
        raise BrokenPicture("The picture has no pixels.")
    tags = _numbers(data, order, first)
    looked = _first(tags, limits, len(met))
    for places, lengths in ((STRIPS, STRIP_BYTES), (TILES, TILE_BYTES)):
        ends = (at + length for at, length in zip(tags.get(places, ()), tags.get(lengths, ()), strict=False))
        if max(ends, default=0) > len(data):
            raise cut_short()
    return looked


def _first(tags: dict[int, tuple[int, ...]], limits: Limits, pages: int) -> Looked:
    width, height, samples = _one(tags, WIDTH, 0), _one(tags, HEIGHT, 0), _one(tags, SAMPLES, 1)
    limits.of_pixels(width, height)
    bits, packing = _one(tags, BITS, 1), _one(tags, PACKING, 1)
    if packing not in PACKINGS:
        raise UnsupportedMedia(f"A TIFF packed in this way (compression {packing}) is not accepted.")
    if not 1 <= bits <= 64 or not 1 <= samples <= 8 or bits * samples > 8 * LARGEST_SAMPLE_BYTES:
        raise UnsupportedMedia(f"A TIFF of {samples} samples of {bits} bits is not accepted.")
    if STRIPS not in tags and TILES not in tags:
        raise BrokenPicture("The picture has no pixels.")
    if TILES in tags and _one(tags, TILE_WIDTH, 0) * _one(tags, TILE_HEIGHT, 0) > TILE_PIXELS:
        raise damaged()
    turned = _one(tags, ORIENTATION, 1)
    return Looked(
        "image/tiff",
        width,
        height,
        bits=bits,
        pages=pages,
        orientation=turned if 1 <= turned <= 8 else 1,
        is_negative=_one(tags, PHOTOMETRIC, 1) == 0,
    )


def _one(tags: dict[int, tuple[int, ...]], tag: int, default: int) -> int:
    return tags[tag][0] if tags.get(tag) else default


def _numbers(data: Data, order: str, at: int) -> dict[int, tuple[int, ...]]:
    """The values of each entry that holds whole numbers, wherever it stands: all of MANY, of others the first."""
    found: dict[int, tuple[int, ...]] = {}
    (count,) = struct.unpack_from(f"{order}H", data, at)
    for n in range(count):
        place = at + 2 + 12 * n
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, place)
        letter = FORMATS.get(kind)
        if letter is None or not values:
            continue
        where, size = place + 8, struct.calcsize(letter)
        if values * size > 4:
            (where,) = struct.unpack_from(f"{order}I", data, where)
        if where + values * size > len(data):
            raise cut_short()
        found[tag] = struct.unpack_from(f"{order}{values if tag in MANY else 1}{letter}", data, where)
    return found
