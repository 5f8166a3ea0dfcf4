"""Tries the database of a source: whether it answers, and whether the pictures that it names are there."""

from __future__ import annotations

from contextlib import closing
from typing import Protocol

from readingroom.errors import SourceError, SourceNotFound
from readingroom.nas_index.firebird.database import pages
from readingroom.nas_index.firebird.headers import header_of
from readingroom.nas_index.firebird.mapping import mapping_of
from readingroom.sources.entries import FileEntry

TRIED = 20
"""Rows whose pictures are looked for; some may have been deleted."""


class Configured(Protocol):
    """The part of a source's configuration that is needed here."""

    name: str
    firebird: dict[str, object] | None


class Asked(Protocol):
    """Where the pictures lie."""

    def stat(self, path: str) -> FileEntry:
        """Raises SourceError."""
        ...


def look_into(config: Configured, place: Asked) -> int:
    """How many of the first pictures that its database names are there; 0 without a database, or of an empty one.

    Raises SourceError, and BadRequest for a mapping that makes no sense.
    """
    if config.firebird is None:
        return 0
    mapping = mapping_of(config.firebird)
    with closing(pages(mapping)) as read:
        rows = next(read, [])[:TRIED]
    found, missing = 0, ""
    for row in rows:
        try:
            path, _ = header_of(mapping, config.name, row)
            place.stat(path)
            found += 1
        except SourceNotFound as error:
            missing = error.message
        except ValueError as error:
            missing = str(error)
    if rows and not found:
        raise SourceError(
            f"None of the first {len(rows)} pictures that the database names is in the source: {missing}",
            suggestion="Set firebird.path_prefix to what stands before the path below the source, and check which "
            "column holds the path.",
        )
    return found
