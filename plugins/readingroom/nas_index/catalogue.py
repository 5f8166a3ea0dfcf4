"""The catalogue: which sources there are, whether they can be reached, and visits that bring it up to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import NotFound
from readingroom.nas_index.copies import settle_copies_of_source
from readingroom.nas_index.firebird.recognising import Kind
from readingroom.nas_index.header import Header
from readingroom.nas_index.rows import NOWHERE, Recognise, Region
from readingroom.nas_index.tables import ORTHANC, nas_source
from readingroom.nas_index.visit import Visit


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One source as the catalogue knows it; sizes in bytes."""

    id: int
    name: str
    kind: str
    location: str
    online: bool
    offline_reason: str
    files: int
    others: int
    series: int
    size: int
    completed_at: datetime | None
    content: Kind
    """What kind of archive it is, as far as was seen."""
    pictures: int
    """JPEG 2000 files that were seen there, catalogued or not."""


def recognise_nothing(_header: Header) -> Region:
    """Of a site without a regional profile."""
    return NOWHERE


class Catalogue:
    """What is known of the files on all sources. Only one visit to a source at a time: `nas_run` sees to that."""

    def __init__(self, database: Database, clock: Clock, recognise: Recognise = recognise_nothing) -> None:
        self._database = database
        self._clock = clock
        self._recognise = recognise

    def source(self, name: str, kind: str, location: str) -> int:
        """The id of the source of that name; made on first use, its kind and location brought up to date."""
        found = {"kind": kind, "location": location}
        with self._database.write() as connection:
            known = connection.scalar(select(nas_source.c.id).where(nas_source.c.name == name))
            if known is not None:
                connection.execute(update(nas_source).where(nas_source.c.id == known).values(**found))
                return int(known)
            row = {"name": name, "created_at": self._clock.now(), **found}
            made = connection.execute(insert(nas_source).values(**row)).inserted_primary_key
            assert made is not None  # noqa: S101  # an INSERT of one row always has a key
            return int(made[0])

    def sources(self) -> list[SourceRecord]:
        """All sources of the NAS, by name."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(nas_source).where(nas_source.c.kind != ORTHANC).order_by(nas_source.c.name)
            ).all()
        return [
            SourceRecord(
                row.id,
                row.name,
                row.kind,
                row.location,
                row.online,
                row.offline_reason,
                row.file_count,
                row.other_count,
                row.series_count,
                row.size_bytes,
                row.completed_at,
                row.content,
                row.picture_count,
            )
            for row in rows
        ]

    def named(self, name: str) -> SourceRecord:
        """The source of that name; raises NotFound."""
        for each in self.sources():
            if each.name == name:
                return each
        raise NotFound("There is no such source.")

    def visit(self, source_id: int, run_id: str, below: str = "") -> Visit:
        """Begin to bring a source up to date, or what lies in the folder `below`: `compare`, `store`, `finish`."""
        return Visit(self._database, self._clock, self._recognise, source_id, run_id, below)

    def seen_whole(self, source_id: int) -> None:
        """All of the source was looked at just now."""
        with self._database.write() as connection:
            changed = update(nas_source).where(nas_source.c.id == source_id)
            connection.execute(changed.values(completed_at=self._clock.now()))

    def recognised(self, source_id: int, content: Kind, pictures: int | None = None) -> None:
        """The source turned out to be that kind of archive, with so many pictures where all of them were counted."""
        values = {"content": content} | ({} if pictures is None else {"picture_count": pictures})
        with self._database.write() as connection:
            connection.execute(update(nas_source).where(nas_source.c.id == source_id).values(**values))

    def offline(self, source_id: int, reason: str) -> None:
        """The source cannot be reached: what is known of it stays, marked so."""
        self._reachable(source_id, False, reason)

    def online(self, source_id: int) -> None:
        """The source can be reached again."""
        self._reachable(source_id, True, "")

    def _reachable(self, source_id: int, online: bool, reason: str) -> None:
        with self._database.write() as connection:
            before = connection.scalar(select(nas_source.c.online).where(nas_source.c.id == source_id))
            changed = update(nas_source).where(nas_source.c.id == source_id)
            connection.execute(changed.values(online=online, offline_reason=reason))
        if before != online:  # where two sources have a series, the one that can be reached is shown
            settle_copies_of_source(self._database, source_id)
