"""The route that the gateway fetches zips from, slice by slice."""

from __future__ import annotations

from flask import Response, request

from readingroom.downloads.keys import Keys
from readingroom.downloads.sending import Sender
from readingroom.identity import PUBLIC
from readingroom.routing import Area, caller

HIDDEN = "-"
"""In the path: the key stands in KEY_HEADER. Orthanc writes paths into its log when it is told to say much."""

KEY_HEADER = "X-Readingroom-Zip"


def routes(sender: Sender, keys: Keys) -> Area:
    """The area of slices."""
    area = Area("slices", "Downloads")

    @area.get("/api/zip/<key>", capability=PUBLIC, errors=(401, 404, 409, 416, 429))
    def zip_part(key: str) -> Response:
        """A byte range of a download under way; the key, which the download's own route gave out, is the
        permission.
        """
        if key == HIDDEN and caller().through_gateway:
            key = request.headers.get(KEY_HEADER, "")
        wanted = request.headers.get("Range", "")
        return sender.part(keys.unlock(key), caller(), wanted, request.headers.get("If-Range", ""))

    return area
