"""Folders for files on their way: each is its user's alone, and gone with its last use."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from readingroom.errors import StorageUnavailable
from readingroom.objects import Blob
from readingroom.objects.folder_errors import InOurWords, told

ABANDONED_SECONDS = 24 * 3600.0
"""Age of what a killed process left; no upload is under way that long."""

PREFIX = "way-"


def fetched(blob: Blob, place: Path) -> str:
    """Write a stored object into a file; its SHA-256, in hex. Raises StorageFull, and what reading it raises."""
    digest = hashlib.sha256()
    with InOurWords(""), place.open("wb") as file:
        for piece in blob.read_range():
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


class Spool:
    """Temporary folders below one of our own."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def make(self) -> Path:
        """A fresh folder that the caller removes. Raises StorageFull, StorageUnavailable."""
        try:
            self._base.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._base))
        except OSError as error:
            said = told(error)
            if isinstance(said, StorageUnavailable):
                raise said from error
            raise StorageUnavailable("The folder for files on their way cannot be made.") from error

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A fresh folder for a while."""
        made = self.make()
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def clear(self) -> None:
        """Remove what killed processes left behind a day ago or longer."""
        before = time.time() - ABANDONED_SECONDS  # files have the machine's time, not our clock's
        with suppress(FileNotFoundError):
            for entry in os.scandir(self._base):
                if entry.name.startswith(PREFIX) and entry.stat(follow_symlinks=False).st_mtime < before:
                    shutil.rmtree(entry.path, ignore_errors=True)
