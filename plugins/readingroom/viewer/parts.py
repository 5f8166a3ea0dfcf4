"""Puts the viewer's areas together."""

from __future__ import annotations

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.identity import Access
from readingroom.routing import Area
from readingroom.series import Origins
from readingroom.thumbnails import Thumbnails
from readingroom.viewer import series_api
from readingroom.viewer.sight import Sight


def build(
    clock: Clock, trail: Trail, access: Access, origins: Origins, thumbnails: Thumbnails
) -> list[Area]:  # fmt: skip
    """All routes of the viewer."""
    sight = Sight(origins, access, clock)
    return [series_api.routes(sight, origins, thumbnails, trail)]
