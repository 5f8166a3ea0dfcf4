"""What a kind of source must be able to do: one line to it, and files open on that line."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from readingroom.errors import SourceError
from readingroom.sources.entries import Beginning, CommandTrial, FileEntry, Found


class LineLost(Exception):
    """The line broke or fell silent; the same question may be asked again on a new one.

    Never leaves this package: it ends as SourceUnreachable when new lines do not help either.
    """


class OpenFile(Protocol):
    """A file open for reading on one line; used under that line's lock."""

    size: int
    mtime_ns: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes, empty only at the end; reading in order is the fast way."""
        ...

    def close(self) -> None:
        """Give the handle back without waiting; never raises."""
        ...


@runtime_checkable
class DirectFile(Protocol):
    """A file that is read straight into memory that there is already; the bytes are not copied once more."""

    def read_into(self, offset: int, target: memoryview) -> int:
        """Fill `target` with bytes from `offset` on, or the beginning of it; how many, 0 only at the end."""
        ...


class Line(Protocol):
    """One connection to a source. Verbs raise LineLost, or a SourceError for what the source refuses.

    `lock` is held around each verb, so that a line may be shared by several threads.
    """

    lock: AbstractContextManager[object]

    def root(self) -> Found:
        """The source's own folder; raises SourceNotFound when it is missing or no folder."""
        ...

    def entries(self, where: str) -> list[Found]:
        """The entries of one folder, links followed, in any order."""
        ...

    def find(self, path: str) -> Found:
        """What is at a path (cleaned by `names.inside`), checked to lie inside the source."""
        ...

    def open(self, found: Found) -> OpenFile:
        """Open the file that `find` gave."""
        ...

    def close(self) -> None:
        """End the connection; never raises."""
        ...


@runtime_checkable
class QuickLine(Protocol):
    """A line that reads a small range of a file by one question, where others open, read and close."""

    def read_once(self, path: str, offset: int, size: int) -> bytes | None:
        """Up to `size` bytes, fewer where the file ends; None where it has to be opened for that."""
        ...


@runtime_checkable
class BulkLine(Protocol):
    """A line that reads the beginnings of many files with many questions under way at a time."""

    def beginnings(self, files: Sequence[FileEntry], size: int) -> list[Beginning | SourceError]:
        """The first `size` bytes of each file, or why there are none; in their order.

        Sizes and times are what a listing said; the answer has them as they are now.
        """
        ...


@runtime_checkable
class CommandLine(Protocol):
    """A line to a server on which commands may run that read faster."""

    def try_command(self, files: Sequence[FileEntry], size: int) -> CommandTrial:
        """Whether they do, and why, told by these files."""
        ...
