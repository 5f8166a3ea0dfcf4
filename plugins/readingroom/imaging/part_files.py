"""The files into which uploads in parts are written: one sparse file each, in a folder that is ours alone."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from readingroom.errors import StorageFull, UploadBusy, UploadLost
from readingroom.imaging.received import Range, Received

RESERVE = 1 << 30
"""Bytes that uploads leave free on the disk (of a small one, a twentieth): Orthanc and the database write to it too."""

LOOK_SECONDS = 0.02
"""How often somebody who waits for a file looks again; `flock` itself knows no limit of time."""


class PartFile:
    """One upload's file, open, and nobody else's meanwhile."""

    def __init__(self, place: Path, descriptor: int) -> None:
        self.path = place
        self._descriptor = descriptor

    @property
    def size(self) -> int:
        """Bytes from its beginning to the end of the last part."""
        return os.fstat(self._descriptor).st_size

    def differing(self, start: int, data: bytes, received: Received) -> Range | None:
        """Where `data` would replace bytes that came before by others; None where it would not."""
        for first, stop in received.within(start, start + len(data)):
            if os.pread(self._descriptor, stop - first, first) != data[first - start : stop - start]:
                return first, stop
        return None

    def write(self, start: int, data: bytes) -> None:
        """Put bytes to their place, and onto the disk: only then may anybody be told that they came.

        Raises StorageFull.
        """
        view, at = memoryview(data), start
        try:
            while view:
                written = os.pwrite(self._descriptor, view, at)
                view, at = view[written:], at + written
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise _full() from error

    def cut(self, size: int) -> None:
        """Take away what lies past that many bytes."""
        if self.size > size:
            os.ftruncate(self._descriptor, size)


class PartFiles:
    """The files of all uploads in parts, by upload id.

    Several Orthancs on one database need this folder in common; an upload whose file is not here is refused by
    UploadLost, never mixed up.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, upload: str) -> None:
        """Make an empty file. Raises StorageFull."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._place(upload), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _full() from error

    @contextmanager
    def held(self, upload: str, patience: float) -> Iterator[PartFile]:
        """Have the file alone, across threads and processes.

        Raises UploadLost where it is not there, UploadBusy when somebody has it for longer than `patience` seconds.
        """
        place = self._place(upload)
        try:
            descriptor = os.open(place, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            raise UploadLost("What came of this upload is not here (any more); begin a new one.") from None
        try:
            until = time.monotonic() + patience
            while not _locked(descriptor):
                if time.monotonic() > until:
                    raise UploadBusy("This upload is being worked on by another request.", retry_after=2)
                time.sleep(LOOK_SECONDS)
            if not _is_at(place, descriptor):
                raise UploadLost("This upload ended meanwhile.")
            yield PartFile(place, descriptor)
        finally:
            os.close(descriptor)

    def remove(self, upload: str) -> None:
        """Take the file away; nothing happens where there is none."""
        with suppress(FileNotFoundError):
            self._place(upload).unlink()

    def all(self) -> Iterator[tuple[str, datetime]]:
        """Upload ids, and when each was last written to."""
        with suppress(FileNotFoundError):
            for entry in os.scandir(self._folder):
                if entry.name.endswith(".part"):
                    with suppress(FileNotFoundError):
                        written = datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, UTC)
                        yield entry.name.removesuffix(".part"), written

    def see_room(self, size: int) -> None:
        """Raises StorageFull unless so many bytes more fit on the disk."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        disk = os.statvfs(self._folder)
        reserve = min(RESERVE, disk.f_blocks * disk.f_frsize // 20)
        if disk.f_bavail * disk.f_frsize < size + reserve:
            raise _full()

    def taken(self) -> int:
        """Bytes on the disk of what has come of all uploads."""
        taken = 0
        for upload, _ in self.all():
            with suppress(FileNotFoundError):
                taken += self._place(upload).stat().st_blocks * 512
        return taken

    def _place(self, upload: str) -> Path:
        return self._folder / f"{upload}.part"


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(place: Path, descriptor: int) -> bool:
    """Whether the file that is open still has its name; another name, for who makes pictures of it, does not count."""
    try:
        return os.path.samestat(place.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _full() -> StorageFull:
    return StorageFull("There is no room left for uploads", retry_after=600)
