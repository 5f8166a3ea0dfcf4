"""Reads one file of a source from front to back, across lost lines."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from readingroom.errors import SourceChanged, SourceError
from readingroom.sources.entries import FileEntry
from readingroom.sources.line import DirectFile, Line, LineLost, OpenFile, QuickLine
from readingroom.sources.lines import Lines
from readingroom.sources.names import printable
from readingroom.sources.walking import as_entry

if TYPE_CHECKING:
    from collections.abc import Buffer, Callable

BUFFER = 256 * 1024
"""Bytes kept per open file; larger reads pass it by."""


STEP = 4 * 1024 * 1024
"""Bytes asked of a line at a time: a file of several hundred MB must not be in memory twice."""


ONCE = 64 * 1024
"""Bytes that any server gives in one answer: an SMB server for one credit."""


class SourceFile(io.BufferedReader):
    """An open file: `read(n)` gives n bytes unless the file ends; `entry` says what was opened.

    After a lost line it goes on at the same byte, if size and modification time are still the same;
    else, and when the file ends before its size, SourceChanged. Use it in one thread at a time.
    """

    def __init__(self, lines: Lines, path: str) -> None:
        raw = RawSourceFile(lines, path)
        super().__init__(raw, BUFFER)
        self.entry: FileEntry = raw.entry


class RawSourceFile(io.RawIOBase):
    """The same without a buffer: whoever reads a range wants no more than that from the network."""

    def __init__(self, lines: Lines, path: str) -> None:
        super().__init__()
        self._lines = lines
        self._path = path
        self._position = 0
        self._line: Line | None = None
        self._file: OpenFile | None = None
        self._direct: DirectFile | None = None  # the same one, where it reads into memory of ours
        self._lost = 0
        self.entry = FileEntry(path, -1, -1)
        self._again(self._reach)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.entry.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), STEP, self.entry.size - self._position)
        if wanted <= 0:
            return 0
        count = self._again(lambda: self._read(view[:wanted]))
        self._position += count
        return count

    def readall(self) -> bytes:
        # io's own readall asks for a few KB at a time, and knows no size.
        whole = bytearray(max(0, self.entry.size - self._position))
        self.fill(memoryview(whole))
        return bytes(whole)

    def fill(self, view: memoryview) -> int:
        """Read until the view is full or the file ends; how many bytes that were."""
        done = 0
        while done < len(view) and (count := self.readinto(view[done:])):
            done += count
        return done

    def close(self) -> None:
        if not self.closed:
            self._let_go()
        super().close()

    def _again[T](self, step: Callable[[], T]) -> T:
        while True:
            try:
                done = step()
            except LineLost as lost:
                if self._line is not None:
                    self._lines.drop(self._line)
                self._let_go()
                self._lost += 1
                self._lines.wait_after(lost, self._lost)
            else:
                self._lost = 0  # it moves again: the next loss is a new one
                return done

    def _read(self, view: memoryview) -> int:
        line, file = self._reach()
        with line.lock:
            if self._direct is not None:
                count = self._direct.read_into(self._position, view)
            else:
                data = file.read_at(self._position, len(view))
                count = len(data)
                view[:count] = data
        if not count:
            raise self._changed("it ended before its size")
        return count

    def _reach(self) -> tuple[Line, OpenFile]:
        """The line and the file open on it, opened (again) where needed."""
        if self._line is not None and self._file is not None:
            return self._line, self._file
        self._line = self._lines.take()
        try:
            with self._line.lock:
                found = self._line.find(self._path)
                as_entry(self._path, found)
                self._file = self._line.open(found)
        except SourceError:
            self._let_go()
            raise
        self._direct = self._file if isinstance(self._file, DirectFile) else None
        now = FileEntry(self._path, self._file.size, self._file.mtime_ns)
        if self.entry.size < 0:
            self.entry = now
        elif now != self.entry:
            self._let_go()
            raise self._changed("it was replaced or written to")
        return self._line, self._file

    def _changed(self, what: str) -> SourceError:
        shown = printable(self._path)
        return SourceChanged(
            f"{shown} changed while it was read: {what}",
            suggestion="Try again when nobody writes to it.",
            path=shown,
        )

    def _let_go(self) -> None:
        line, file, self._line, self._file = self._line, self._file, None, None
        if line is None:
            return
        if file is not None:
            with line.lock:
                file.close()
        self._lines.give_back(line)


def read_range(lines: Lines, path: str, offset: int, size: int) -> bytes:
    """Bytes of a file without a buffer's read-ahead: no more is asked of the server than is wanted."""
    if 0 < size <= ONCE:
        data = lines.ask(lambda line: line.read_once(path, offset, size) if isinstance(line, QuickLine) else None)
        if data is not None:
            return data
    raw = RawSourceFile(lines, path)
    try:
        raw.seek(offset)
        wanted = bytearray(max(0, min(size, raw.entry.size - offset)))
        return bytes(wanted[: raw.fill(memoryview(wanted))])
    finally:
        raw.close()
