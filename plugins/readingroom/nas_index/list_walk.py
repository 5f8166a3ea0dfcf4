"""Walks a ready-made list of files instead of a source."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from readingroom.nas_index.listing import PART, UNKNOWN, Part
from readingroom.nas_index.lists import Unlisted, read_list
from readingroom.nas_index.path_map import PathMap
from readingroom.sources import Unreadable

NO_MOUNT = "no mount is configured for this path"
OUTSIDE = "this path lies outside what may be indexed"


class ListWalk:
    """The files of a list, as paths below `/`; sizes and times are asked for when a file is opened.

    `roots` are the folders that the files must lie in; none: any.
    """

    def __init__(self, place: Path, path_map: PathMap, roots: Sequence[str] = ()) -> None:
        self._place = place
        self._map = path_map
        self._roots = [root.rstrip("/") + "/" for root in roots]

    def parts(self) -> Iterator[Part]:
        """Parts of one folder each, in the order of the list. Raises SourceNotFound for the list itself."""
        base = str(self._place.absolute().parent)
        part = Part("")
        for line in read_list(self._place):
            if isinstance(line, Unlisted):
                shown = self._map.mapped(line.path) or line.path
                part.unreadable.append(Unreadable(shown.lstrip("/"), line.reason, line.why))
                continue
            mapped = self._map.mapped(line)
            if mapped is None:
                part.unreadable.append(Unreadable(line, NO_MOUNT, "name"))
                continue
            path = posixpath.normpath(posixpath.join(base, mapped))
            if self._roots and not any(path.startswith(root) for root in self._roots):
                part.unreadable.append(Unreadable(path.lstrip("/"), OUTSIDE, "outside"))
                continue
            folder, name = os.path.split(path.lstrip("/"))
            if folder != part.folder or len(part.files) >= PART or len(part.unreadable) >= PART:
                yield part
                part = Part(folder)
            part.take(name, UNKNOWN, UNKNOWN)
        yield part
