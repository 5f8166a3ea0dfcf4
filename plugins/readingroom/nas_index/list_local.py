"""Lists folders of this machine by scandir: a local disk, or what is mounted there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import NoReturn

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound, SourceUnreachable
from readingroom.nas_index.listing import PART, Folder, Part
from readingroom.sources import Unreadable, printable
from readingroom.sources.entries import bounded_time
from readingroom.sources.local import LOST
from readingroom.sources.names import join
from readingroom.sources.walking import MAX_DEPTH


class LocalLister:
    """Symbolic links are not followed: what lies inside is reached by its own path, once; outside is not ours."""

    def __init__(self, root: str, below: str = "") -> None:
        self.root = os.path.realpath(root)
        self._below = below

    def start(self) -> Folder:
        """The source's folder, or that below it; raises SourceNotFound, SourceForbidden for one behind a link."""
        place = f"{self.root.rstrip('/')}/{self._below}" if self._below else self.root
        # Else a link would lead out of the source, or give files inside a second path.
        if os.path.realpath(place) != place:
            shown = printable(self._below)
            raise SourceForbidden(f"{shown} lies behind a symbolic link", suggestion=BEHIND_A_LINK, path=shown)
        if not os.path.isdir(place):  # noqa: PTH112  # names that are not UTF-8 pass through os alone
            raise SourceNotFound(
                f"{printable(place)} is not there, or is no folder",
                suggestion="Check the path, and that the share is mounted on this machine.",
            )
        return Folder(self._below, place)

    def listed(self, folder: Folder) -> Iterator[Part]:
        """What is in a folder, in parts. Raises SourceUnreachable, SourceForbidden, SourceNotFound, SourceError."""
        path, where, depth = folder.path, str(folder.where), folder.depth + 1
        part = Part(path)
        # By its descriptor each file is looked up in the folder alone, not along the whole path: a third of the time.
        descriptor = -1
        try:
            descriptor = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    name = entry.name
                    try:
                        if entry.is_file(follow_symlinks=False):
                            seen = entry.stat(follow_symlinks=False)
                            part.take(name, seen.st_size, bounded_time(seen.st_mtime_ns))
                        elif entry.is_dir(follow_symlinks=False):
                            if depth > MAX_DEPTH:
                                reason = f"more than {MAX_DEPTH} folders deep"
                                part.unreadable.append(Unreadable(join(path, name), reason, "loop"))
                            else:
                                part.enter(Folder(join(path, name), f"{where}/{name}", depth), name)
                        elif entry.is_symlink():
                            self._link(part, join(path, name), f"{where}/{name}")
                    except FileNotFoundError:
                        part.vanished.append(name)
                    if len(part.files) >= PART:
                        yield part
                        part = Part(path)
        except OSError as error:
            refused(error, path)
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        yield part

    def _link(self, part: Part, path: str, place: str) -> None:
        try:
            real = os.path.realpath(place, strict=True)
        except OSError as error:
            loop = error.errno == errno.ELOOP
            reason = "a symbolic link that leads to itself" if loop else "a symbolic link to nothing"
            part.unreadable.append(Unreadable(path, reason, "loop" if loop else "broken_link"))
            return
        if real != self.root and not real.startswith(self.root.rstrip("/") + "/"):
            part.unreadable.append(Unreadable(path, "a symbolic link that leaves the source", "outside"))


def refused(error: OSError, path: str) -> NoReturn:
    """Say in our words why the operating system refused."""
    shown = printable(path) or "The folder"
    said = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in LOST:
        raise SourceUnreachable(f"{shown} cannot be reached: {said}", suggestion=MOUNT) from error
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        raise SourceNotFound(f"{shown} is not there", path=shown) from error
    if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP):
        raise SourceForbidden(f"{shown} may not be read: {said}", suggestion=RIGHTS, path=shown) from error
    raise SourceError(f"{shown} cannot be read: {said}", suggestion=DISK, path=shown) from error


MOUNT = "Check that the NAS is on and that its share is mounted on this machine."
BEHIND_A_LINK = "Index the folder that the link leads to."
RIGHTS = "Give the account that runs Reading Room the right to read it."
DISK = "Check the disk and the file system; the system's log may say more."
