"""Opens a source of any kind by its location."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from readingroom.sources.line import Line
from readingroom.sources.lines import Lines
from readingroom.sources.location import Location, parse_location
from readingroom.sources.settings import SourceSettings
from readingroom.sources.source import Source


def open_source(location: str | Location, settings: SourceSettings | None = None) -> Source:
    """Open a folder, `sftp://user@host:port/path` or `smb://user@host/share/path` for reading.

    Reaches it and sees that the folder is there. Raises BadRequest for a location that makes no
    sense, SourceRefused, SourceNotFound, SourceForbidden or SourceUnreachable.
    """
    place = parse_location(location) if isinstance(location, str) else location
    settings = settings or SourceSettings()
    connect: Callable[[], Line]
    # A kind's library is loaded when it is used: the web process needs neither.
    if place.scheme == "sftp":
        from readingroom.sources.sftp import sftp_connector  # noqa: PLC0415

        connect = sftp_connector(place, settings)
    elif place.scheme == "smb":
        from readingroom.sources.smb import smb_connector  # noqa: PLC0415

        connect = smb_connector(place, settings)
    else:
        from readingroom.sources.local import local_connector  # noqa: PLC0415

        connect = local_connector(place, settings)
        # Nothing to connect: all threads share the one "line".
        settings = replace(settings, connections=1)
    source = Source(place, Lines(connect, settings, place.url))
    try:
        source.check()
    except BaseException:
        source.close()
        raise
    return source
