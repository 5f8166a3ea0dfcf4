"""Looks at the structure of a HEIC (ISO/IEC 14496-12 and 23008-12): whole boxes, and no image larger than allowed."""

from __future__ import annotations

from collections.abc import Iterator

import pillow_heif

from readingroom.errors import BrokenPicture
from readingroom.pictures.limits import Data, Limits, Looked, cut_short, damaged

BOXES = 10_000
TOP = frozenset({b"ftyp", b"meta", b"mdat", b"free", b"skip", b"wide", b"moov", b"uuid", b"mpvd", b"pdin", b"sefd"})
"""What may stand in the outermost row; a name that is none of them is no HEIC's, or another file's."""


def look(data: Data, limits: Limits) -> Looked:
    """Raises BrokenPicture and PayloadTooLarge. The first image counts, turned as it says."""
    sizes: list[tuple[int, int]] = []
    for name, begins, ends in _boxes(data, 0, len(data)):
        if name not in TOP:
            raise damaged()
        if name == b"meta":
            sizes += _sizes(data, begins + 4, ends)
    if not sizes:
        raise BrokenPicture("The picture has no pixels.")
    for width, height in sizes:
        limits.of_pixels(width, height)
    header = pillow_heif.open_heif(bytes(data), convert_hdr_to_8bit=True, bgr_mode=False)
    width, height = header.size
    limits.of_pixels(width, height)
    return Looked("image/heic", width, height, int(header.info.get("bit_depth", 8)))


def _sizes(data: Data, begins: int, ends: int) -> Iterator[tuple[int, int]]:
    """Of every image property in the file: whole images and the tiles of a grid (`ispe`, 23008-12, 6.5.3)."""
    for name, inner, outer in _boxes(data, begins, ends):
        if name in (b"iprp", b"ipco"):
            yield from _sizes(data, inner, outer)
        elif name == b"ispe" and outer - inner >= 12:
            yield int.from_bytes(data[inner + 4 : inner + 8]), int.from_bytes(data[inner + 8 : inner + 12])


def _boxes(data: Data, at: int, ends: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(BOXES):
        if at == ends:
            return
        if at + 8 > ends:
            raise cut_short()
        length, name, head = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16]), 16
        elif length == 0:
            length = ends - at
        if length < head:
            raise damaged()
        if at + length > ends:
            raise cut_short()
        yield name, at + head, at + length
        at += length
    raise damaged()
