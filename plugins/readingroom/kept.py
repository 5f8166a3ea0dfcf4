"""Keeps files in a folder of bounded size: what nobody asked for longest goes first."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Buffer, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

LEFT: Final = 0.9
"""What remains of the budget after sweeping, so that it is not swept with every file."""

OVERHEAD: Final = 4096
"""What a small file takes of a disk."""


class BoundedFolder:
    """Files two levels down, or with `by_series` three: then all files of one folder go together.

    A file is written beside its place and renamed, and with `synced` it outlives a power cut. Several processes may
    share the folder; each counts what it adds itself, and all when it sweeps.
    """

    def __init__(self, folder: Path, largest: int, *, by_series: bool = False, synced: bool = True) -> None:
        self._folder = folder
        self._largest = largest
        self._by_series = by_series
        self._synced = synced
        self._lock = threading.Lock()
        self._used: int | None = None

    def place(self, name: str) -> Path:
        """Where a file or a series of that name lies."""
        return self._folder / name[:2] / name

    def write(self, place: Path, *pieces: Buffer) -> None:
        """Keep these bytes there; a disk that is full keeps none, and that is no error."""
        size = sum(memoryview(each).nbytes for each in pieces)
        if size > self._largest:
            return
        fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for each in pieces:
                    file.write(each)
                if self._synced:
                    file.flush()
                    os.fsync(file.fileno())
            fresh.replace(place)
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            return
        self._added(size)

    def _added(self, size: int) -> None:
        with self._lock:
            if self._used is None:
                self._used = sum(taken for _, taken, _ in self._all())
            else:
                self._used += _taken(size)
            if self._used > self._largest:
                self._sweep()

    def _sweep(self) -> None:
        found = sorted(self._all())
        used = sum(taken for _, taken, _ in found)
        for _, taken, place in found:
            if used <= self._largest * LEFT:
                break
            if self._by_series:
                shutil.rmtree(place, ignore_errors=True)
            else:
                with suppress(OSError):
                    place.unlink()
            used -= taken
        self._used = used

    def _all(self) -> Iterator[tuple[float, int, Path]]:
        """When each was asked for or added to last, what it takes, where it lies."""
        for start in _entries(self._folder):
            for each in _entries(Path(start.path)):
                place = Path(each.path)
                with suppress(OSError):
                    files = _entries(place) if self._by_series else [each]
                    yield each.stat().st_mtime, sum(_taken(file.stat().st_size) for file in files), place


class KeptFiles:
    """Small files by name; an empty one stands for "there is none"."""

    LARGEST: Final = 256 << 20
    """Bytes of all files: some 40,000 pictures of 6 kB."""

    NONE_SECONDS: Final = 24 * 3600.0
    """How long it counts that there is none: a later release may know how to make it."""

    def __init__(self, folder: Path, largest: int = LARGEST, suffix: str = ".webp") -> None:
        self._files = BoundedFolder(folder, largest)
        self._suffix = suffix

    def get(self, name: str) -> bytes | None:
        """The file, b"" where it is known that there is none, None where nothing is known."""
        place = self._place(name)
        try:
            data = place.read_bytes()
            if not data and time.time() - place.stat().st_mtime > self.NONE_SECONDS:
                return None
            if data:
                os.utime(place)
        except OSError:
            return None
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep it; a disk that is full keeps none, and that is no error."""
        self._files.write(self._place(name), data)

    def _place(self, name: str) -> Path:
        place = self._files.place(name)
        return place.with_name(f"{place.name}{self._suffix}")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError:
        return []


def _taken(size: int) -> int:
    return -(-max(size, 1) // OVERHEAD) * OVERHEAD
