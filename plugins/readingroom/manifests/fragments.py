"""Finds the bytes of each frame in encapsulated pixel data (PS3.5 section A.4)."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Final

from readingroom.headers.elements import ITEM, ITEM_GROUP, SEQUENCE_END, Encoding, head_at
from readingroom.headers.errors import HeaderError, Hostile, Truncated
from readingroom.headers.window import Read, Window
from readingroom.manifests.file_header import PixelData

Part = tuple[int, int]
"""Offset and length in bytes, from the beginning of the file."""

MAX_FRAGMENTS: Final = 200_000
"""Of one file: a film of an hour has 100,000 frames."""

MOST_BYTES: Final = 512 << 20
STEP: Final = 1024
"""Read at a time: the next fragment lies beyond what one would read ahead."""

MAX_TABLE: Final = 8 * MAX_FRAGMENTS
END_OF_IMAGE: Final = b"\xff\xd9"
TAIL: Final = 10
"""Bytes in which a fragment's end is looked for: behind the marker stand some of padding (as pydicom has it)."""

_WRITING: Final = Encoding(explicit=True)


class Unframed(Exception):
    """Which fragments make which frame cannot be told."""


def frame_parts(
    read: Read, size: int, pixels: PixelData, frames: int, window: Window | None = None
) -> list[list[Part]]:
    """The fragments of each frame, in order; fewer frames where the file ends before the last.

    Raises Unframed, and HeaderError where there is no fragment at all.
    """
    window = window or Window(read, size, reads=2 * MAX_FRAGMENTS, most=MOST_BYTES, step=STEP)
    _, _, start, table = head_at(window, pixels.start, _WRITING)
    if table > MAX_TABLE or start + table > size:
        raise Hostile("The table of frames does not end within reason.")
    behind = start + table
    if (found := _by_extended_table(window, size, pixels, frames, behind)) is not None:
        return found
    offsets = _numbers(window.take(start, table), "I") if table >= 4 and frames > 1 else []
    fragments = _fragments(window, size, behind)
    if not fragments:
        raise Truncated("The file ends before its pixels begin.")
    if frames <= 1:
        return [fragments]
    if offsets:
        try:
            return _by_table(fragments, [behind + each for each in offsets], frames)
        except Unframed:
            pass  # the table is wrong: what stands in the file counts more
    if len(fragments) <= frames:
        return [[each] for each in fragments]
    return _by_marker(window, fragments, frames)


def _fragments(window: Window, size: int, position: int) -> list[Part]:
    found: list[Part] = []
    try:
        while position + 8 <= size and len(found) < MAX_FRAGMENTS:
            tag, _, value, length = head_at(window, position, _WRITING)
            if tag == SEQUENCE_END or tag != ITEM:
                break
            if value + length > size:
                break  # the last one was cut off
            found.append((value, length))
            position = value + length
            if position + 8 == size and len(found) == 1:
                break  # what follows can be the end alone: this saves a question to a file that is far away
    except HeaderError:
        if not found:
            raise
    return found


def _by_extended_table(
    window: Window, size: int, pixels: PixelData, frames: int, behind: int
) -> list[list[Part]] | None:
    """By (7FE0,0001) and (7FE0,0002): one fragment each; None where there is none, or where it is wrong."""
    if pixels.offsets is None or pixels.lengths is None:
        return None
    if not frames * 8 == pixels.offsets[1] == pixels.lengths[1] <= MAX_TABLE:
        return None
    offsets = _numbers(window.take(*pixels.offsets), "Q")
    lengths = _numbers(window.take(*pixels.lengths), "Q")
    found: list[list[Part]] = []
    for offset, length in zip(offsets, lengths, strict=True):
        tag, _, value, there = head_at(window, behind + offset, _WRITING) if behind + offset + 8 <= size else _NOTHING
        # The table tells lengths without the byte that makes them even.
        if tag != ITEM or there not in (length, length + 1) or value + length > size:
            return None
        found.append([(value, there)])
    return found


_NOTHING: Final = (ITEM_GROUP << 16, b"", 0, 0)


def _by_table(fragments: list[Part], starts: list[int], frames: int) -> list[list[Part]]:
    """By the basic offset table: a frame begins with the item that the table points to."""
    heads = {value - 8: index for index, (value, _) in enumerate(fragments)}
    if len(starts) != frames or any(each not in heads for each in starts) or starts[0] != fragments[0][0] - 8:
        raise Unframed
    places = [heads[each] for each in starts] + [len(fragments)]
    if any(first >= second for first, second in pairwise(places)):
        raise Unframed
    return [fragments[first:second] for first, second in pairwise(places)]


def _by_marker(window: Window, fragments: list[Part], frames: int) -> list[list[Part]]:
    """By the marker that ends a JPEG, JPEG-LS or JPEG 2000 picture, near the end of its last fragment."""
    found: list[list[Part]] = [[]]
    for value, length in fragments:
        found[-1].append((value, length))
        tail = min(length, TAIL)
        if END_OF_IMAGE in window.take(value + length - tail, tail):
            found.append([])
    if not found[-1]:
        found.pop()
    if len(found) != frames:
        raise Unframed
    return found


def _numbers(raw: bytes, kind: str) -> list[int]:
    size = struct.calcsize(kind)
    count = len(raw) // size
    return list(struct.unpack_from(f"<{count}{kind}", raw))
