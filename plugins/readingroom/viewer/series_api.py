"""Routes about one series: its small picture."""

from __future__ import annotations

from flask import Response, request

from readingroom.audit import Trail
from readingroom.routing import Area, caller
from readingroom.series import Origins
from readingroom.thumbnails import Thumbnails
from readingroom.thumbnails import api as pictures
from readingroom.viewer.events import SeriesPictured
from readingroom.viewer.sight import SEES, Sight


def routes(sight: Sight, origins: Origins, thumbnails: Thumbnails, trail: Trail) -> Area:
    """The area of single series."""
    area = Area("viewer", "Viewer")

    @area.get("/api/pacs/studies/<study_uid>/series/<series_uid>/thumbnail", capability=SEES, errors=(404, 429, 503))
    def series_thumbnail(study_uid: str, series_uid: str) -> Response:
        """The middle image of a series, 256 pixels at most (WebP); 304 where the browser has it."""
        found = sight.series(caller().identity, study_uid, series_uid)
        response = pictures.answer(thumbnails.of(found, origins), request.headers.get("If-None-Match", ""))
        if response.status_code == 200:
            trail.record(SeriesPictured(entity_id=found.key), caller())
        return response

    return area
