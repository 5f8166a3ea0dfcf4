"""The images of a series one by one, in display order, as lists of addresses."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from readingroom.manifests import SeriesPlan


class Image(NamedTuple):
    """One image; `number` is its place in the display order, `frame` that in its file, both from 1."""

    number: int
    handle: str
    uid: str
    frame: int


def images(plan: SeriesPlan, start: int = 0, count: int | None = None) -> list[Image]:
    """Some images of a series, or all from `start` on."""
    instances: dict[str, Any] = json.loads(plan.manifest)["instances"]
    handles, uids = instances["handle"], instances["uid"]
    stop = len(plan.frames) if count is None else start + count
    return [
        Image(number, handles[place.file], uids[place.file], place.number)
        for number, place in enumerate(plan.frames[start:stop], start + 1)
    ]


def image_ids(plan: SeriesPlan, scheme: str) -> list[str]:
    """Image ids of a series for Cornerstone's own loaders: relative addresses, which they resolve by the page's."""
    of_file: dict[int, int] = {}
    for place in plan.frames:
        of_file[place.file] = max(of_file.get(place.file, 0), place.number)
    found = []
    for (_, handle, _, frame), place in zip(images(plan), plan.frames, strict=True):
        if scheme == "wadors":
            found.append(f"wadors:/api/pacs/instances/{handle}/frames/{frame}")
        else:
            of_many = f"?frame={frame}" if of_file[place.file] > 1 else ""
            found.append(f"wadouri:/api/pacs/instances/{handle}/file{of_many}")
    return found
