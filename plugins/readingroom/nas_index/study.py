"""The series of a study that the catalogue has, without listing their files."""

from __future__ import annotations

from readingroom.db import Database
from readingroom.nas_index import series as finding
from readingroom.series.crcs import fingerprint
from readingroom.series.model import ListedSeries, SeriesFile


def of_study(database: Database, study_uid: str) -> list[ListedSeries]:
    """Its series, each from the source that lists show."""
    return [_listed(database, each) for each in finding.of_study(database, study_uid)]


def _listed(database: Database, series: finding.Series) -> ListedSeries:
    files, _ = finding.files(database, series.id, 1)
    return ListedSeries(
        uid=series.uid or series.key,
        place="nas",
        where=series.source,
        modality=series.values["Modality"],
        number=_number(series.values["SeriesNumber"]),
        description=series.values["SeriesDescription"],
        file_count=series.file_count,
        image_count=series.file_count,
        state=fingerprint(series.id, series.source, series.file_count, series.size, series.stored_at.isoformat()),
        first=next(
            (
                SeriesFile(
                    name=each.path.rpartition("/")[2],
                    size=each.size,
                    mtime_ns=each.mtime_ns,
                    crc32=None,
                    sop_instance_uid=each.sop_instance_uid,
                    instance_number=each.instance_number,
                )
                for each in files
            ),
            None,
        ),
    )


def _number(said: str) -> int | None:
    try:
        return int(said)
    except ValueError:
        return None
