"""Keeps what was enumerated on disk until it is looked at, so that the whole is counted early and memory stays flat."""

from __future__ import annotations

import marshal
import tempfile
import threading
from pathlib import Path

from readingroom.nas_index.reader_process import LENGTH

Entry = tuple[str, int, int]
"""Path in the source, size, time."""


class Spool:
    """First in, first out; one thread puts, another takes. Its file has no name: it is gone with the process."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(prefix="index-", dir=folder)  # noqa: SIM115  # closed by `close`
        self._changed = threading.Condition()
        self._written = 0
        self._taken = 0
        self._error: BaseException | None = None
        self.ended = False
        self.count = 0
        """Files put in so far."""

    def put(self, entries: list[Entry]) -> None:
        """Add some."""
        data = marshal.dumps(entries)
        with self._changed:
            self._file.seek(self._written)
            self._file.write(LENGTH.pack(len(data)) + data)
            self._written += LENGTH.size + len(data)
            self.count += len(entries)
            self._changed.notify()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; `error` is raised to whoever takes the last of it."""
        with self._changed:
            self.ended = True
            self._error = error
            self._changed.notify()

    def take(self, timeout: float) -> list[Entry] | None:
        """The next ones; an empty list when nothing came in time, None at the end."""
        with self._changed:
            if self._taken == self._written and not self.ended:
                self._changed.wait(timeout)
            if self._taken < self._written:
                return self._next()
            if not self.ended:
                return []
            if self._error is not None:
                raise self._error
            return None

    def _next(self) -> list[Entry]:
        self._file.seek(self._taken)
        (length,) = LENGTH.unpack(self._file.read(LENGTH.size))
        entries: list[Entry] = marshal.loads(self._file.read(length))  # noqa: S302  # only `put` writes here
        self._taken += LENGTH.size + length
        return entries

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
