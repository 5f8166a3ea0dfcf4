"""Files for archives under test: in memory, or so large that only their zeros are imagined."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from readingroom.errors import StoredFileBroken
from readingroom.zipstream import Archive, Layout, Learnt, Ledger


class MemoryFile:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.bytes_read = 0

    def read_into(self, offset: int, target: memoryview) -> None:
        found = self.content[offset : offset + len(target)]
        self.bytes_read += len(found)
        if len(found) != len(target):
            raise StoredFileBroken("short")
        target[:] = found


class MemoryFiles:
    def __init__(self, contents: Sequence[bytes]) -> None:
        self.files = [MemoryFile(content) for content in contents]
        self.opened: list[int] = []

    @property
    def bytes_read(self) -> int:
        return sum(file.bytes_read for file in self.files)

    @contextmanager
    def open(self, index: int, size: int) -> Iterator[MemoryFile]:
        self.opened.append(index)
        yield self.files[index]


class Zeros:
    """Every file is all zeros, of whatever size."""

    def read_into(self, offset: int, target: memoryview) -> None:
        target[:] = bytes(len(target))

    @contextmanager
    def open(self, index: int, size: int) -> Iterator[Zeros]:
        yield self


@cache
def crc_of_zeros(size: int) -> int:
    running, block = 0, bytes(1 << 24)
    whole, rest = divmod(size, len(block))
    for _ in range(whole):
        running = zlib.crc32(block, running)
    return zlib.crc32(bytes(rest), running)


def layout_of(files: dict[str, bytes], identity: str = "") -> Layout:
    contents = list(files.values())
    return Layout(
        list(files), [len(c) for c in contents], [zlib.crc32(c) for c in contents],
        [1_700_000_000 + 61 * i for i in range(len(contents))], identity=identity,
    )  # fmt: skip


def late_layout_of(
    files: dict[str, bytes], late: Collection[str] | None = None, learnt: Learnt | None = None
) -> Layout:
    """The CRCs of these files (else of all) are not known beforehand."""
    late = files if late is None else late
    crc32s = [None if name in late else zlib.crc32(content) for name, content in files.items()]
    seconds = [1_700_000_000 + 61 * i for i in range(len(files))]
    return Layout(list(files), [len(c) for c in files.values()], crc32s, seconds, learnt=learnt)


def late_archive_of(files: dict[str, bytes], late: Collection[str] | None = None) -> Archive:
    stored = MemoryFiles(list(files.values()))
    return Archive(late_layout_of(files, late), stored, ledger=Ledger(), download="d")


def archive_of(files: dict[str, bytes], download: str = "d", ledger: Ledger | None = None) -> Archive:
    return Archive(layout_of(files), MemoryFiles(list(files.values())), ledger=ledger or Ledger(), download=download)


def zeros_archive(sizes: Sequence[int], *, late: bool = False) -> Archive:
    crc32s = [crc_of_zeros(size) for size in sizes]
    layout = Layout(
        [f"{i:05d}.dcm" for i in range(len(sizes))],
        sizes,
        [None] * len(sizes) if late else crc32s,
        [0] * len(sizes),
        # As if they had passed: nobody has to read 4 GB of zeros for a header.
        learnt=Learnt(dict(enumerate(crc32s))),
    )
    return Archive(layout, Zeros(), ledger=Ledger(), download="d")


def whole(archive: Archive, piece: int = 1 << 20) -> bytes:
    return b"".join(archive.stream(piece=piece))


class ArchiveFile:
    """An archive as a seekable file, so that Python's zipfile reads one that is too large to hold."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.at = 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.archive.layout.length)[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def read(self, size: int = -1) -> bytes:
        end = self.archive.layout.length
        stop = end if size is None or size < 0 else min(self.at + size, end)
        found = bytes(self.archive.read(self.at, stop))
        self.at = stop
        return found
