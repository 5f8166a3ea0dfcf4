"""Walks a source folder by folder: sorted, streamed, through links but never round in circles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound, SourceUnreachable
from readingroom.sources.entries import FileEntry, Found, Kind, Unreadable, Why
from readingroom.sources.lines import Lines
from readingroom.sources.names import join, printable

MAX_DEPTH = 100
"""Folders below each other: more is a loop that the source hides from us (no folder identity)."""

Walk = Iterator["FileEntry | Unreadable"]


@dataclass
class _Open:
    """A folder being walked: what is left of it, last first, and itself."""

    path: str
    left: list[Found]
    identity: object
    where: str = field(default="")


def walk(lines: Lines, path: str, start: Found) -> Walk:
    """Every file below `start`, in the order of names within each folder.

    One folder's entries are held at a time per level, never the whole list. A folder that cannot be
    read is yielded as Unreadable and passed over; SourceUnreachable ends the walk.
    """
    above = [_entered(lines, path, start)]
    while above:
        folder = above[-1]
        if not folder.left:
            above.pop()
            continue
        found = folder.left.pop()
        here = join(folder.path, found.name)
        if found.kind is Kind.FILE:
            yield FileEntry(here, found.size, found.mtime_ns)
        elif found.kind is Kind.UNREADABLE:
            yield Unreadable(here, found.reason, found.why)
        elif len(above) >= MAX_DEPTH:
            yield Unreadable(here, f"more than {MAX_DEPTH} folders deep", "loop")
        elif _is_above(found, above):
            yield Unreadable(here, "a link that leads back to a folder it lies in", "loop")
        else:
            try:
                above.append(_entered(lines, here, found))
            except SourceUnreachable:
                raise
            except SourceError as error:
                yield Unreadable(here, error.message, _why(error))


def _entered(lines: Lines, path: str, found: Found) -> _Open:
    entries = lines.ask(lambda line: line.entries(found.where))
    entries.sort(key=lambda each: each.name, reverse=True)
    return _Open(path, entries, found.identity, found.where)


def _is_above(found: Found, above: list[_Open]) -> bool:
    return found.identity is not None and any(found.identity == folder.identity for folder in above)


def _why(error: SourceError) -> Why:
    if isinstance(error, SourceForbidden):
        return "forbidden"
    return "gone" if isinstance(error, SourceNotFound) else "failed"


def as_entry(path: str, found: Found) -> FileEntry:
    """What `find` gave, as a file; raises SourceNotFound or SourceForbidden for anything else."""
    if found.kind is Kind.FILE:
        return FileEntry(path, found.size, found.mtime_ns)
    shown = printable(path)
    if found.kind is Kind.FOLDER:
        raise SourceNotFound(f"{shown} is a folder, not a file", path=shown)
    if found.why in ("gone", "broken_link", "name"):
        raise SourceNotFound(f"{shown}: {found.reason}", path=shown)
    raise SourceForbidden(f"{shown}: {found.reason}", path=shown)
