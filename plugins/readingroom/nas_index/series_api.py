"""The routes of bringing a series from the NAS into Orthanc."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field
from sqlalchemy import Row

from readingroom.clock import iso
from readingroom.nas_index.import_series import SeriesImports
from readingroom.nas_index.series import Series
from readingroom.routing import Answer, Area, Body, caller


class SeriesImportWish(Body):
    """Which copy of the series; the one that lists show when none is named."""

    source: str = Field("", max_length=200)


class SeriesImportBegun(Answer):
    """The import that was started."""

    job_id: str


class FileError(Answer):
    """Why one file could not be brought in."""

    path: str
    code: str
    message: str
    suggestion: str = ""


class SeriesImportStatus(Answer):
    """How far the newest import of a series is, or how it ended; `none`: it was never imported from here."""

    state: str
    """none, queued, running, done, failed, cancelled, interrupted"""
    done: int = 0
    total: int = 0
    already_there: int = 0
    """Of `done`: Orthanc had them before."""
    failed: int = 0
    """Of `done`: could not be brought in, see `errors`."""
    bytes: int = 0
    bytes_total: int = 0
    message: str = ""
    orthanc_series_id: str | None = None
    errors: list[FileError] = Field(default_factory=list)
    job_id: str | None = None
    source: str = ""
    started_by: str = ""
    started_at: str | None = None
    finished_at: str | None = None


def routes(imports: SeriesImports) -> Area:
    """The area of imports of single series."""
    area = Area("series_import", "NAS index")

    @area.post(
        "/api/series/<key>/import",
        capability="index.run",
        body=SeriesImportWish,
        answer=SeriesImportBegun,
        status=202,
        errors=(404, 409),
    )
    def start(key: str, body: SeriesImportWish) -> SeriesImportBegun:
        """Bring a series into Orthanc, in a process of its own; 409 while it is being imported.

        What Orthanc has already stays as it is, so that one that was cut off goes on when it is asked for again.
        """
        return SeriesImportBegun(job_id=imports.start(caller(), key, body.source))

    @area.get("/api/series/<key>/import", capability="index.search", answer=SeriesImportStatus, errors=(404,))
    def status(key: str) -> SeriesImportStatus:
        """How far the import of a series is."""
        series, row = imports.status(key)
        return _shown(series, row)

    @area.post("/api/series/<key>/import/cancel", capability="index.run", answer=SeriesImportStatus, errors=(404, 409))
    def cancel(key: str) -> SeriesImportStatus:
        """Call the import of a series off; what was brought in stays."""
        imports.cancel(caller(), key)
        return _shown(*imports.status(key))

    return area


def _shown(series: Series, row: Row[Any] | None) -> SeriesImportStatus:
    if row is None:
        return SeriesImportStatus(state="none", total=series.file_count, bytes_total=series.size)
    return SeriesImportStatus(
        state=row.state,
        done=row.files_done,
        total=row.files_total,
        already_there=row.files_there,
        failed=row.files_failed,
        bytes=row.bytes_done,
        bytes_total=row.bytes_total,
        message=row.message,
        orthanc_series_id=row.orthanc_series_id or None,
        errors=[FileError(**each) for each in json.loads(row.errors)],
        job_id=row.id,
        source=row.source_name,
        started_by=row.started_by,
        started_at=iso(row.started_at),
        finished_at=iso(row.finished_at) if row.finished_at else None,
    )
