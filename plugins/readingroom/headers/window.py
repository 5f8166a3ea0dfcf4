"""A few bytes of a file at a time: what is looked at is read, what is skipped is not."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from readingroom.headers.errors import Hostile, Truncated

Read = Callable[[int, int], bytes]
"""`read(offset, length)` gives at most `length` bytes, fewer where the file ends."""

FIRST_BYTES = 8192
"""Nine of ten headers end within it; 4, 8 and 16 KiB made no difference on a local disk."""

NEXT_BYTES = 8192

MAX_BYTES = 8 << 20
"""Bytes looked at of one file; a header with a lookup table or an embedded report stays far below."""

MAX_READS = 512
"""Reads of one file: at 2 ms each a hostile file holds its worker for about a second."""

MAX_INFLATED = 4 << 20
"""Bytes inflated of one deflated file; wanted elements lie in the first few KB."""


class Window:
    """The bytes from `base` on that are in memory; `reach` moves it forward, and counts what that costs."""

    __slots__ = ("_budget", "_read", "_reads", "_step", "base", "data", "end", "size")

    def __init__(
        self,
        read: Read,
        size: int,
        first: bytes = b"",
        *,
        reads: int = MAX_READS,
        most: int = MAX_BYTES,
        step: int = NEXT_BYTES,
    ) -> None:
        """Of a file of `size` bytes, whose `first` ones are at hand; `step` bytes are read at a time, or more."""
        self._read = read
        self._reads = reads
        self._budget = most
        self._step = step
        self.size = size
        self.base = 0
        self.data = first[:size]
        self.end = len(self.data)

    def reach(self, position: int, length: int) -> None:
        """Have the bytes from `position` to `position + length`. Raises Truncated and Hostile."""
        if position + length > self.size:
            raise Truncated("The file ends in the middle of its header.")
        if self.base <= position and position + length <= self.end:
            return
        wanted = min(max(length, self._step), self.size - position)
        self._reads -= 1
        self._budget -= wanted
        if self._reads < 0 or self._budget < 0:
            raise Hostile("The header does not end within reason.")
        self.data = self._read(position, wanted)
        self.base = position
        self.end = position + len(self.data)
        if self.end < position + length:
            raise Truncated("The file ends in the middle of its header.")  # it shrank while we read

    def take(self, position: int, length: int) -> bytes:
        """Those bytes."""
        self.reach(position, length)
        start = position - self.base
        return self.data[start : start + length]


class Inflating:
    """The data set of a deflated file (PS3.5 section A.5), inflated only as far as it is read."""

    def __init__(self, window: Window, start: int) -> None:
        self._window = window
        self._position = start
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._inflated = bytearray()

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the inflated data set. Raises Truncated and Hostile."""
        while len(self._inflated) < offset + length and not self._inflater.eof:
            self._more()
        return bytes(self._inflated[offset : offset + length])

    def _more(self) -> None:
        if len(self._inflated) >= MAX_INFLATED:
            raise Hostile("The deflated header does not end within reason.")
        fed = self._inflater.unconsumed_tail
        if not fed:
            left = self._window.size - self._position
            if left <= 0:
                raise Truncated("The deflated file ends too early.")
            fed = self._window.take(self._position, min(left, NEXT_BYTES))
            self._position += len(fed)
        try:
            self._inflated += self._inflater.decompress(fed, NEXT_BYTES * 2)
        except zlib.error:
            raise Truncated("The deflated part of the file is damaged.") from None
