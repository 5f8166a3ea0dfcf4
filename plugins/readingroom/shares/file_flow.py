"""Large files of a series as the gateway takes them: from the plugin's own socket, at the client's pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Response


class FileFlow:
    """A file, or a range of it, for one thread at a time: piece by piece (`downloads.giving.Flow`), or by WSGI."""

    def __init__(
        self, head: Response, length: int, first: bytes, pieces: Iterator[bytes], ended: Callable[[int], None]
    ) -> None:
        """`first` was read already, and `pieces` are the others, `length` bytes in all; `ended` is told once how many
        were taken.
        """
        self._head = head
        self._length = length
        self._rest = memoryview(first)
        self._pieces = pieces
        self._ended: Callable[[int], None] | None = ended
        self._taken = 0

    @property
    def is_over(self) -> bool:
        """Whether all of it was taken."""
        return self._taken == self._length

    @property
    def taken(self) -> int:
        """Bytes that were taken so far."""
        return self._taken

    def head(self) -> Response:
        """Status and headers of the answer."""
        return self._head

    def take(self, room: memoryview) -> int:
        """Put what comes next into `room`; how many bytes that are, 0 at the end. Raises what reading raises."""
        if self.is_over:
            return 0
        if not self._rest:
            self._rest = memoryview(next(self._pieces))
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._taken += count
        return count

    def __iter__(self) -> Iterator[bytes]:
        try:
            while not self.is_over:
                piece = self._rest or memoryview(next(self._pieces))
                self._rest = memoryview(b"")
                self._taken += len(piece)
                yield bytes(piece)
        finally:
            self.close()

    def close(self) -> None:
        """It is over, one way or another."""
        ended, self._ended = self._ended, None
        if ended is not None:
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()
            ended(self._taken)
