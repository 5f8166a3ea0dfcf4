"""Read-only files somewhere else (a folder, SFTP, SMB) behind four verbs: walk, stat, open, read_range."""

from __future__ import annotations

from readingroom.sources.entries import Beginning, CommandTrial, FileEntry, Unreadable
from readingroom.sources.location import Location, lies_in, parse_location
from readingroom.sources.names import from_printable, printable
from readingroom.sources.opening import open_source
from readingroom.sources.settings import SourceSettings
from readingroom.sources.source import Source

__all__ = [
    "Beginning",
    "CommandTrial",
    "FileEntry",
    "Location",
    "Source",
    "SourceSettings",
    "Unreadable",
    "from_printable",
    "lies_in",
    "open_source",
    "parse_location",
    "printable",
]
