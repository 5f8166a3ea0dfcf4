"""Keeps several reads of one file under way at once, so that distance costs throughput little."""

from __future__ import annotations

from collections import deque
from typing import Protocol

WINDOW = 2 * 1024 * 1024
"""Bytes asked for and not yet taken, per file, at most: fills 1 Gbit/s at 16 ms, and bounds memory."""


class Asking[R](Protocol):
    """How a protocol asks for bytes without waiting for them."""

    def ask(self, offset: int, size: int) -> R:
        """Send the request."""
        ...

    def take(self, request: R) -> bytes:
        """Wait for its answer; empty at the end of the file."""
        ...

    def forget(self, request: R) -> None:
        """That answer is no longer wanted."""
        ...


class ReadAhead[R]:
    """Reads one file in order with a window that grows as long as the reader goes on in order.

    A single small read asks for just that much; a seek starts anew.
    """

    def __init__(self, asking: Asking[R], size: int, chunk: int) -> None:
        self._asking = asking
        self._size = size
        self._chunk = chunk
        self._under_way: deque[tuple[int, int, R]] = deque()
        self._left = b""
        self._at = 0
        self._ahead = 0

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes at `offset`, empty only at the end of the file."""
        if offset != self._at:
            self.stop()
            self._at = offset
        if not self._left:
            self._left = self._next(size)
        data, self._left = self._left[:size], self._left[size:]
        self._at += len(data)
        return data

    def stop(self) -> None:
        """Drop what is under way."""
        for _, _, request in self._under_way:
            self._asking.forget(request)
        self._under_way.clear()
        self._left = b""
        self._ahead = 0

    def _next(self, wanted: int) -> bytes:
        # The first read asks for what is wanted; each further one in order for twice as much.
        self._ahead = min(max(wanted, self._ahead * 2), WINDOW)
        self._fill()
        if not self._under_way:
            return b""
        _, asked, request = self._under_way.popleft()
        data = self._asking.take(request)
        if len(data) < asked:
            # The file ended, or the server gives less at a time than it said: the rest does not join on.
            ahead = self._ahead
            self.stop()
            self._ahead = ahead
            self._chunk = max(len(data), 4096)
        return data

    def _fill(self) -> None:
        if self._under_way:
            last_offset, last_size, _ = self._under_way[-1]
            at = last_offset + last_size
        else:
            at = self._at
        end = min(self._size, self._at + self._ahead)
        while at < end:
            size = min(self._chunk, end - at)
            self._under_way.append((at, size, self._asking.ask(at, size)))
            at += size
