"""The route of the frame stream: many frames of a series in one answer (docs/frame-stream.md)."""

from __future__ import annotations

from typing import Annotated

from flask import Response, request
from pydantic import Field

from readingroom.audit import Trail
from readingroom.errors import NotFound
from readingroom.frames.streams import Streams
from readingroom.frames.wanted import MOST, Line, wanted
from readingroom.identity.again import Again
from readingroom.manifests import Plans
from readingroom.routing import Area, Body, caller
from readingroom.viewer.events import SeriesViewed
from readingroom.viewer.sight import SEES, Sight

Index = Annotated[int, Field(ge=0, le=0xFFFFFFFE)]


class FramesBody(Body):
    """Which frames, in which order: single ones, and `[first, last]`, downwards where the last is less."""

    study_uid: str = Field(max_length=64)
    series_uid: str = Field(max_length=64)
    version: str = Field(max_length=200)
    frames: list[Index | tuple[Index, Index]] = Field(min_length=1, max_length=MOST)
    accept: list[str] = Field(default=["raw"], max_length=16)
    line: Line = "fast"


def routes(sight: Sight, plans: Plans, streams: Streams, again: Again, trail: Trail) -> Area:
    """The area of frame streams."""
    area = Area("frames", "Viewer")

    @area.post("/api/pacs/frames", capability=SEES, body=FramesBody, errors=(404, 409, 429, 503))
    def frames(body: FramesBody) -> Response:
        """Frames of a series by their place in its manifest, in one stream and in the order asked for.

        The format is told in docs/frame-stream.md: `application/x-readingroom-frames`, records of a 20 byte head and a
        payload. 409 `series_changed` where `version` is not the manifest's present one.
        """
        who = caller()
        found = sight.series(who.identity, body.study_uid, body.series_uid)
        plan = plans.of(found)
        asked = wanted(body.frames, len(plan.frames), body.accept, body.line)
        authorization, cookies = request.headers.get("Authorization"), dict(request.cookies)

        def allowed() -> None:
            now = again.identity(who.identity, authorization, cookies)
            if found.origin not in sight.places(now, body.study_uid, body.series_uid):
                raise NotFound("There is no such series.")

        response = streams.open(plan, body.version, asked, who, allowed)
        trail.record(SeriesViewed(entity_id=found.key, place=found.origin), who)
        return response

    return area
