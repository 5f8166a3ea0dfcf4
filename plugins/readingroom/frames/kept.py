"""Keeps frames that were made in a folder of bounded size: series that nobody looked at longest go first, whole.

A frame is a file, written beside its place and renamed; it is not synced, because its own checksum tells, when it is
read, whether a power cut left something else there. Its bytes are a record of the stream: head and payload.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from readingroom.frames import record
from readingroom.frames.form import Frame
from readingroom.zipstream import crc32

LEFT: Final = 0.9
"""What remains of the budget after sweeping, so that it is not swept with every frame."""

OVERHEAD: Final = 4096
"""What a small file takes of a disk."""

TOUCHED_SECONDS: Final = 60.0
"""A series that is looked at is marked so no more often than this."""

NAMES: Final = {number: name for name, number in record.ENCODINGS.items()}


class KeptFrames:
    """Frames by series version, file, frame and the form that was asked for. Several processes may share the folder."""

    def __init__(self, folder: Path, largest: int) -> None:
        self._folder = folder
        self._largest = largest
        self._lock = threading.Lock()
        self._used: int | None = None
        self._touched: dict[str, float] = {}

    def get(self, version: str, name: str) -> Frame | None:
        """The frame; None where it is not kept, or what is there is damaged."""
        place = self._series(version) / name
        try:
            data = place.read_bytes()
        except OSError:
            return None
        self._touch(version)
        frame = _frame(data)
        if frame is None:
            with suppress(OSError):
                place.unlink()
        return frame

    def put(self, version: str, name: str, frame: Frame) -> None:
        """Keep it; a disk that is full keeps none, and that is no error."""
        payload = frame.payload
        if record.HEAD.size + len(payload) > self._largest:
            return
        place = self._series(version) / name
        fresh = place.with_name(f".{name}.{secrets.token_hex(4)}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(record.head(0, frame.encoding, len(payload), crc32(memoryview(payload), 0)))
                file.write(payload)
            fresh.replace(place)
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            return
        with self._lock:
            if self._used is None:
                self._used = sum(size for _, size, _ in self._all())
            else:
                self._used += _taken(record.HEAD.size + len(payload))
            if self._used > self._largest:
                self._sweep()

    def _touch(self, version: str) -> None:
        now = time.monotonic()
        if now - self._touched.get(version, float("-inf")) > TOUCHED_SECONDS:
            with self._lock:
                if len(self._touched) > 4096:
                    self._touched.clear()
                self._touched[version] = now
            with suppress(OSError):
                os.utime(self._series(version))

    def _sweep(self) -> None:
        series = sorted(self._all())
        used = sum(size for _, size, _ in series)
        for _, size, place in series:
            if used <= self._largest * LEFT:
                break
            shutil.rmtree(place, ignore_errors=True)
            used -= size
        self._used = used

    def _all(self) -> list[tuple[float, int, Path]]:
        """When each series was looked at or added to last, what it takes, where it lies."""
        found = []
        for start in _entries(self._folder):
            for each in _entries(Path(start.path)):
                with suppress(OSError):
                    size = sum(_taken(file.stat().st_size) for file in _entries(Path(each.path)))
                    found.append((each.stat().st_mtime, size, Path(each.path)))
        return found

    def _series(self, version: str) -> Path:
        return self._folder / version[:2] / version


def _frame(data: bytes) -> Frame | None:
    if len(data) < record.HEAD.size:
        return None
    magic, _, encoding, _, _, length, crc = record.HEAD.unpack_from(data)
    payload = memoryview(data)[record.HEAD.size :]
    fits = magic == record.MAGIC and encoding in NAMES and length == len(payload) and crc == crc32(payload, 0)
    return Frame(NAMES[encoding], payload) if fits else None


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError:
        return []


def _taken(size: int) -> int:
    return -(-max(size, 1) // OVERHEAD) * OVERHEAD
