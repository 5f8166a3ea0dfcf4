"""Series that lie on a NAS, as a place among others (`series.Origin`): found in the catalogue, read at the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from readingroom.db import Database
from readingroom.errors import (
    NotFound,
    SourceError,
    SourceForbidden,
    SourceRefused,
    SourceUnreachable,
    StoredFileAway,
    StoredFileBroken,
)
from readingroom.nas_index import series as finding
from readingroom.nas_index.series_files import CataloguedFile, SeriesFiles
from readingroom.recent import Recent
from readingroom.series import FoundSeries, SeriesFile
from readingroom.series.ahead import Ahead
from readingroom.series.crcs import KeptCrcs, fingerprint
from readingroom.series.model import FACTS
from readingroom.zipstream import Reader

SERIES_KEPT = 64
"""Series whose files are remembered; of 1,000 files each, some 30 MB."""


class _Listing:
    """The files of a series, in order, as the catalogue had them at one moment."""

    __slots__ = ("files", "fingerprints", "sizes", "version")

    def __init__(self, files: Sequence[CataloguedFile]) -> None:
        self.files = files
        self.sizes = [each.size for each in files]
        self.fingerprints = [
            fingerprint("nas", each.source, each.path, each.size, each.mtime_ns, each.sop_instance_uid)
            for each in files
        ]
        self.version = fingerprint(*self.fingerprints)


class NasOrigin:
    """Safe for many threads; moves bytes and asks the database, nothing else."""

    def __init__(self, database: Database, files: SeriesFiles, crcs: KeptCrcs) -> None:
        self._database = database
        self._files = files
        self._crcs = crcs
        self._kept = Recent[tuple[str, str], _Listing](SERIES_KEPT)
        self._ahead = Ahead()

    def find(self, key: str) -> FoundSeries | None:
        """The series with that SeriesKey or SeriesInstanceUID, from the source that lists show."""
        try:
            series = finding.find(self._database, key)
        except NotFound:
            return None
        listed = _Listing(self._files.of_series(series))
        found = FoundSeries(
            key=series.key,
            series_uid=series.uid,
            study_uid=series.values["StudyInstanceUID"],
            origin="nas",
            where=series.source,
            facts={keyword: series.values[keyword] for keyword in FACTS},
            file_count=len(listed.files),
            size_bytes=sum(listed.sizes),
            version=listed.version,
            id=str(series.id),
        )
        self._kept.keep((found.id, found.version), listed)
        return found

    def files(self, found: FoundSeries) -> Sequence[SeriesFile]:
        """Its files by InstanceNumber, then path; each under its own name, without the folders it lies in."""
        known = self._crcs.known(found.key)
        listed = self._listed(found)
        return [
            SeriesFile(
                name=each.path.rpartition("/")[2],
                size=each.size,
                mtime_ns=each.mtime_ns,
                crc32=known.get(mark),
                sop_instance_uid=each.sop_instance_uid,
                instance_number=each.instance_number,
            )
            for each, mark in zip(listed.files, listed.fingerprints, strict=True)
        ]

    @contextmanager
    def open(self, found: FoundSeries, index: int) -> Iterator[Reader]:
        """Open one of its files; raises StoredFileBroken when it is gone, unreadable, or not what was indexed.

        That is seen when it is read, which may have happened already: files are read ahead of whoever takes them in
        order.
        """
        listing = self._listed(found)
        reader = _Reader(self, (found.id, found.version), listing, index)
        if listing.files[index].size == 0:
            reader.read_into(0, memoryview(b""))
        yield reader

    @contextmanager
    def look(self, found: FoundSeries, index: int) -> Iterator[Reader]:
        """Open one of its files without reading on; raises StoredFileBroken. For threads of a `Crew` alone."""
        file = self._listed(found).files[index]
        try:
            with self._files.open(file) as reader:
                yield reader
        except SourceError as error:
            raise _broken(error, index) from None

    def read_into(self, key: tuple[str, str], listing: _Listing, index: int, offset: int, target: memoryview) -> None:
        """Bytes of a file, from what was read ahead where they are there. Raises StoredFileBroken."""
        self._ahead.read(key, listing.sizes, partial(self._fetch, listing), index, offset, target)

    def _fetch(self, listing: _Listing, index: int, offset: int, target: memoryview) -> None:
        file = listing.files[index]
        try:
            self._files.fill(file, offset, target)
        except SourceError as error:
            raise _broken(error, index) from None

    def keep_crcs(self, found: FoundSeries, crcs: Mapping[int, int]) -> None:
        """Keep what was learnt, for files of that path, size and time."""
        listed = self._listed(found)
        self._crcs.keep(found.key, {listed.fingerprints[index]: value for index, value in crcs.items()})

    def close(self) -> None:
        """Read nothing ahead any more."""
        self._ahead.close()

    def _listed(self, found: FoundSeries) -> _Listing:
        key = (found.id, found.version)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        again = self.find(found.key)
        if again is None or (again.id, again.version) != key:
            raise StoredFileBroken("The NAS was indexed again, and the series is no longer what it was.")
        return self._listed(again)


def _broken(error: SourceError, index: int) -> StoredFileBroken:
    # The position, not the path, and nothing of what the source said: a path may hold a patient's name, and this
    # reaches the log.
    told = {"file": index, "code": error.code}
    if isinstance(error, (SourceUnreachable, SourceRefused, SourceForbidden)):
        return StoredFileAway(f"The NAS does not give the files of this series now ({error.code}).", detail=told)
    return StoredFileBroken(f"A file of the NAS cannot be read: {error.code}", detail=told)


class _Reader:
    __slots__ = ("_index", "_key", "_listing", "_origin")

    def __init__(self, origin: NasOrigin, key: tuple[str, str], listing: _Listing, index: int) -> None:
        self._origin = origin
        self._key = key
        self._listing = listing
        self._index = index

    def read_into(self, offset: int, target: memoryview) -> None:
        self._origin.read_into(self._key, self._listing, self._index, offset, target)
