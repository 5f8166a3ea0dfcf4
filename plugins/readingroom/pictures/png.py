"""Looks at the structure of a PNG (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
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
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of a pixel, by colour type."""

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of an interlaced picture, section 8.2: the first column and line of each, and its steps."""

PACKED, UNPACKED = 256 << 10, 4 << 20
"""Bytes that are unpacked at a time, and come of it at most."""

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
        _as_written(data, name, begins, length)
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


def nothing_more(data: Data) -> None:
    """Raises BrokenPicture where more pixels come than the header says: the rest of the picture, or another thing.

    One line more is left: libpng and browsers take it with a warning, and encoders have written a byte too many.
    The pixels themselves are for the decoder to judge.
    """
    width, height, bits, colours, _, _, interlace = HEADER.unpack_from(data, 16)
    depth = bits * SAMPLES[colours]
    line = _line(width, depth)
    unpack, left = zlib.decompressobj(), _pixels(width, height, depth, interlace) + line
    for packed in _packed(data):
        rest = packed
        while rest and not unpack.eof and left >= 0:
            try:
                left -= len(unpack.decompress(rest, UNPACKED))
            except zlib.error:
                return
            rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        left -= len(rest)
        if left < 0:
            raise BrokenPicture("The picture is damaged: it has more pixels than it says.")


def _packed(data: Data) -> Iterator[bytes]:
    """All of the packed pixels, by pieces."""
    for name, begins, length in _chunks(data):
        if name == b"IDAT":
            for at in range(begins, begins + length, PACKED):
                yield data[at : min(at + PACKED, begins + length)]


def _line(width: int, depth: int) -> int:
    """Bytes of a line, with the one that says how it is filtered."""
    return 1 + (width * depth + 7) // 8


def _pixels(width: int, height: int, depth: int, interlace: int) -> int:
    """Bytes of all pixels, unpacked."""
    passes = PASSES if interlace else ((0, 0, 1, 1),)
    sizes = [(-((left - width) // across), -((top - height) // down)) for left, top, across, down in passes]
    return sum(lines * _line(columns, depth) for columns, lines in sizes if columns > 0 < lines)


def _as_written(data: Data, name: bytes, begins: int, length: int) -> None:
    """Raises BrokenPicture where a chunk that a picture needs has not its checksum.

    libpng, and with it browsers, refuse such a file too, and overlook it in all other chunks: so does this.
    """
    if name[0] & 0x20:
        return
    with memoryview(data) as whole, whole[begins - 4 : begins + length] as written:
        if zlib.crc32(written) != int.from_bytes(data[begins + length : begins + length + 4]):
            raise damaged()


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
