"""Collects series in a temporary database and writes them as one JSON array: for the command line, without a server."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from readingroom.nas_index.header import Header
from readingroom.nas_index.records import Failed, Found
from readingroom.sources import FileEntry, printable

FIELDS = (
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "SeriesDescription",
    "SeriesNumber",
    "Modality",
    "AccessionNumber",
    "InstitutionName",
)
"""Of each series, beside its key and its files; the names are DICOM's own."""

_TABLES = f"""
    CREATE TABLE series (id INTEGER PRIMARY KEY, key TEXT UNIQUE, {", ".join(f"{name} TEXT" for name in FIELDS)});
    CREATE TABLE file (series INTEGER, path TEXT, size INTEGER, number INTEGER, PRIMARY KEY (series, path))
    WITHOUT ROWID;
"""


class SeriesFile:
    """What a run keeps where there is no catalogue. Nothing of it is in memory; it is gone when it is closed."""

    def __init__(self, spelt: Callable[[str], str] = lambda path: path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="build-index-")
        # Used by the one thread that reads; autocommit is off, nobody else looks.
        self._database = sqlite3.connect(Path(self._folder.name) / "series.db", isolation_level=None)
        self._database.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; {_TABLES}"
        )
        self._spelt = spelt
        self.series = 0
        self.files = 0
        self.recent: list[Failed] = []
        """The last errors."""

    def compare(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
        """All of them: nothing was read before."""
        return list(entries)

    def store(self, found: Sequence[Found], failed: Sequence[Failed] = ()) -> None:
        """Keep these."""
        self._database.execute("BEGIN")
        for key, header in {each.key: each.header for each in reversed(found)}.items():
            self._add_series(key, header)
        ids = {key: self._id_of(key) for key in {each.key for each in found}}
        rows = [(ids[each.key], self._spelt(each.path), each.size, _number(each.numbered[1])) for each in found]
        self._database.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")
        self.files += len(found)
        self.recent = [*self.recent, *failed][-20:]

    def unreadable(self, path: str) -> None:
        """Nothing is kept of what was seen before."""

    def write(self, place: Path) -> None:
        """Write the array in one step: whoever reads the file sees the old one, or all of the new one."""
        with replacing(place) as out:
            out.write("[")
            for number, series in enumerate(self._all()):
                out.write(",\n" if number else "\n")
                out.write(json.dumps(series, ensure_ascii=False, indent=1))
            out.write("\n]\n")

    def close(self) -> None:
        """Give everything back."""
        self._database.close()
        self._folder.cleanup()

    def _add_series(self, key: str, header: Header) -> None:
        values = [_clean(getattr(header, name)) for name in FIELDS]
        marks = ", ".join("?" * (len(FIELDS) + 1))
        done = self._database.execute(
            f"INSERT OR IGNORE INTO series (key, {', '.join(FIELDS)}) VALUES ({marks})",  # noqa: S608
            [key, *values],
        )
        self.series += done.rowcount

    def _id_of(self, key: str) -> int:
        return int(self._database.execute("SELECT id FROM series WHERE key = ?", [key]).fetchone()[0])

    def _all(self) -> Iterator[dict[str, Any]]:
        cursor = self._database.execute("SELECT * FROM series ORDER BY PatientID, StudyDate, StudyInstanceUID, id")
        for series_id, key, *values in cursor:
            files = self._database.execute(
                "SELECT path, size FROM file WHERE series = ? ORDER BY number IS NULL, number, path", [series_id]
            ).fetchall()
            yield {
                "SeriesKey": key,
                **dict(zip(FIELDS, values, strict=True)),
                "files": [path for path, _ in files],
                "file_count": len(files),
                "size_bytes": sum(size for _, size in files),
            }


class replacing:  # noqa: N801  # used as a verb: `with replacing(place) as out`
    """A text file that takes its place only when the block ends well."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        self._out: TextIO

    def __enter__(self) -> TextIO:
        # It names patients: nobody else reads it unless its owner lets them.
        self._out = os.fdopen(os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
        return self._out

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            try:
                if kind is None:
                    self._out.flush()
                    os.fsync(self._out.fileno())
            finally:
                self._out.close()  # tries once more to write what a full disk did not take, and raises then
            if kind is None:
                self._fresh.replace(self._place)
        finally:
            self._fresh.unlink(missing_ok=True)


def _clean(value: str) -> str:
    return printable(value) if "\0" in value else value.encode("utf-8", "replace").decode()


def _number(value: str) -> int | None:
    try:
        number = int(value)
    except ValueError:
        return None
    return number if abs(number) < 1 << 62 else None
