"""The folder of a source that a run is to look at alone: it may be missing although the source is there."""

from __future__ import annotations

from readingroom.errors import SourceError, SourceNotFound
from readingroom.nas_index.listing import Lister


class NoSuchFolder(SourceError):
    """The source is there, and has no folder of that name: that says nothing of the source."""

    code = "folder_not_found"
    error_type = "filesystem"


def see_folder(lister: Lister, whole: Lister) -> None:
    """See that what `lister` begins with is there; `whole` begins with the source itself.

    Raises NoSuchFolder; but SourceNotFound, as of a source that is away, where the source has nothing at all: so a
    mount point looks while nothing is mounted. Raises SourceForbidden for a folder that a link leads to.
    """
    try:
        lister.start()
    except SourceNotFound as missing:
        first = next(iter(whole.listed(whole.start())), None)
        if first is None or not (first.files or first.folders or first.skipped or first.unreadable):
            raise
        raise NoSuchFolder(
            missing.message, suggestion="Check the folder's name: it is one below the source.", path=missing.path
        ) from missing
