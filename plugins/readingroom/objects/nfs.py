"""A folder as a store: a local disk, or a share that the machine mounts (NFS, as a Synology serves it)."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from readingroom.errors import ObjectExists, ObjectNotFound, StorageFull
from readingroom.objects.folder_errors import InOurWords
from readingroom.objects.folder_reading import FileBlob, stat_of, walk
from readingroom.objects.incoming import Incoming, same_bytes
from readingroom.objects.keys import checked, checked_prefix
from readingroom.objects.mounted import Mounted
from readingroom.objects.store import Backend, Put, Stat

UNFINISHED = ".incoming"
"""Where puts write before their file has its name: hidden, on the same file system, and one place for all, so that
what a killed process left is found without walking the whole share."""

BUFFER = 1 << 20
"""Bytes written at a time: an NFS client's largest common wsize."""

FILE_MODE, FOLDER_MODE = 0o640, 0o750

TRIES = 8
"""How often a folder that a delete takes away from under a put is made again."""

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
"""What file systems without hard links answer (FAT, some CIFS servers)."""


class NfsStore:
    """Objects as files of the same name below one folder. Threads and processes may share it."""

    name: Backend = "nfs"

    def __init__(self, base: Path, data: Path | None = None) -> None:
        """`data`: the data folder, which remembers the store's (see mounted.py)."""
        self._base = base
        self._mounted = Mounted(base, data)
        self._unfinished = base / UNFINISHED

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        expected_size: int | None = None,
        expected_sha256: str | None = None,
        content_type: str = "",
    ) -> Put:
        """Write beside, sync, name, sync the folder; `content_type` is what the key's ending says."""
        place = self._place(key)
        incoming = Incoming(expected_size, expected_sha256)
        words = InOurWords(key)
        beside = self._unfinished / secrets.token_hex(16)
        with words:
            self._see_room(expected_size or 0)
            self._make_folders(self._unfinished)
        try:
            with words:
                descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
            _write(descriptor, incoming.of(chunks), words)
            incoming.complete()
            with words:
                self._name(beside, place, key, incoming)
        finally:
            with suppress(OSError):
                beside.unlink()
        with words:
            return Put(incoming.size, incoming.sha256, stat_of(key, place.lstat()).etag)

    @contextmanager
    def open(self, key: str) -> Iterator[FileBlob]:
        """The file, held open: a delete meanwhile does not disturb its reader."""
        place = self._place(key)
        try:
            blob = FileBlob(key, place)
        except ObjectNotFound:
            # Not this one may be missing but all of them.
            with InOurWords(key):
                self._mounted.see()
            raise
        try:
            yield blob
        finally:
            blob.close()

    def stat(self, key: str) -> Stat | None:
        """Size, etag and time of the file."""
        place = self._place(key)
        with InOurWords(key):
            try:
                return stat_of(key, place.lstat())
            except (FileNotFoundError, NotADirectoryError):
                self._mounted.see()
                return None

    def delete(self, key: str) -> None:
        """Remove the file, and the folders that it leaves empty."""
        place = self._place(key)
        with InOurWords(key):
            try:
                place.unlink()
            except (FileNotFoundError, NotADirectoryError):
                self._mounted.see()
                return
            folder = place.parent
            with suppress(FileNotFoundError):  # another delete took it
                _sync(folder)
            with suppress(OSError):  # the first folder that is not empty ends it
                while folder != self._base:
                    folder.rmdir()
                    folder = folder.parent

    def walk(self, prefix: str = "") -> Iterator[Stat]:
        """Files below a folder, sorted as S3 sorts keys."""
        prefix = checked_prefix(prefix)
        with InOurWords(prefix):
            self._mounted.see()
        yield from walk(self._base, prefix)

    def check(self) -> None:
        """Write, sync and remove a small file."""
        with InOurWords(""):
            self._mounted.see()
            self._make_folders(self._unfinished)
            probe = self._unfinished / f"check-{secrets.token_hex(8)}"
            try:
                descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
                try:
                    os.write(descriptor, b"x")
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            finally:
                with suppress(OSError):
                    probe.unlink()

    def sweep_unfinished(self, begun_before: datetime) -> int:
        """Remove files without a name that nobody wrote to since."""
        swept = 0
        with InOurWords(""):
            self._mounted.see()
            try:
                entries = list(os.scandir(self._unfinished))
            except FileNotFoundError:
                return 0
            for entry in entries:
                with suppress(FileNotFoundError):  # its put ended meanwhile
                    if entry.stat(follow_symlinks=False).st_mtime < begun_before.timestamp():
                        Path(entry).unlink()
                        swept += 1
        return swept

    def close(self) -> None:
        """Nothing to close."""

    def _place(self, key: str) -> Path:
        return self._base / checked(key)

    def _see_room(self, size: int) -> None:
        """Better to refuse before 100 MB came than after."""
        self._mounted.see()
        room = os.statvfs(self._base)
        if room.f_blocks and room.f_bavail * room.f_frsize < size:
            raise StorageFull("There is no room left where pictures are stored", retry_after=600)

    def _name(self, beside: Path, place: Path, key: str, incoming: Incoming) -> None:
        folder = place.parent
        for left in reversed(range(TRIES)):
            try:
                self._make_folders(folder)
                if not _named(beside, place):
                    self._see_same(key, incoming)
                _sync(folder)
                return
            except FileNotFoundError:
                # A delete took a folder while it was empty.
                if not left or not beside.exists():
                    raise

    def _see_same(self, key: str, incoming: Incoming) -> None:
        with self.open(key) as blob:
            if not same_bytes(incoming, blob.read_range()):
                raise ObjectExists("Other bytes are stored under that key", detail={"key": key})

    def _make_folders(self, folder: Path) -> None:
        """As makedirs, each new entry on the disk before its first file, and never the base itself."""
        if folder == self._base or folder.is_dir():
            return
        above = folder.parent
        self._make_folders(above)
        with suppress(FileExistsError):
            folder.mkdir(FOLDER_MODE)
        _sync(above)


def _write(descriptor: int, chunks: Iterator[bytes], words: InOurWords) -> None:
    """Errors of `chunks` pass as they are: they are the sender's, even where they are OSErrors."""
    file = open(descriptor, "wb", buffering=BUFFER)  # noqa: SIM115  # closed below, where its own errors have our words
    try:
        for chunk in chunks:
            with words:
                file.write(chunk)
        with words:
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):  # what it could not write is not wanted any more
            file.close()
        raise
    with words:
        file.close()


def _named(beside: Path, place: Path) -> bool:
    """Give the file its name unless something has it: False then, and nothing is replaced."""
    try:
        os.link(beside, place)
    except FileExistsError:
        # A server may have done it and lost its answer: then both names are one file.
        return beside.samefile(place)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if place.exists(follow_symlinks=False):
            return False
        beside.rename(place)
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
