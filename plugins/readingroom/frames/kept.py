"""Keeps frames that were made in a folder of bounded size: series that nobody looked at longest go first, whole.

A frame is a file; it is not synced, because its own checksum tells, when it is read, whether a power cut left
something else there. Its bytes are a record of the stream: head and payload.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from readingroom.frames import record
from readingroom.frames.form import Frame
from readingroom.kept import BoundedFolder
from readingroom.zipstream import crc32

TOUCHED_SECONDS: Final = 60.0
"""A series that is looked at is marked so no more often than this."""

NAMES: Final = {number: name for name, number in record.ENCODINGS.items()}


class KeptFrames:
    """Frames by series version, file, frame and the form that was asked for. Several processes may share the folder."""

    def __init__(self, folder: Path, largest: int) -> None:
        self._files = BoundedFolder(folder, largest, by_series=True, synced=False)
        self._lock = threading.Lock()
        self._touched: dict[str, float] = {}

    def get(self, version: str, name: str) -> Frame | None:
        """The frame; None where it is not kept, or what is there is damaged."""
        place = self._files.place(version) / name
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
        head = record.head(0, frame.encoding, len(payload), crc32(memoryview(payload), 0))
        self._files.write(self._files.place(version) / name, head, payload)

    def _touch(self, version: str) -> None:
        now = time.monotonic()
        if now - self._touched.get(version, float("-inf")) > TOUCHED_SECONDS:
            with self._lock:
                if len(self._touched) > 4096:
                    self._touched.clear()
                self._touched[version] = now
            with suppress(OSError):
                os.utime(self._files.place(version))


def _frame(data: bytes) -> Frame | None:
    if len(data) < record.HEAD.size:
        return None
    magic, _, encoding, _, _, length, crc = record.HEAD.unpack_from(data)
    payload = memoryview(data)[record.HEAD.size :]
    fits = magic == record.MAGIC and encoding in NAMES and length == len(payload) and crc == crc32(payload, 0)
    return Frame(NAMES[encoding], payload) if fits else None
