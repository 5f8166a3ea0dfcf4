"""Lists folders of an SFTP or SMB source over its lines."""

from __future__ import annotations

from collections.abc import Iterator

from readingroom.errors import SourceForbidden, SourceNotFound
from readingroom.nas_index.listing import PART, Folder, Part
from readingroom.sources import Source, Unreadable, printable
from readingroom.sources.entries import Found, Kind
from readingroom.sources.names import join
from readingroom.sources.walking import MAX_DEPTH


class SourceLister:
    """Any source of `sources/`; as many folders at a time as it has connections."""

    def __init__(self, source: Source, below: str = "") -> None:
        self._source = source
        self._below = below

    def start(self) -> Folder:
        """The source's folder, or that below it; raises SourceError."""
        found = self._source.find(self._below)
        shown = printable(self._below) or self._source.url
        if found.kind is Kind.FILE:
            raise SourceNotFound(f"{shown} is a file, not a folder")
        if found.kind is Kind.UNREADABLE:
            raise SourceForbidden(f"{shown}: {found.reason}")
        return Folder(self._below, found)

    def listed(self, folder: Folder) -> Iterator[Part]:
        """What is in a folder, in parts."""
        found = folder.where
        assert isinstance(found, Found)  # noqa: S101  # this lister made it
        above = (*folder.above, found.identity) if found.identity is not None else folder.above
        part = Part(folder.path)
        for entry in self._source.entries(found):
            path = join(folder.path, entry.name)
            if entry.kind is Kind.FILE:
                part.take(entry.name, entry.size, entry.mtime_ns)
            elif entry.kind is Kind.UNREADABLE:
                part.unreadable.append(Unreadable(path, entry.reason, entry.why))
            elif folder.depth >= MAX_DEPTH:
                part.unreadable.append(Unreadable(path, f"more than {MAX_DEPTH} folders deep", "loop"))
            elif entry.identity is not None and entry.identity in above:
                reason = "a link that leads back to a folder it lies in"
                part.unreadable.append(Unreadable(path, reason, "loop"))
            else:
                part.enter(Folder(path, entry, folder.depth + 1, above), entry.name)
            if len(part.files) >= PART:
                yield part
                part = Part(folder.path)
        yield part
