"""Files as deflate streams of stored blocks: every byte of them lies where it can be computed (RFC 1951 section 3.2.4).

Readers that take a zip as a stream accept a data descriptor only behind an entry that says itself where it ends;
a stored entry does not, a deflated one does. So a file whose CRC-32 is not known beforehand goes as deflate blocks
that are not compressed: five bytes and up to 65,535 of the file, again and again.
"""

from __future__ import annotations

import struct

CONTENT = 0xFFFF
"""Bytes of the file in a block, at most: its length is a 16-bit field."""

HEADER = 5
"""Bytes before them: three bits that say "stored" and whether it is the last one, padding, length, its complement."""

SPAN = HEADER + CONTENT

_HEADER = struct.Struct("<BHH")


def packed_length(size: int) -> int:
    """Bytes of a file of `size` bytes as such blocks; an empty file is one empty block."""
    return size + HEADER * max(1, -(-size // CONTENT))


def content_before(offset: int) -> int:
    """How many bytes of the file lie in the first `offset` bytes of its blocks."""
    block, within = divmod(offset, SPAN)
    return block * CONTENT + max(0, within - HEADER)


def spread(target: memoryview, start: int, size: int) -> None:
    """Make bytes `start` on of a file's blocks in place: `target` holds what they carry of the file at its end.

    `size` is the whole file's.
    """
    stop = start + len(target)
    take = len(target) - (min(content_before(stop), size) - content_before(start))
    put = 0
    while put < len(target):
        block, within = divmod(start + put, SPAN)
        if within < HEADER:
            head = _header(block, size)[within : within + len(target) - put]
            target[put : put + len(head)] = head
            put += len(head)
        else:
            count = min(SPAN - within, len(target) - put)
            if take != put:  # behind the last header all lies where it belongs
                target[put : put + count] = target[take : take + count]
            put += count
            take += count


def _header(block: int, size: int) -> bytes:
    left = size - block * CONTENT
    length = min(left, CONTENT)
    return _HEADER.pack(left <= CONTENT, length, length ^ 0xFFFF)
