"""A folder of this machine as a source: a local disk, or whatever is mounted there (NFS, CIFS, …)."""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound
from readingroom.sources.entries import Found, Kind, bounded_time, unreadable
from readingroom.sources.line import LineLost, OpenFile
from readingroom.sources.location import Location
from readingroom.sources.names import join, printable
from readingroom.sources.settings import SourceSettings

LOST = frozenset({
    errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH,
    errno.ENETDOWN, errno.ECONNRESET, errno.ECONNABORTED, errno.EREMOTEIO, errno.ESHUTDOWN, errno.ENODEV,
})  # fmt: skip
"""What the kernel says when the server behind a mount is away."""

_GONE = {errno.ENOENT, errno.ENOTDIR}


class LocalLine:
    """The "line" to a local folder: nothing to connect, any number of threads at once."""

    lock: AbstractContextManager[object] = nullcontext()

    def __init__(self, root: str, follow_outside: bool) -> None:
        self._given = root
        self._follow_outside = follow_outside
        self._root = os.path.realpath(root)

    def root(self) -> Found:
        found = _asked("", lambda: self._seen("", self._root))
        if found.kind is not Kind.FOLDER:
            raise SourceNotFound(
                f"{printable(self._given)} is not there, or is no folder",
                suggestion="Check the path, and that the share is mounted on this machine.",
            )
        return found

    def entries(self, where: str) -> list[Found]:
        return _asked(lambda: self._relative(where), lambda: self._list(where))

    def find(self, path: str) -> Found:
        place = join(self._root, path) if self._root != "/" else "/" + path
        name = path.rpartition("/")[2]
        found = self._reached(name, place) or _asked(path, lambda: self._resolved(name, place))
        if found.why == "gone" and found.kind is Kind.UNREADABLE:
            raise SourceNotFound(f"{printable(path)} is not there", path=printable(path))
        return found

    def open(self, found: Found) -> OpenFile:
        return _asked(lambda: self._relative(found.where), lambda: LocalFile(found.where))

    def close(self) -> None:
        """Nothing to close."""

    def _list(self, where: str) -> list[Found]:
        with os.scandir(where) as entries:
            return [self._entry(entry) for entry in entries]

    def _entry(self, entry: os.DirEntry[str]) -> Found:
        if entry.is_symlink():
            return self._resolved(entry.name, entry.path)
        return self._seen(entry.name, entry.path)

    def _reached(self, name: str, place: str) -> Found | None:
        """A file inside, links followed by the kernel, which says where it came to; None for anything else.

        Three questions, where `_resolved` asks for every folder above and can tell what is wrong.
        """
        try:
            descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)  # a name for it: nothing is opened
        except OSError:
            return None
        try:
            seen = os.fstat(descriptor)
            real = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115  # for every file: a Path costs as much
        except OSError:
            return None
        finally:
            os.close(descriptor)
        if not modes.S_ISREG(seen.st_mode) or not seen.st_nlink:
            return None
        if not self._follow_outside and not self._is_inside(real):
            return None
        return Found(name, Kind.FILE, real, seen.st_size, bounded_time(seen.st_mtime_ns))

    def _resolved(self, name: str, place: str) -> Found:
        """What a path leads to, links followed, if that lies inside."""
        try:
            real = os.path.realpath(place, strict=True)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return unreadable(name, "loop", "a symbolic link that leads to itself")
            if error.errno in _GONE:
                broken = Path(place).is_symlink()
                return unreadable(name, "broken_link" if broken else "gone",
                                  "a symbolic link to nothing" if broken else "it is not there")  # fmt: skip
            if error.errno in (errno.EACCES, errno.EPERM):
                return unreadable(name, "forbidden", "no right to read it")
            raise
        if not self._follow_outside and not self._is_inside(real):
            return unreadable(name, "outside", "a symbolic link that leaves the source")
        return self._seen(name, real)

    def _seen(self, name: str, place: str) -> Found:
        try:
            seen = os.lstat(place)
        except OSError as error:
            if error.errno in _GONE:
                return unreadable(name, "gone", "it vanished while the folder was read")
            if error.errno in (errno.EACCES, errno.EPERM):
                return unreadable(name, "forbidden", "no right to read it")
            raise
        if modes.S_ISDIR(seen.st_mode):
            return Found(name, Kind.FOLDER, place, identity=(seen.st_dev, seen.st_ino))
        if modes.S_ISREG(seen.st_mode):
            return Found(name, Kind.FILE, place, seen.st_size, bounded_time(seen.st_mtime_ns))
        return unreadable(name, "special", "neither a file nor a folder (device, pipe or socket)")

    def _is_inside(self, real: str) -> bool:
        return real == self._root or real.startswith(self._root.rstrip("/") + "/")

    def _relative(self, where: str) -> str:
        return os.path.relpath(where, self._root)


class LocalFile:
    """A file of this machine, open for reading."""

    def __init__(self, where: str) -> None:
        # The path is resolved: a link that took its place since is refused, and a pipe cannot block us.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        self._descriptor = os.open(where, flags)
        seen = os.fstat(self._descriptor)
        if not modes.S_ISREG(seen.st_mode):
            self.close()
            raise SourceForbidden(f"{printable(where)} is no longer a file")
        self._where = where
        self.size = seen.st_size
        self.mtime_ns = bounded_time(seen.st_mtime_ns)

    def read_at(self, offset: int, size: int) -> bytes:
        return _asked(self._where, lambda: os.pread(self._descriptor, size, offset))

    def read_into(self, offset: int, target: memoryview) -> int:
        return _asked(self._where, lambda: os.preadv(self._descriptor, [target], offset))

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _asked[T](path: str | Callable[[], str], question: Callable[[], T]) -> T:
    """The answer of the operating system, its refusals in our words; only those need the path."""
    try:
        return question()
    except OSError as error:
        shown = printable(path if isinstance(path, str) else path())
        said = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in LOST:
            raise LineLost(said) from error
        if error.errno in _GONE:
            raise SourceNotFound(f"{shown or 'The folder'} is not there", path=shown) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP):
            raise SourceForbidden(
                f"{shown or 'The folder'} may not be read: {said}",
                suggestion="Give the account that runs this the right to read it.",
                path=shown,
            ) from error
        raise SourceError(f"{shown or 'The folder'} cannot be read: {said}", path=shown) from error


def local_connector(location: Location, settings: SourceSettings) -> Callable[[], LocalLine]:
    """What makes lines to that folder."""
    return lambda: LocalLine(location.path, settings.follow_links_outside)
