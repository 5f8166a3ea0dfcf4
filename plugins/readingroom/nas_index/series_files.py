"""The bytes of a catalogued series, straight from the NAS: its files in order, and reading them, nothing imported.

files = SeriesFiles(settings, database)
for file in files.of(key):                    # by InstanceNumber, then path
    with files.open(file) as reader:          # as the catalogue knows it, or SourceChanged
        reader.read_into(0, target)
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from readingroom.db import Database
from readingroom.errors import SourceChanged, SourceNotFound
from readingroom.nas_index import series as finding
from readingroom.nas_index.nas_config import ConfigFile, SourceConfig
from readingroom.nas_index.run_source import config_of, list_roots, path_map_of
from readingroom.nas_index.source_pool import IDLE_SECONDS, SourcePool
from readingroom.settings import Settings
from readingroom.sources import FileEntry, Location, Source, SourceSettings, from_printable, open_source
from readingroom.sources.reading import RawSourceFile

MAX_FILES = 200_000
"""Files of one series that are listed; the largest real ones have some thousands."""

SECOND, MICROSECOND = 1_000_000_000, 1_000

CONNECTIONS = 8
"""To one source, unless its configuration says otherwise: reading a series needs few, indexing needs many."""


@dataclass(frozen=True, slots=True)
class CataloguedFile:
    """One file of a series on a source; `path` is relative to it and printable, size in bytes."""

    source: str
    path: str
    size: int
    mtime_ns: int
    sop_instance_uid: str
    instance_number: int | None


class SeriesReader:
    """One open file; threads may share it and then take turns."""

    def __init__(self, file: RawSourceFile, size: int, shown: str) -> None:
        self._raw = file
        self._lock = threading.Lock()
        self._shown = shown
        self.size = size

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill `target` with the file's bytes from `offset` on; raises SourceError, SourceChanged where it ends."""
        with self._lock:
            self._raw.seek(offset)
            done = 0
            while done < len(target):
                count = self._raw.readinto(target[done:])
                if not count:
                    raise _changed(self._shown, "it is shorter than it was")
                done += count


class SeriesFiles:
    """Reads the files of catalogued series; safe for many threads, does no work of its own beside moving bytes.

    A file is opened only as the catalogue knows it: one that is not there raises SourceNotFound, one of another size
    or time SourceChanged, because it may be another patient's by now. What the source itself says is raised as its
    SourceError (SourceUnreachable, SourceRefused, SourceForbidden).
    """

    def __init__(self, settings: Settings, database: Database, idle_seconds: float = IDLE_SECONDS) -> None:
        self._settings = settings
        self._database = database
        self._file = ConfigFile(settings)
        self._configs: tuple[tuple[int, ...], dict[str, tuple[SourceConfig, str]]] = ((), {})
        self._pool = SourcePool(idle_seconds)

    def of(self, key: str, source: str = "") -> list[CataloguedFile]:
        """The files of the series with that SeriesKey or SeriesInstanceUID; raises NotFound.

        By InstanceNumber, then path. A SOPInstanceUID that lies at several paths comes as often, see `instances`.
        """
        return self.of_series(finding.find(self._database, key, source))

    def of_series(self, series: finding.Series) -> list[CataloguedFile]:
        """The files of a series that was found."""
        listed, _ = finding.files(self._database, series.id, MAX_FILES)
        return [
            CataloguedFile(
                series.source, each.path, each.size, each.mtime_ns, each.sop_instance_uid, each.instance_number
            )
            for each in listed
        ]

    @contextmanager
    def open(self, file: CataloguedFile) -> Iterator[SeriesReader]:
        """Open a file for the length of a block."""
        with self._source(file) as (source, path), _opened(source, path, file) as reader:
            yield reader

    def fill(self, file: CataloguedFile, offset: int, target: memoryview) -> None:
        """Fill `target` with a file's bytes from `offset` on; raises as `open` and its reader do.

        Where that is its end, it is looked at once more: it may have been written to while it was read.
        """
        with self._source(file) as (source, path):
            with _opened(source, path, file) as reader:
                reader.read_into(offset, target)
            if offset + len(target) == file.size:
                _check(file, source.stat(path))

    def read_range(self, file: CataloguedFile, offset: int, size: int) -> bytes:
        """Bytes `offset` up to `offset + size` of a file, fewer where it ends."""
        if offset < 0 or size < 0:
            raise ValueError("offset and size count from zero")
        wanted = max(0, min(size, file.size - offset))
        buffer = io.BytesIO()  # filled in place and given out without a copy: a file may have several hundred MB
        if wanted:
            buffer.seek(wanted - 1)
            buffer.write(b"\0")
        with self.open(file) as reader, buffer.getbuffer() as view:
            reader.read_into(offset, view)
        return buffer.getvalue()

    def read(self, file: CataloguedFile) -> bytes:
        """All of a file."""
        return self.read_range(file, 0, file.size)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    @contextmanager
    def _source(self, file: CataloguedFile) -> Iterator[tuple[Source, str]]:
        """The open source that a file lies on, for the length of a block, and its path there."""
        config, marked = self._config(file.source)
        root, path = self._place(config, from_printable(file.path))
        with self._pool.use((marked, root), lambda: self._connected(config, root)) as source:
            yield source, path

    def _config(self, name: str) -> tuple[SourceConfig, str]:
        """A source's configuration, and what tells it from every other one."""
        # Asked for every file; read again only when somebody wrote it.
        try:
            seen = os.stat(self._file.place)  # noqa: PTH116  # for every file: a Path costs as much as the question
            state: tuple[int, ...] = (seen.st_mtime_ns, seen.st_ino, seen.st_size)
        except OSError:
            state = (0,)
        known_state, known = self._configs
        if state != known_state:
            known = {}
            self._configs = (state, known)
        if name not in known:
            config = config_of(self._settings, name)
            known[name] = config, config.model_dump_json()
        return known[name]

    def _place(self, config: SourceConfig, path: str) -> tuple[str, str]:
        """The folder that the file must not leave, and its path below; the source's own folder is ""."""
        if config.type != "list":
            return "", path
        whole = f"/{path}"
        for root in list_roots(self._settings, config, path_map_of(self._settings)):
            below = root.rstrip("/") + "/"
            if whole.startswith(below):
                return root, whole.removeprefix(below)
        raise SourceNotFound(
            "This file lies outside of what may be read", suggestion="See NAS_PATH_MAP and NAS_ALLOWED_ROOTS."
        )

    def _connected(self, config: SourceConfig, root: str) -> Source:
        location = Location("file", root) if root else config.location()
        settings = config.source_settings(SourceSettings.of(self._settings))
        return open_source(location, replace(settings, connections=config.connection_pool_size or CONNECTIONS))


def instances(listed: Sequence[CataloguedFile]) -> list[list[CataloguedFile]]:
    """The files grouped by SOPInstanceUID, in order: each group holds the copies of one instance."""
    found: dict[str, list[CataloguedFile]] = {}
    for each in listed:
        found.setdefault(each.sop_instance_uid or f"?{each.path}", []).append(each)
    return list(found.values())


def same_moment(one: int, other: int) -> bool:
    """Whether two modification times are one, each as fine as whoever told it tells (whole seconds by SFTP)."""
    if one % SECOND == 0 or other % SECOND == 0:
        return one // SECOND == other // SECOND
    return one // MICROSECOND == other // MICROSECOND


@contextmanager
def _opened(source: Source, path: str, file: CataloguedFile) -> Iterator[SeriesReader]:
    opened = source.open_raw(path)
    try:
        _check(file, opened.entry)
        yield SeriesReader(opened, file.size, file.path)
    finally:
        opened.close()


def _check(file: CataloguedFile, found: FileEntry) -> None:
    if found.size != file.size:
        raise _changed(file.path, "it has another size")
    if not same_moment(found.mtime_ns, file.mtime_ns):
        raise _changed(file.path, "it was written to")


def _changed(shown: str, what: str) -> SourceChanged:
    return SourceChanged(
        f"{shown} is not what was indexed: {what}", suggestion="Index the source again, then it is known.", path=shown
    )
