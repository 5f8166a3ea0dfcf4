"""How a download is described in HTTP: ranges, names, headers."""

from __future__ import annotations

import re
from urllib.parse import quote

from flask import Response

from readingroom.downloads.plan import Plan
from readingroom.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=([0-9]{0,20})-([0-9]{0,20})", re.IGNORECASE)
"""Up to 2⁶⁴, which some say for "to the end"; Python refuses to read numbers of thousands of digits."""


def byte_range(header: str, length: int) -> tuple[int, int] | None:
    """Start and stop of a Range header's one range; None where there is none that we follow (RFC 9110 section
    14.1.2).

    Several ranges, or a unit that is not bytes, are ignored, as a server may. Raises RangeNotSatisfiable.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, stop = max(length - int(found[2]), 0), length
    else:
        start, stop = int(found[1]), min(int(found[2]) + 1, length) if found[2] else length
        if found[2] and int(found[2]) < start:
            return None
    if start >= length or start >= stop:
        raise RangeNotSatisfiable("The range lies outside the file.", headers={"Content-Range": f"bytes */{length}"})
    return start, stop


def disposition(file_name: str) -> str:
    """Content-Disposition for a file to save (RFC 6266; the second form where the name is not ASCII)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in file_name)
    named = f'attachment; filename="{plain}"'
    return named if plain == file_name else f"{named}; filename*=UTF-8''{quote(file_name, safe='')}"


def described(response: Response, plan: Plan) -> Response:
    """The response with what every answer of this plan says of it."""
    response.mimetype = "application/zip"
    response.headers["Content-Disposition"] = disposition(plan.file_name)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-store"
    if "X-Accel-Redirect" not in response.headers:
        response.headers["ETag"] = plan.layout.etag
    return response
