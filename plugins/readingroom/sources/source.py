"""A place to read files from, whatever kind it is: walk, stat, open, read_range."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound, SourceRefused, SourceUnreachable
from readingroom.sources.entries import Beginning, CommandTrial, FileEntry, Found, Kind
from readingroom.sources.line import BulkLine, CommandLine
from readingroom.sources.lines import Lines
from readingroom.sources.location import Location
from readingroom.sources.names import inside, printable
from readingroom.sources.reading import RawSourceFile, SourceFile, read_range
from readingroom.sources.walking import Walk, as_entry, walk


class Source:
    """Read-only files somewhere else. Threads may share it; leave the block to close its connections.

    Paths are relative to the source, with `/`, and cannot leave it: neither by `..` nor through a
    symbolic link. Every verb raises SourceNotFound, SourceForbidden, SourceRefused or
    SourceUnreachable, the last only after lost lines were tried again.
    """

    def __init__(self, location: Location, lines: Lines) -> None:
        self.location = location
        self._lines = lines

    @property
    def url(self) -> str:
        """Where it is, without a password: fit to be stored and shown."""
        return self.location.url

    def __repr__(self) -> str:
        return f"<Source {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; files still open fail on their next read."""
        self._lines.close()

    @property
    def encrypted(self) -> bool | None:
        """Whether what goes over its lines is encrypted; None where there is no line (a folder)."""
        if self.location.scheme == "file":
            return None
        return self.location.scheme == "sftp" or bool(self._lines.ask(lambda line: getattr(line, "encrypted", False)))

    def check(self) -> None:
        """Reach the source and see that its folder is there."""
        self._lines.ask(lambda line: line.root())

    def walk(self, path: str = "") -> Walk:
        """Every file below `path`, streamed, in the order of names within each folder.

        What cannot be read is yielded as Unreadable in its place; only `path` itself raises.
        """
        path = inside(path)
        start = self.find(path)
        if start.kind is Kind.FILE:
            raise SourceNotFound(f"{printable(path)} is a file, not a folder", path=printable(path))
        if start.kind is Kind.UNREADABLE:
            raise SourceForbidden(f"{printable(path)}: {start.reason}", path=printable(path))
        return walk(self._lines, path, start)

    def find(self, path: str = "") -> Found:
        """What is at a path, "" being the source itself; `entries` takes a folder found so."""
        path = inside(path)
        return self._lines.ask(lambda line: line.find(path) if path else line.root())

    def entries(self, folder: Found) -> list[Found]:
        """The entries of one folder, in any order: for whoever walks in an order of its own."""
        return self._lines.ask(lambda line: line.entries(folder.where))

    def stat(self, path: str) -> FileEntry:
        """Size and modification time of one file."""
        path = inside(path)
        return as_entry(path, self._lines.ask(lambda line: line.find(path)))

    def open(self, path: str) -> SourceFile:
        """Open a file for reading; it survives lost lines."""
        return SourceFile(self._lines, inside(path))

    def open_raw(self, path: str) -> RawSourceFile:
        """The same without a buffer, for who brings memory of their own."""
        return RawSourceFile(self._lines, inside(path))

    def read_range(self, path: str, offset: int, size: int) -> bytes:
        """Bytes `offset` to `offset + size` of a file, fewer where it ends."""
        if offset < 0 or size < 0:
            raise ValueError("offset and size count from zero")
        return read_range(self._lines, inside(path), offset, size)

    def beginnings(self, files: Sequence[FileEntry], size: int) -> list[Beginning | SourceError]:
        """The first `size` bytes of each of these files (as a walk told them), or the error that each met.

        Raises SourceUnreachable and SourceRefused: those are of the source, not of one file.
        """
        if size < 0:
            raise ValueError("a size counts from zero")
        for file in files:
            inside(file.path)
        several = self._lines.ask(lambda line: line.beginnings(files, size) if isinstance(line, BulkLine) else None)
        return several if several is not None else [self._beginning(file, size) for file in files]

    def try_command(self, files: Sequence[FileEntry], size: int) -> CommandTrial | None:
        """Whether these are read faster by a command on the server; None where no kind of command is known."""
        return self._lines.ask(lambda line: line.try_command(files, size) if isinstance(line, CommandLine) else None)

    def _beginning(self, file: FileEntry, size: int) -> Beginning | SourceError:
        try:
            data = self.read_range(file.path, 0, min(size, file.size)) if file.size else b""
        except (SourceUnreachable, SourceRefused):
            raise
        except SourceError as error:
            return error
        return Beginning(file.size, file.mtime_ns, data)
