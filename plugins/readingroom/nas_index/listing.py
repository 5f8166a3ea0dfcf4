"""What listing one folder of a source gives, and how a kind of source lists one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from readingroom.nas_index.file_names import JPEG_2000, extension, may_be_dicom, may_hold_dicom
from readingroom.sources import Unreadable

PART = 1000
"""Files that are handed on at a time: one folder may hold a million."""

UNKNOWN = -2
"""Size and time of a file that could not be asked for: no file has them, no row (-1 says "no row") either."""


class File(NamedTuple):
    """One file of a folder; size in bytes, time in nanoseconds."""

    name: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to be listed: its path in the source ("" is the source itself), its own name for it, its depth."""

    path: str
    where: object = None
    depth: int = 0
    above: tuple[object, ...] = ()
    """Identities of the folders it lies in, where the source tells them: a link back to one would never end."""


@dataclass(slots=True)
class Part:
    """Some of what is in a folder."""

    folder: str
    files: list[File] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    skipped: int = 0
    """Files whose names say that they are no DICOM."""
    pictures: int = 0
    """JPEG 2000 files among them."""
    vanished: list[str] = field(default_factory=list)
    """Names that were listed, and were gone when their size was asked for."""

    def only(self, names: set[str]) -> Part:
        """Of its files and folders those of these names."""
        files = [each for each in self.files if each.name in names]
        folders = [each for each in self.folders if each.path.rpartition("/")[2] in names]
        return Part(self.folder, files, folders)

    def take(self, name: str, size: int, mtime_ns: int) -> None:
        """Add a file, or count it as skipped."""
        if may_be_dicom(name):
            self.files.append(File(name, size, mtime_ns))
        else:
            self.skip(name)

    def skip(self, name: str) -> None:
        """Count a file that is no DICOM."""
        self.skipped += 1
        if extension(name) in JPEG_2000:
            self.pictures += 1

    def enter(self, folder: Folder, name: str) -> None:
        """Add a folder, unless it is one that a NAS keeps for itself."""
        if may_hold_dicom(name):
            self.folders.append(folder)


class Lister(Protocol):
    """Lists the folders of one source. Threads may share it."""

    def start(self) -> Folder:
        """Where to begin; raises SourceError where that is not there."""
        ...

    def listed(self, folder: Folder) -> Iterator[Part]:
        """What is in a folder, in parts. Raises SourceUnreachable for a lost source, SourceError for a bad folder."""
        ...
