"""Keeps pictures in a folder of bounded size: those that nobody asked for longest go first."""

from __future__ import annotations

import os
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path

LARGEST = 256 << 20
"""Bytes of all pictures: some 40,000 of 6 kB."""

LEFT = 0.9
"""What remains of that after sweeping, so that it is not swept with every picture."""

NONE_SECONDS = 24 * 3600.0
"""How long it counts that there is no picture: a later release may know how to make it."""

OVERHEAD = 4096
"""What a small file takes of a disk."""


class Kept:
    """Pictures by name; an empty one stands for "there is none". Several processes may share the folder."""

    def __init__(self, folder: Path, largest: int = LARGEST, suffix: str = ".webp") -> None:
        self._folder = folder
        self._suffix = suffix
        self._largest = largest
        self._lock = threading.Lock()
        self._used: int | None = None

    def get(self, name: str) -> bytes | None:
        """The picture, b"" where it is known that there is none, None where nothing is known."""
        place = self._place(name)
        try:
            data = place.read_bytes()
            if not data and time.time() - place.stat().st_mtime > NONE_SECONDS:
                return None
            if data:
                os.utime(place)
        except OSError:
            return None
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep it; a disk that is full keeps none, and that is no error."""
        place = self._place(name)
        fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(place)
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            return
        with self._lock:
            if self._used is None:
                self._used = sum(size for _, size, _ in self._all())
            else:
                self._used += _taken(len(data))
            if self._used > self._largest:
                self._sweep()

    def _sweep(self) -> None:
        files = sorted(self._all())
        used = sum(size for _, size, _ in files)
        for _, size, place in files:
            if used <= self._largest * LEFT:
                break
            with suppress(OSError):
                place.unlink()
            used -= size
        self._used = used

    def _all(self) -> list[tuple[float, int, Path]]:
        found = []
        with suppress(FileNotFoundError):
            for folder in os.scandir(self._folder):
                if not folder.is_dir():
                    continue
                for each in os.scandir(folder):
                    with suppress(FileNotFoundError):
                        about = each.stat()
                        found.append((about.st_mtime, _taken(about.st_size), Path(each.path)))
        return found

    def _place(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}{self._suffix}"


def _taken(size: int) -> int:
    return -(-max(size, 1) // OVERHEAD) * OVERHEAD
