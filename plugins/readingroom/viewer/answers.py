"""Answers that a browser may keep and ask about."""

from __future__ import annotations

import hashlib

from flask import Response, request

PRIVATE = "private, no-cache"
"""Kept by the browser of whoever asked, and asked about each time: rights end, series grow."""


def tagged(body: bytes, version: str = "", mimetype: str = "application/json") -> Response:
    """The body with an ETag, `version` or a hash of it; 304 where the browser has it (RFC 9110 section 8.8.3)."""
    etag = f'"{version or hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": PRIVATE, "Vary": "Authorization, Cookie"}
    known = request.headers.get("If-None-Match", "")
    # A gateway that compresses makes the tag a weak one.
    if etag in (each.strip().removeprefix("W/") for each in known.split(",")):
        return Response(status=304, headers=headers)
    return Response(body, mimetype=mimetype, headers=headers)
