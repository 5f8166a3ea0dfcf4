"""Puts the viewer's areas together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.frames.streams import Streams
from readingroom.headers.json_writer import JsonWriter
from readingroom.identity import Access
from readingroom.identity.again import Again
from readingroom.manifests import Plans
from readingroom.pacs import Pacs
from readingroom.routing import Area
from readingroom.series import Origins
from readingroom.series.model import Place
from readingroom.thumbnails.thumbnails import Thumbnails
from readingroom.viewer import frames_api, instances_api, series_api
from readingroom.viewer.files import Files
from readingroom.viewer.sight import Sight
from readingroom.viewer.studies import OfStudy, Studies


def build(
    clock: Clock, trail: Trail, access: Access, pacs: Pacs, origins: Origins, plans: Plans, thumbnails: Thumbnails,
    of_study: Mapping[Place, OfStudy], streams: Streams, again: Again, json_writer: JsonWriter,
    looked: Callable[[str], None], fetched: instances_api.Fetched,
) -> list[Area]:  # fmt: skip
    """All routes of the viewer; `of_study` lists a study's series in each place that can.

    `looked` and `fetched` are told of what is had by a link alone (`sight`, `instances_api`).
    """
    sight = Sight(origins, access, clock, looked)
    studies = Studies(sight, origins, of_study)
    return [
        series_api.routes(sight, studies, plans, origins, thumbnails, trail),
        instances_api.routes(Files(sight, origins, plans, pacs, json_writer), trail, fetched),
        frames_api.routes(sight, plans, streams, again, trail),
    ]
