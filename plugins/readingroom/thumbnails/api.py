"""The route of small pictures, for lists of series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flask import Response, request

from readingroom.audit import Trail
from readingroom.audit.events import Event
from readingroom.errors import NotFound
from readingroom.routing import Area, caller
from readingroom.series import Origins
from readingroom.thumbnails.thumbnails import Thumbnail, Thumbnails


@dataclass(frozen=True, slots=True, kw_only=True)
class ThumbnailRead(Event):
    """Somebody looked at the small picture of a series."""

    action: ClassVar[str] = "series.thumbnail"
    entity_table: ClassVar[str] = "series"
    folded: ClassVar[bool] = True


def routes(thumbnails: Thumbnails, origins: Origins, trail: Trail) -> Area:
    """The area of small pictures."""
    area = Area("thumbnails", "Series")

    @area.get("/api/series/<key>/thumbnail", capability="index.search", errors=(404, 429, 503))
    def thumbnail(key: str) -> Response:
        """The middle image of a series, 256 pixels at most (WebP); 404 `no_thumbnail` where nothing can be shown."""
        found = origins.find(key)
        if found is None:
            raise NotFound("There is no such series.")
        response = answer(thumbnails.of(found, origins), request.headers.get("If-None-Match", ""))
        if response.status_code == 200:
            trail.record(ThumbnailRead(entity_id=found.key), caller())
        return response

    return area


def answer(picture: Thumbnail, known: str) -> Response:
    """The picture, or 304 where the browser has it; `known` is the request's If-None-Match."""
    headers = {"ETag": picture.etag, "Cache-Control": "private, no-cache"}
    if picture.etag in (each.strip().removeprefix("W/") for each in known.split(",")):
        return Response(status=304, headers=headers)
    return Response(picture.bytes, mimetype=picture.mime, headers=headers)
