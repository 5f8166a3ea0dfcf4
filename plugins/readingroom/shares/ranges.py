"""What a range of a zip costs beyond its own bytes: 100 at the end may ask for a whole series to be read."""

from __future__ import annotations

from readingroom.zipstream import Layout

FOR_NOTHING = 64 << 20
"""Bytes that are read and not sent, for a range that nobody's download led up to: a large file's beginning, or some
small files. A whole series is 0.3 to 10 GB."""


def read_for_nothing(layout: Layout, start: int, stop: int) -> int:
    """Bytes of files that have to be read for the zip's bytes `start` up to `stop`, and lie before them.

    Those are the beginning of the file that the range begins in, and, where the range reaches the directory at the
    end, all files before it whose CRC-32 is not known yet.
    """
    unread = 0
    for index in range(len(layout)):
        entry = layout.entry(index)
        if entry.data >= start:
            break
        if start < entry.data + entry.packed:
            unread += min(start - entry.data, entry.size)
        elif stop > layout.directory_start and entry.crc32 is None and layout.learnt.value(index) is None:
            unread += entry.size
    return unread
