"""Reads the header of one file of this machine; whatever happens becomes a plain tuple.

Tuples of plain values, because they go from one process to another (by marshal) a hundred thousand times a minute.
"""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Callable
from typing import Literal

from readingroom.headers.errors import HeaderError
from readingroom.headers.window import FIRST_BYTES
from readingroom.nas_index.header import HeaderReader, series_key
from readingroom.sources.entries import bounded_time
from readingroom.sources.local import LOST

Task = tuple[str, int, int, int]
"""Path, size and time where they are known (else UNKNOWN), and how often it was tried before."""

What = Literal["found", "bad", "doubtful", "lost", "refused"]
"""found: a header · bad: no header, and none by trying again ·
doubtful: bad if the source is there · lost: the source is away · refused: it does not let us in"""

Outcome = tuple[str, int, int, tuple[str, ...]]
"""What, size, time, and the header's values with the series key, or (type, code, message)."""

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe cannot block us, a link is not followed


class LocalReading:
    """Reads files below a folder of this machine."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") + "/"
        self._headers = HeaderReader()

    def read(self, task: Task) -> Outcome:
        """The outcome of one file; size and time are those of the listing, or newer ones where it changed since."""
        path, size, mtime_ns, _ = task
        try:
            descriptor = os.open(self._root + path, _FLAGS)
        except OSError as error:
            return _of_system(error, size, mtime_ns)
        try:
            if size >= 0:
                try:
                    return self._found(descriptor, size, mtime_ns)
                except (HeaderError, OSError):
                    pass  # it may have been written to since it was listed, or be something else by now
            seen = os.fstat(descriptor)
            if not modes.S_ISREG(seen.st_mode):
                return "bad", size, mtime_ns, ("filesystem", "not_a_file", "This is no longer a file.")
            size, mtime_ns = seen.st_size, bounded_time(seen.st_mtime_ns)
            return self._found(descriptor, size, mtime_ns)
        except HeaderError as error:
            return "bad", size, mtime_ns, ("dicom", error.code, str(error))
        except OSError as error:
            return _of_system(error, size, mtime_ns)
        finally:
            os.close(descriptor)

    def _found(self, descriptor: int, size: int, mtime_ns: int) -> Outcome:
        first = os.pread(descriptor, FIRST_BYTES, 0)
        header = self._headers.read(lambda offset, length: os.pread(descriptor, length, offset), size, first)
        return "found", size, mtime_ns, (*header, series_key(header))


def safely(read: Callable[[Task], Outcome], task: Task) -> Outcome:
    """The outcome, whatever happens: a file may not end a run."""
    try:
        return read(task)
    except MemoryError:
        return "bad", task[1], task[2], ("system", "out_of_memory", "There was not enough memory to read this header.")
    except Exception as error:  # its kind is told, the file's content is not
        said = f"The header could not be read ({type(error).__name__})."
        return "bad", task[1], task[2], ("system", "unexpected", said)


def _of_system(error: OSError, size: int, mtime_ns: int) -> Outcome:
    said = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in LOST:
        return "lost", size, mtime_ns, ("network", "source_unreachable", said)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "doubtful", size, mtime_ns, ("filesystem", "file_not_found", "The file is not there (any more).")
    if error.errno in (errno.EACCES, errno.EPERM):
        return "bad", size, mtime_ns, ("filesystem", "access_denied", f"The file may not be read: {said}.")
    if error.errno == errno.ELOOP:
        return "bad", size, mtime_ns, ("filesystem", "symbolic_link", "This is a symbolic link.")
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return "doubtful", size, mtime_ns, ("system", "too_many_open_files", said)
    return "doubtful", size, mtime_ns, ("filesystem", "read_error", f"The file could not be read: {said}.")
