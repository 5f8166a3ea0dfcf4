"""What a walk over a source yields: files, and things that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

EARLIEST, LATEST = -(1 << 63), (1 << 63) - 1
"""Nanoseconds: the years 1677 and 2262. File systems go further, tables do not."""

LARGEST = 1 << 50
"""Bytes; a thousand such sizes can still be summed."""


def bounded_time(mtime_ns: int) -> int:
    """A time that any table holds: a clock that was wrong, or a server that tells none, gives others."""
    return mtime_ns if EARLIEST <= mtime_ns <= LATEST else LATEST if mtime_ns > LATEST else EARLIEST


def bounded_size(size: int) -> int:
    """A size that any table holds, whatever a server says."""
    return min(max(size, 0), LARGEST)


class FileEntry(NamedTuple):
    """One regular file; `path` is relative to the source (see `names`), `size` in bytes.

    `mtime_ns` is as fine as the source tells it: nanoseconds on a local disk, microseconds by SMB,
    whole seconds by SFTP. A tuple, because one is made for each file of each run.
    """

    path: str
    size: int
    mtime_ns: int


class Beginning(NamedTuple):
    """The first bytes of a file, and what it was when they were read: size in bytes, time in nanoseconds."""

    size: int
    mtime_ns: int
    data: bytes


class CommandTrial(NamedTuple):
    """What reading a sample by a command on the server and by SFTP gave; seconds for the whole sample."""

    use: bool
    """Whether files should be read by the command."""
    why: str
    """For a person."""
    by_sftp: float = 0.0
    by_command: float = 0.0


Why = Literal["forbidden", "gone", "loop", "outside", "broken_link", "special", "name", "failed"]
"""forbidden: no right to read · gone: vanished while we looked · loop: a link back to where it came from ·
outside: a link that leaves the source · broken_link: a link to nothing · special: device, pipe, socket ·
name: a name that cannot be asked for · failed: anything else the source said"""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something at `path` that was passed over; `reason` is for a person, `why` for a program."""

    path: str
    reason: str
    why: Why = "failed"


class Kind(Enum):
    """What an entry of a folder is, links already followed."""

    FILE = "file"
    FOLDER = "folder"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of a folder as its line sees it.

    `where` is the line's own name for the place, links resolved; `identity` is the same for two
    folders exactly when they are one folder (None: the source cannot tell).
    """

    name: str
    kind: Kind
    where: str
    size: int = 0
    mtime_ns: int = 0
    identity: object = None
    why: Why = "failed"
    reason: str = ""


def unreadable(name: str, why: Why, reason: str) -> Found:
    """An entry that the walk reports and passes over."""
    return Found(name=name, kind=Kind.UNREADABLE, where="", why=why, reason=reason)
