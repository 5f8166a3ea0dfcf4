"""Looks at the structure of a JPEG (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from readingroom.errors import BrokenPicture, UnsupportedMedia
from readingroom.pictures.exif import orientation
from readingroom.pictures.limits import Data, Limits, Looked, cut_short, damaged

SEGMENTS = 10_000
SCANS = 100
"""A progressive picture has ten; a thousand of a large one would keep a processor busy for minutes."""

FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended, progressive, all by Huffman's code: what cameras and scanners write, and libjpeg reads."""

OTHER_FRAMES = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
END, SCAN, EXIF = 0xD9, 0xDA, 0xE1
ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends the coded data of a scan: neither a stuffed byte, nor a restart, nor a filling one."""


SOMETHING = re.compile(rb"[^\x00]")


def look(data: Data, limits: Limits) -> Looked:
    """Raises BrokenPicture, PayloadTooLarge, and UnsupportedMedia for lossless, arithmetic and 12-bit ones."""
    scans, turned, ends = 0, 1, 0
    size: tuple[int, int] | None = None
    for marker, begins, ends in _segments(data):  # the last one's end is asked for below
        if marker in FRAMES:
            if size is not None:
                raise damaged()
            size = _frame(data[begins:ends], limits)
        elif marker in OTHER_FRAMES:
            raise UnsupportedMedia("This kind of JPEG (lossless, hierarchical or arithmetic) is not accepted.")
        elif marker == EXIF and data[begins : begins + 6] == b"Exif\0\0":
            turned = orientation(data[begins:ends])
        elif marker == SCAN:
            scans += 1
            if scans > SCANS:
                raise BrokenPicture("The picture consists of more scans than any camera writes.")
    if size is None or not scans:
        raise BrokenPicture("The picture has no pixels.")
    _behind(data, ends)
    return Looked("image/jpeg", *size, 8, orientation=turned)


def _segments(data: Data) -> Iterator[tuple[int, int, int]]:
    """Marker of each segment, and where its body begins and ends, END the last."""
    at = 2
    for _ in range(SEGMENTS):
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if at + 2 > len(data):
            raise cut_short()
        if data[at] != 0xFF:
            raise damaged()
        marker, at = data[at + 1], at + 2
        if marker == END:
            yield marker, at, at
            return
        if marker in ALONE:
            continue
        length = int.from_bytes(data[at : at + 2])
        if at + length > len(data):
            raise cut_short()
        if length < 2:
            raise damaged()
        yield marker, at + 2, at + length
        at += length
        if marker == SCAN:
            coded = MARKER.search(data, at)
            if coded is None:
                raise cut_short()
            at = coded.start()
    raise damaged()


def _frame(body: bytes, limits: Limits) -> tuple[int, int]:
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise damaged()
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    limits.of_pixels(width, height)
    if body[0] != 8:
        raise UnsupportedMedia(f"A JPEG of {body[0]} bits is not accepted, one of 8 bits is.")
    if body[5] not in (1, 3, 4):
        raise damaged()
    return width, height


def _behind(data: Data, end: int) -> None:
    # Phones append: more pictures (CIPA DC-007, gain maps), a film (motion photo), Samsung's own blocks.
    follows = SOMETHING.search(data, end)
    if follows is None:
        return
    at = follows.start()
    is_of_a_phone = data[at : at + 3] == b"\xff\xd8\xff" or data[at + 1 : at + 5] == b"ftyp" or data[-4:] == b"SEFT"
    if not is_of_a_phone:
        raise BrokenPicture("The file goes on behind the end of its picture; send the picture alone.")
