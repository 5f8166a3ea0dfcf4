"""Routes of finding: search, one series, what a list can be narrowed to. Names are DICOM keywords and snake_case."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from readingroom.audit import Trail
from readingroom.clock import iso
from readingroom.db import Database
from readingroom.nas_index import series as finding
from readingroom.nas_index.integrity import Integrity
from readingroom.nas_index.narrowing import Wanted
from readingroom.nas_index.profile import Profile
from readingroom.nas_index.search import Search
from readingroom.nas_index.series import MAX_LISTED, Series
from readingroom.nas_index.series_events import IndexSearched, SeriesViewed
from readingroom.routing import MAX_PAGE, MOST_ROWS, Area, caller

IsInOrthanc = Callable[[Collection[str]], set[str]]
"""Of some SeriesInstanceUIDs, those that Orthanc has too."""


def _a_date(value: object) -> object:
    # As the page sends it, as DICOM writes it, or not at all.
    if not isinstance(value, str):
        return value
    if not value:
        return None
    return datetime.strptime(value, "%Y%m%d").date() if value.isdigit() else date.fromisoformat(value)  # noqa: DTZ007


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text cannot hold the character NUL")
    return text


Line = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
Date = Annotated[date | None, BeforeValidator(_a_date)]


class SearchQuery(BaseModel):
    """What is searched for."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    q: Line = Field("", description="Words of name, ids and descriptions, in any order, case and accent, or a UID")
    modality: Line = ""
    first: Date = Field(None, alias="from", description="Earliest study date, 2024-01-18 or 20240118")
    last: Date = Field(None, alias="to", description="Latest study date")
    medical_aid: Line = ""
    hospital: Line = ""
    hospital_group: Line = ""
    source: Line = Field("", description="One source, or `Orthanc`; else each series is listed once, wherever it is")
    limit: int = Field(50, ge=1, le=MAX_PAGE)
    offset: int = Field(0, ge=0, le=100_000)


class SeriesQuery(BaseModel):
    """Which copy of a series, and which of its files."""

    model_config = ConfigDict(extra="forbid")

    source: Line = ""
    files_limit: int = Field(MAX_LISTED, ge=0, le=MAX_LISTED)
    files_offset: int = Field(0, ge=0, le=MOST_ROWS)


class Shown(BaseModel):
    """One series in a list."""

    SeriesKey: str
    SeriesInstanceUID: str
    StudyInstanceUID: str
    PatientName: str
    PatientID: str
    PatientBirthDate: str
    PatientSex: str
    StudyDate: str
    StudyTime: str
    StudyDescription: str
    SeriesDescription: str
    SeriesNumber: str
    Modality: str
    BodyPartExamined: str
    AccessionNumber: str
    InstitutionName: str
    file_count: int
    size_bytes: int
    source: str
    source_online: bool
    also_on: list[str]
    in_orthanc: bool
    integrity: Integrity
    medical_aid: str
    hospital: str
    hospital_group: str
    last_seen: str


class SearchAnswer(BaseModel):
    """One page, newest study first; `total` says "at least" where it is not exact."""

    results: list[Shown]
    total: int
    total_is_exact: bool
    timezone: str


class FileShown(BaseModel):
    """One file of a series."""

    path: str
    size: int
    instance_number: int | None
    sop_instance_uid: str


class Gap(BaseModel):
    """A range of InstanceNumber that is missing, both ends included."""

    first: int
    last: int


class DuplicateShown(BaseModel):
    """One SOPInstanceUID that lies at several paths."""

    sop_instance_uid: str
    paths: list[str]


class SeriesAnswer(Shown):
    """One series with its files by InstanceNumber."""

    files: list[FileShown]
    files_total: int
    gaps: list[Gap]
    duplicates: list[DuplicateShown]
    timezone: str


class ProfileAnswer(BaseModel):
    """What the regional profile knows: the time zone to show times in, and what lists can be narrowed to."""

    name: str
    timezone: str
    medical_aids: list[str]
    hospital_groups: list[str]
    hospitals: list[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """The parts that the routes close over."""

    database: Database
    search: Search
    profile: Profile
    is_in_orthanc: IsInOrthanc
    trail: Trail


def routes(parts: Finding) -> Area:
    """The area's routes."""
    area = Area("nas_search", "NAS index")

    @area.get("/api/search", capability="index.search", query=SearchQuery, answer=SearchAnswer)
    def search(query: SearchQuery) -> SearchAnswer:
        """Series of all sources and of Orthanc, newest study first; answers while a run still fills the catalogue."""
        found = parts.search.page(
            Wanted(
                words=query.q,
                modality=query.modality,
                first=query.first,
                last=query.last,
                medical_aid=query.medical_aid,
                hospital=query.hospital,
                hospital_group=query.hospital_group,
                source=query.source,
                limit=query.limit,
                offset=query.offset,
            )
        )
        parts.trail.record(IndexSearched(), caller())
        there = parts.is_in_orthanc([each.uid for each in found.series if each.uid])
        return SearchAnswer(
            results=[Shown(**_shown(each, there)) for each in found.series],  # type: ignore[arg-type]  # pydantic checks it
            total=found.total,
            total_is_exact=found.total_is_exact,
            timezone=parts.profile.timezone,
        )

    @area.get("/api/series/<key>", capability="index.search", query=SeriesQuery, answer=SeriesAnswer, errors=(404,))
    def one_series(key: str, query: SeriesQuery) -> SeriesAnswer:
        """One series by SeriesKey or SeriesInstanceUID, with its files, gaps and duplicates."""
        found = finding.find(parts.database, key, query.source, anywhere=True)
        files, total = finding.files(parts.database, found.id, query.files_limit, query.files_offset)
        whole = finding.whole(parts.database, found.id)
        parts.trail.record(SeriesViewed(entity_id=found.key), caller())
        there = parts.is_in_orthanc([found.uid]) if found.uid else set()
        return SeriesAnswer(
            **_shown(found, there),  # type: ignore[arg-type]  # pydantic checks it
            files=[
                FileShown(
                    path=each.path,
                    size=each.size,
                    instance_number=each.instance_number,
                    sop_instance_uid=each.sop_instance_uid,
                )
                for each in files
            ],
            files_total=total,
            gaps=[Gap(first=first, last=last) for first, last in whole.gaps],
            duplicates=[
                DuplicateShown(sop_instance_uid=each.sop_instance_uid, paths=list(each.paths))
                for each in whole.duplicates
            ],
            timezone=parts.profile.timezone,
        )

    @area.get("/api/index/profile", capability="index.search", answer=ProfileAnswer)
    def profile() -> ProfileAnswer:
        """The site's regional profile."""
        return ProfileAnswer(
            name=parts.profile.name,
            timezone=parts.profile.timezone,
            medical_aids=list(parts.profile.medical_aids),
            hospital_groups=list(parts.profile.hospital_groups),
            hospitals=list(parts.profile.hospitals),
        )

    return area


def _shown(series: Series, there: Collection[str]) -> dict[str, object]:
    return {
        **series.values,
        "SeriesKey": series.key,
        "file_count": series.file_count,
        "size_bytes": series.size,
        "source": series.source,
        "source_online": series.source_online,
        "also_on": list(series.also_on),
        "in_orthanc": series.uid in there,
        "integrity": series.integrity,
        "medical_aid": series.medical_aid,
        "hospital": series.hospital,
        "hospital_group": series.hospital_group,
        "last_seen": iso(series.last_seen),
    }
