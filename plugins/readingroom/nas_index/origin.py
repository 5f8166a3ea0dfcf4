"""Series that lie on a NAS, as a place among others (`series.Origin`): found in the catalogue, read at the source."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from readingroom.db import Database
from readingroom.errors import NotFound, SourceError, StoredFileBroken
from readingroom.nas_index import series as finding
from readingroom.nas_index.series_files import CataloguedFile, SeriesFiles
from readingroom.series import FoundSeries, SeriesFile
from readingroom.series.crcs import KeptCrcs, fingerprint
from readingroom.series.model import FACTS
from readingroom.zipstream import Reader

SERIES_KEPT = 64
"""Series whose files are remembered; of 1,000 files each, some 30 MB."""


class NasOrigin:
    """Safe for many threads; moves bytes and asks the database, nothing else."""

    def __init__(self, database: Database, files: SeriesFiles, crcs: KeptCrcs) -> None:
        self._database = database
        self._files = files
        self._crcs = crcs
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], list[CataloguedFile]] = OrderedDict()

    def find(self, key: str) -> FoundSeries | None:
        """The series with that SeriesKey or SeriesInstanceUID, from the source that lists show."""
        try:
            series = finding.find(self._database, key)
        except NotFound:
            return None
        listed = self._files.of_series(series)
        found = FoundSeries(
            key=series.key,
            series_uid=series.uid,
            study_uid=series.values["StudyInstanceUID"],
            origin="nas",
            where=series.source,
            facts={keyword: series.values[keyword] for keyword in FACTS},
            file_count=len(listed),
            size_bytes=sum(each.size for each in listed),
            version=fingerprint(*map(_fingerprint, listed)),
            id=str(series.id),
        )
        self._keep(found, listed)
        return found

    def files(self, found: FoundSeries) -> Sequence[SeriesFile]:
        """Its files by InstanceNumber, then path; each under its own name, without the folders it lies in."""
        known = self._crcs.known(found.key)
        return [
            SeriesFile(
                name=each.path.rpartition("/")[2],
                size=each.size,
                mtime_ns=each.mtime_ns,
                crc32=known.get(_fingerprint(each)),
                sop_instance_uid=each.sop_instance_uid,
                instance_number=each.instance_number,
            )
            for each in self._listed(found)
        ]

    @contextmanager
    def open(self, found: FoundSeries, index: int) -> Iterator[Reader]:
        """Open one of its files; raises StoredFileBroken when it is gone, unreadable, or not what was indexed."""
        file = self._listed(found)[index]
        try:
            with self._files.open(file) as reader:
                yield reader
        except SourceError as error:
            # The position, not the path: a path may hold a patient's name, and this reaches the log.
            raise StoredFileBroken("A file of the NAS cannot be read.", detail={"file": index}) from error

    def keep_crcs(self, found: FoundSeries, crcs: Mapping[int, int]) -> None:
        """Keep what was learnt, for files of that path, size and time."""
        listed = self._listed(found)
        self._crcs.keep(found.key, {_fingerprint(listed[index]): value for index, value in crcs.items()})

    def _listed(self, found: FoundSeries) -> list[CataloguedFile]:
        key = (found.id, found.version)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        again = self.find(found.key)
        if again is None or (again.id, again.version) != key:
            raise StoredFileBroken("The NAS was indexed again, and the series is no longer what it was.")
        return self._listed(again)

    def _keep(self, found: FoundSeries, listed: list[CataloguedFile]) -> None:
        with self._lock:
            self._kept[found.id, found.version] = listed
            if len(self._kept) > SERIES_KEPT:
                self._kept.popitem(last=False)


def _fingerprint(file: CataloguedFile) -> str:
    return fingerprint("nas", file.source, file.path, file.size, file.mtime_ns, file.sop_instance_uid)
