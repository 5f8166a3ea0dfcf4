"""Reads the files of a folder store: one by any range, or all of them in the order of keys."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from readingroom.errors import ObjectNotFound, StoredFileBroken
from readingroom.objects.folder_errors import InOurWords
from readingroom.objects.keys import is_key, type_of
from readingroom.objects.ranges import inside
from readingroom.objects.store import Stat

PIECE = 256 << 10
"""Bytes read at a time: they stay in a processor's cache on their way out. An NFS client reads ahead by itself."""


class FileBlob:
    """A file of the store, open for reading."""

    def __init__(self, key: str, place: Path) -> None:
        with InOurWords(key):
            # A link or a pipe that somebody put there is no object, and must not hold us up.
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._descriptor = os.open(place, flags)
        self._key = key
        with InOurWords(key):
            seen = os.fstat(self._descriptor)
        if not modes.S_ISREG(seen.st_mode):
            self.close()
            raise ObjectNotFound("There is no such stored object", detail={"key": key})
        self._stat = stat_of(key, seen)

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._stat.size

    @property
    def etag(self) -> str:
        """As `Stat` has it."""
        return self._stat.etag

    @property
    def content_type(self) -> str:
        """By the key's ending."""
        return type_of(self._key)

    def read_range(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Those bytes, in pieces."""
        start, stop = inside(start, stop, self.size)
        return self._pieces(start, stop)

    def _pieces(self, start: int, stop: int) -> Iterator[bytes]:
        words = InOurWords(self._key)
        while start < stop:
            with words:
                piece = os.pread(self._descriptor, min(PIECE, stop - start), start)
            if not piece:
                raise StoredFileBroken("A stored object is shorter than it was", detail={"key": self._key})
            start += len(piece)
            yield piece

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def stat_of(key: str, seen: os.stat_result) -> Stat:
    """Files are never written to once they have their name, so that inode, time and size tell one from another."""
    etag = f"{seen.st_size:x}-{seen.st_mtime_ns:x}-{seen.st_ino:x}"
    return Stat(key, seen.st_size, etag, datetime.fromtimestamp(seen.st_mtime_ns / 1e9, UTC))


def walk(base: Path, prefix: str) -> Iterator[Stat]:
    """Files below `base` whose path is a key and begins with `prefix` ("" or ending in a slash)."""
    words = InOurWords(prefix)
    folders = [prefix]
    # A stack of what is still to visit, folders (ending in a slash) and files mixed: the order of keys is that of
    # whole paths, in which "a-b" comes before "a/b".
    while folders:
        path = folders.pop()
        with words:
            if path and not path.endswith("/"):
                try:
                    seen = (base / path).lstat()
                except (FileNotFoundError, NotADirectoryError):
                    continue  # deleted since its folder was read
                found = stat_of(path, seen) if modes.S_ISREG(seen.st_mode) else None
            else:
                folders += sorted(_entries(base, path), reverse=True)
                found = None
        if found is not None:
            yield found


def _entries(base: Path, folder: str) -> Iterator[str]:
    try:
        with os.scandir(base / folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                path = folder + entry.name
                if entry.is_dir():
                    yield path + "/"
                elif is_key(path):
                    yield path
    except (FileNotFoundError, NotADirectoryError):
        return
