"""Keeps the series that Orthanc has in the catalogue, so that one search finds them beside those of the NAS.

Orthanc is a source among others there: a folder is one of its series, a file one of its instances. Its events bring
a series within a second; what no event told (another Orthanc on the same database, a deleted instance) is found by
holding counts against each other, at the start and from time to time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from readingroom.beside import Beside
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import PacsUnreachable, ReadingRoomError, StoredFileBroken
from readingroom.headers.errors import HeaderError
from readingroom.nas_index.bulk import Bulk, chunks
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.copies import settle_copies
from readingroom.nas_index.header import Header, HeaderReader
from readingroom.nas_index.integrity import settle_integrity
from readingroom.nas_index.records import Found
from readingroom.nas_index.tables import ORTHANC, ORTHANC_NAME
from readingroom.nas_index.visit import Visit
from readingroom.pacs import Pacs
from readingroom.series import FoundSeries, SeriesFile
from readingroom.sources.entries import FileEntry
from readingroom.zipstream import Reader

log = structlog.get_logger(__name__)

GATHER_SECONDS: Final = 0.3
"""What comes within this is looked at together: a study arrives or goes in many series."""

GROWING_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""After a series began it is looked at again so long after the last time, until Orthanc calls it stable."""

AGAIN_SECONDS: Final = 10.0
"""Orthanc or the database did not answer."""

COUNTED_SECONDS: Final = 15 * 60.0
"""So often all counts are held against each other: a hundred thousand series take some seconds."""

SOON_SECONDS: Final = 20.0
"""The same after something was deleted that is no series: an instance, say."""

PAGE: Final = 5_000
"""Series in one answer to that."""

SERIES_AT_ONCE: Final = 50
"""In one visit: between two of them, what an event told comes first."""

RUN: Final = "orthanc"
"""Stands where other sources have the id of a run."""


class Held(Protocol):
    """Series that lie in Orthanc, by Orthanc's id."""

    def held(self, orthanc_id: str) -> FoundSeries | None:
        """The series; None where Orthanc has none of that id."""
        ...

    def files(self, found: FoundSeries) -> Sequence[SeriesFile]:
        """Its files."""
        ...

    def look(self, found: FoundSeries, index: int) -> AbstractContextManager[Reader]:
        """Open one of them for a few bytes."""
        ...


class Arrivals:
    """One thread beside all others; events are taken at once and never fail."""

    def __init__(self, database: Database, clock: Clock, catalogue: Catalogue, pacs: Pacs, orthanc: Held) -> None:
        self._database = database
        self._clock = clock
        self._catalogue = catalogue
        self._orthanc = orthanc
        self._pacs = pacs
        self._headers = HeaderReader()
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}
        """When a series is to be looked at, by Orthanc's id."""
        self._growing: dict[str, int] = {}
        """How often a series was looked at that is not stable yet."""
        self._brought: dict[str, str] = {}
        """Its version when it was: of one with thousands of images the list is read again only where it is another."""
        self._deleted: set[str] = set()
        """Of what kind they were is not known."""
        self._source_id = 0
        """Of Orthanc in the catalogue; 0: not asked yet."""
        self._count_at = 0.0
        self._beside = Beside("orthanc-arrivals", self._turn, again=AGAIN_SECONDS, gather=GATHER_SECONDS)

    def start(self) -> None:
        """Begin, with what is there already."""
        self._beside.start()

    def stop(self) -> None:
        """End after the series that is being looked at."""
        self._beside.stop()

    def arrived(self, series: str) -> None:
        """Orthanc has the first instance of a series."""
        with self._lock:
            self._growing[series] = 0
        self._ask(series)

    def settled(self, series: str) -> None:
        """No more instances of a series come, for now."""
        with self._lock:
            self._growing.pop(series, None)
        self._ask(series)

    def deleted(self, resource: str) -> None:
        """Orthanc lost a resource of whatever kind."""
        with self._lock:
            self._deleted.add(resource)
        self._beside.wake()

    def _ask(self, series: str) -> None:
        with self._lock:
            self._due[series] = self._clock.monotonic()
        self._beside.wake()

    def _turn(self) -> float:
        """Do what is due, or some of it; the seconds until there is something again."""
        source_id = self._source_id = self._source_id or self._catalogue.source(ORTHANC_NAME, ORTHANC, "")
        self._take_deleted(source_id)
        now = self._clock.monotonic()
        with self._lock:
            due = [series for series, at in self._due.items() if at <= now][:SERIES_AT_ONCE]
        if due:
            self._look_at(source_id, due)
        elif now >= self._count_at:
            self._hold_counts(source_id)
            self._count_at = self._clock.monotonic() + COUNTED_SECONDS
        now = self._clock.monotonic()
        with self._lock:
            return max(0.0, min(self._count_at, *self._due.values()) - now) if self._due else self._count_at - now

    def _look_at(self, source_id: int, due: Sequence[str]) -> None:
        visit = self._catalogue.visit(source_id, RUN)
        for series in due:
            if self._beside.is_stopping:
                return
            asked_at = self._due[series]
            try:
                self._bring(visit, series)
            except PacsUnreachable:
                raise
            except ReadingRoomError as error:  # the others are not to wait for it; counting comes back to it
                log.warning("a series of orthanc not looked at", series=series, why=error.message)
                with self._lock:
                    self._growing.pop(series, None)
            self._done(series, asked_at)
        settle_integrity(self._database, source_id)

    def _done(self, series: str, asked_at: float) -> None:
        with self._lock:
            if self._due[series] > asked_at:
                return  # asked for again meanwhile
            times = self._growing.get(series)
            if times is None or times == len(GROWING_SECONDS):
                del self._due[series]
                self._growing.pop(series, None)
                self._brought.pop(series, None)
            else:
                self._due[series] = self._clock.monotonic() + GROWING_SECONDS[times]
                self._growing[series] = times + 1

    def _bring(self, visit: Visit, series: str) -> None:
        """Have the catalogue know of a series what Orthanc has of it at this moment."""
        found = self._orthanc.held(series)
        if found is not None and self._brought.get(series) == found.version:
            return
        files = () if found is None else self._orthanc.files(found)
        entries = {FileEntry(f"{series}/{each.name}", each.size, each.mtime_ns): each for each in files}
        fresh = visit.compare(list(entries))
        if fresh and found is not None:
            header = self._header(found, files[0])
            new = [
                Found(each.path, each.size, each.mtime_ns, header, found.key, _numbered(entries[each]))
                for each in fresh
            ]
            visit.store(new, beside=partial(_settle, key=found.key))
        visit.take_out(series)
        if found is None:
            self._brought.pop(series, None)
        else:
            self._brought[series] = found.version

    def _header(self, found: FoundSeries, first: SeriesFile) -> Header:
        """Of its first file, as that of a file on the NAS; where that cannot be read, what Orthanc knows of it."""
        try:
            with self._orthanc.look(found, 0) as reader:
                header = self._headers.read(partial(_read, reader, first.size), first.size)
            if header.SeriesInstanceUID == found.series_uid:
                return header
        except (HeaderError, StoredFileBroken) as error:
            log.info("orthanc's own words for a series", series=found.id, why=str(error))
        told = {keyword: value for keyword, value in found.facts.items() if keyword in Header._fields}
        return Header("", SeriesInstanceUID=found.series_uid, StudyInstanceUID=found.study_uid, **told)

    def _take_deleted(self, source_id: int) -> None:
        with self._lock:
            deleted, self._deleted = self._deleted, set()
        if not deleted:
            return
        known = self._known(source_id, deleted)
        for each in known:
            self._ask(each)
        if known != deleted:
            self._count_at = min(self._count_at, self._clock.monotonic() + SOON_SECONDS)

    def _hold_counts(self, source_id: int) -> None:
        """Have each series looked at of which Orthanc has more or fewer instances than the catalogue."""
        # In this order: what arrives meanwhile is looked at once too often, and never taken for gone.
        known = self._counts(source_id)
        there = self._there()
        other = {series for series, count in there.items() if known.get(series) != count}
        other |= known.keys() - there.keys()
        for each in other:
            self._ask(each)
        if other:
            log.info("series of orthanc to look at", series=len(other))
        self._catalogue.seen_whole(source_id)

    def _known(self, source_id: int, resources: Collection[str]) -> set[str]:
        """Those of these ids that are series which the catalogue had at some time."""
        found: set[str] = set()
        with self._database.read() as connection:
            bulk = Bulk(connection)
            for some in chunks(sorted(resources)):
                listed, values = bulk.among(some)
                rows = bulk.rows(
                    f"SELECT path FROM {{}}nas_folder WHERE source_id = ? AND path {listed}",  # noqa: S608
                    [source_id, *values],
                )
                found.update(row[0] for row in rows)
        return found

    def _counts(self, source_id: int) -> Mapping[str, int]:
        """Instances of each series that the catalogue has."""
        with self._database.read() as connection:
            rows = Bulk(connection).rows(
                "SELECT d.path, count(*) FROM {}nas_folder d JOIN {}nas_file f ON f.folder_id = d.id "
                "WHERE d.source_id = ? GROUP BY d.path",
                [source_id],
            )
        return {str(path): int(count) for path, count in rows}

    def _there(self) -> Mapping[str, int]:
        """Instances of each series that Orthanc has."""
        counts: dict[str, int] = {}
        page: Collection[object] = range(PAGE)
        since = 0
        while len(page) == PAGE:
            question = {
                "Level": "Series", "Query": {}, "Since": since, "Limit": PAGE,
                "ResponseContent": ["RequestedTags"], "RequestedTags": ["NumberOfSeriesRelatedInstances"],
            }  # fmt: skip
            answer = json.loads(self._pacs.post("/tools/find", json.dumps(question).encode()))
            for each in answer:
                counts[str(each["ID"])] = int(each["RequestedTags"].get("NumberOfSeriesRelatedInstances") or 0)
            page = answer
            since += PAGE
        return counts


def _settle(connection: Connection, key: str) -> None:
    settle_copies(Bulk(connection), [key])


def _numbered(file: SeriesFile) -> tuple[str, str]:
    return file.sop_instance_uid, "" if file.instance_number is None else str(file.instance_number)


def _read(reader: Reader, size: int, offset: int, length: int) -> bytes:
    target = bytearray(max(min(length, size - offset), 0))
    reader.read_into(offset, memoryview(target))
    return bytes(target)
