"""One series as people see it: found by its key or its UID, with its files, what is missing, and where else it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, Select, func, select

from readingroom.db import Database
from readingroom.errors import NotFound
from readingroom.nas_index.integrity import Integrity, gaps
from readingroom.nas_index.tables import ORTHANC, nas_file, nas_folder, nas_series, nas_source

MAX_LISTED = 1000
"""Gaps and duplicates in one answer; a series with more is described well enough by these."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series on one source; DICOM's values as the header has them, size in bytes."""

    id: int
    source_id: int
    key: str
    values: Mapping[str, str]  # by DICOM keyword, see KEYWORDS
    medical_aid: str
    hospital: str
    hospital_group: str
    file_count: int
    size: int
    integrity: Integrity
    source: str
    source_online: bool
    last_seen: datetime
    stored_at: datetime
    also_on: tuple[str, ...] = ()  # other sources that have it, by name

    @property
    def uid(self) -> str:
        """SeriesInstanceUID; empty where the files have none."""
        return self.values["SeriesInstanceUID"]


KEYWORDS = {
    "SeriesInstanceUID": nas_series.c.series_instance_uid,
    "StudyInstanceUID": nas_series.c.study_instance_uid,
    "PatientName": nas_series.c.patient_name,
    "PatientID": nas_series.c.patient_id,
    "PatientBirthDate": nas_series.c.patient_birth_date,
    "PatientSex": nas_series.c.patient_sex,
    "StudyDate": nas_series.c.study_date,
    "StudyTime": nas_series.c.study_time,
    "StudyDescription": nas_series.c.study_description,
    "SeriesDescription": nas_series.c.series_description,
    "SeriesNumber": nas_series.c.series_number,
    "Modality": nas_series.c.modality,
    "BodyPartExamined": nas_series.c.body_part,
    "AccessionNumber": nas_series.c.accession_number,
    "InstitutionName": nas_series.c.institution_name,
}
"""What of a header is kept for a series, by DICOM keyword."""


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """One file of a series; `path` is relative to the source and printable (see sources/names.py), size in bytes."""

    path: str
    size: int
    mtime_ns: int
    sop_instance_uid: str
    instance_number: int | None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One SOPInstanceUID that lies at several paths."""

    sop_instance_uid: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """What is missing from a series, and what is there twice."""

    gaps: tuple[tuple[int, int], ...]  # ranges of InstanceNumber, both ends included
    duplicates: tuple[Duplicate, ...]


def find(database: Database, key: str, source: str = "", *, anywhere: bool = False) -> Series:
    """The series with that SeriesKey or SeriesInstanceUID; raises NotFound.

    Of several sources that have it, the named one, else the one that lists show. It is one of the NAS, unless
    `anywhere` lets it be one that Orthanc alone has.
    """
    statement = _series().order_by(nas_series.c.is_copy, nas_series.c.id).limit(1)
    if not anywhere:
        statement = statement.where(nas_source.c.kind != ORTHANC)
    if source:
        statement = statement.where(nas_source.c.name == source)
    with database.read() as connection:
        # A key is 40 hex digits, and a UID has dots; but both are looked for, because a file may hold anything.
        for column in (nas_series.c.series_key, nas_series.c.series_instance_uid):
            row = connection.execute(statement.where(column == key)).first()
            if row is not None:
                return _with_copies(connection, [_one(row)])[0]
    raise NotFound("There is no such series.")


MAX_OF_STUDY = 2000
"""Series of one study that are listed; a study with some hundred is a large one."""


def of_study(database: Database, study_uid: str) -> list[Series]:
    """The series of a study that the NAS has, each from the source that lists show."""
    statement = _series().where(
        nas_series.c.study_instance_uid == study_uid, nas_series.c.is_copy.is_(False), nas_source.c.kind != ORTHANC
    )
    with database.read() as connection:
        return [_one(row) for row in connection.execute(statement.order_by(nas_series.c.id).limit(MAX_OF_STUDY))]


def by_ids(connection: Connection, ids: Sequence[int]) -> list[Series]:
    """These series, in this order; one that vanished meanwhile is left out."""
    rows = {row.id: row for row in connection.execute(_series().where(nas_series.c.id.in_(ids)))}
    return _with_copies(connection, [_one(rows[each]) for each in ids if each in rows])


def files(database: Database, series_id: int, limit: int = MAX_LISTED, offset: int = 0) -> tuple[list[SeriesFile], int]:
    """A page of a series' files by InstanceNumber, then path, and how many there are in all."""
    statement = _files(series_id).limit(limit).offset(offset)
    counted = select(func.count()).where(nas_file.c.series_id == series_id)
    with database.read() as connection:
        total = connection.scalar(counted) or 0
        return [_file(row) for row in connection.execute(statement)], total


def whole(database: Database, series_id: int) -> Whole:
    """Gaps and duplicates of a series as it is known at this moment."""
    of_series = nas_file.c.series_id == series_id
    numbers = select(nas_file.c.instance_number).where(of_series, nas_file.c.instance_number.is_not(None)).distinct()
    twice = (
        select(nas_file.c.sop_instance_uid)
        .where(of_series)
        .group_by(nas_file.c.sop_instance_uid)
        .having(func.count() > 1)
        .order_by(nas_file.c.sop_instance_uid)
        .limit(MAX_LISTED)
    )
    with database.read() as connection:
        missing = gaps(connection.scalars(numbers))
        uids = list(connection.scalars(twice))
        paths: dict[str, list[str]] = {uid: [] for uid in uids}
        for row in connection.execute(_files(series_id).where(nas_file.c.sop_instance_uid.in_(uids))):
            paths[row.sop_instance_uid].append(_file(row).path)
    return Whole(
        tuple(missing[:MAX_LISTED]), tuple(Duplicate(uid, tuple(sorted(found))) for uid, found in paths.items())
    )


def _series() -> Select[Any]:
    return select(
        nas_series, nas_source.c.name, nas_source.c.online, nas_source.c.completed_at
    ).join(nas_source, nas_source.c.id == nas_series.c.source_id)  # fmt: skip


def _files(series_id: int) -> Select[Any]:
    return (
        select(nas_file, nas_folder.c.path)
        .join(nas_folder, nas_folder.c.id == nas_file.c.folder_id)
        .where(nas_file.c.series_id == series_id)
        .order_by(nas_file.c.instance_number.is_(None), nas_file.c.instance_number, nas_folder.c.path, nas_file.c.name)
    )


def _one(row: Any) -> Series:
    seen = [moment for moment in (row.stored_at, row.completed_at) if moment is not None]
    return Series(
        id=row.id,
        source_id=row.source_id,
        key=row.series_key,
        values={keyword: getattr(row, column.name) for keyword, column in KEYWORDS.items()},
        medical_aid=row.medical_aid,
        hospital=row.hospital,
        hospital_group=row.hospital_group,
        file_count=row.file_count,
        size=row.size_bytes,
        integrity=cast(Literal["complete", "gaps", "duplicates", "unknown"], row.integrity or "unknown"),
        source=row.name,
        source_online=row.online,
        last_seen=max(seen),
        stored_at=row.stored_at,
    )


def _with_copies(connection: Connection, found: list[Series]) -> list[Series]:
    """Say of each series which other sources of the NAS have it."""
    if not found:
        return found
    keys = [each.key for each in found]
    rows = connection.execute(
        select(nas_series.c.series_key, nas_source.c.name)
        .join(nas_source, nas_source.c.id == nas_series.c.source_id)
        .where(nas_series.c.series_key.in_(keys), nas_source.c.kind != ORTHANC)
        .order_by(nas_source.c.name)
    ).all()
    names: dict[str, list[str]] = {}
    for row in rows:
        names.setdefault(row.series_key, []).append(row.name)
    return [_also_on(each, names.get(each.key, ())) for each in found]


def _also_on(series: Series, names: Iterable[str]) -> Series:
    others = tuple(name for name in names if name != series.source)
    return replace(series, also_on=others) if others else series


def _file(row: Any) -> SeriesFile:
    path = f"{row.path}/{row.name}" if row.path else row.name
    return SeriesFile(path, row.size, row.mtime_ns, row.sop_instance_uid, row.instance_number)
