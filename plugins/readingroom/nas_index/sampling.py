"""Looks into folders all over a source, to tell what kind of archive it is before anybody saw all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from time import monotonic

from readingroom.errors import SourceError
from readingroom.nas_index.firebird.recognising import BEGINNING
from readingroom.nas_index.listing import Folder, Lister, Part
from readingroom.sources.names import join

FOLDERS = 40
"""Folders that are listed at most."""

EACH = 20
"""Files that count of each: a folder with a million does not speak for all others."""

READ = 3
"""Files that are read of each; the others of that folder are taken for the same."""

SECONDS = 3.0
"""A person may wait for it."""

Sample = list[tuple[str, bytes]]
"""Names and beginnings of files; a picture that is known by its name has no beginning."""


def folders_of(lister: Lister) -> Iterator[Part]:
    """The first part of folders all over the source, at most FOLDERS of them. Never raises for one that is bad."""
    chance = Random(0)  # noqa: S311  # the same folders each time
    open_: list[Folder] = [lister.start()]
    for _ in range(FOLDERS):
        if not open_:
            return
        folder = open_.pop(chance.randrange(len(open_)))
        try:
            part = next(iter(lister.listed(folder)), None)
        except SourceError:
            continue
        if part is not None:
            open_ += chance.sample(part.folders, min(len(part.folders), EACH))
            yield part


def sampled(parts: Iterable[Part], read: Callable[[str, int], bytes], seconds: float = SECONDS) -> Sample:
    """Names and beginnings of some files of these parts, pictures and others as often as they come."""
    end = monotonic() + seconds
    found: Sample = []
    for part in parts:
        pictures = part.pictures
        share = min(1.0, EACH / max(len(part.files) + pictures, 1))
        found += [("picture.jp2", b"")] * _some(pictures, share)
        firsts: Sample = []
        for file in part.files[:READ]:
            try:
                firsts.append((file.name, read(join(part.folder, file.name), BEGINNING)))
            except (SourceError, OSError):
                continue
        wanted = _some(len(part.files), share)
        found += [firsts[number % len(firsts)] for number in range(wanted)] if firsts else []
        if monotonic() > end:
            break
    return found


def _some(many: int, share: float) -> int:
    return min(many, max(1, round(many * share))) if many else 0
