"""Routes of single files: the file itself, its header as DICOM JSON, one frame of it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator

from flask import Response, request

from readingroom.audit import Trail
from readingroom.downloads.answers import byte_range, disposition
from readingroom.errors import NotFound, TooManyRequests, UnsupportedMedia
from readingroom.routing import Area, caller
from readingroom.series import FoundSeries
from readingroom.viewer.answers import PRIVATE
from readingroom.viewer.events import FileRead, SeriesViewed
from readingroom.viewer.files import PIECE, Files, InstanceFile
from readingroom.viewer.sight import SEES

AT_ONCE = 24
"""Large files on their way straight out of Orthanc: each holds one of its 50 threads."""

LARGEST_RANGE = 32 << 20
"""A 206 leaves Orthanc with its body in memory; a longer range is answered by the whole (RFC 9110 section 14.2).

Its beginning would do by section 15.3.7, but `curl -C -` takes that for all there is, and ends well.
"""

LARGEST_PART = 64 << 20
"""A part is made in memory."""

MISSES = (404, 409, 415, 416, 429, 503)

Fetched = Callable[[str, FoundSeries, int], None]
"""Told of so many bytes of a series' files that are had by a link alone; raises where it gives no more."""


def routes(files: Files, trail: Trail, fetched: Fetched) -> Area:
    """The area of single files."""
    area = Area("viewer_files", "Viewer")
    places = threading.BoundedSemaphore(AT_ONCE)

    def counted(file: InstanceFile) -> None:
        if link := files.by_link(caller().identity, file):
            fetched(link, file.found, file.file.size)
        trail.record(FileRead(entity_id=file.found.key, place=file.found.origin), caller())

    @area.get("/api/pacs/instances/<handle>/file", capability=SEES, errors=MISSES)
    def instance_file(handle: str) -> Response:
        """The DICOM file, byte for byte; ranges are followed. `wadouri:` of Cornerstone's own loader takes it."""
        file = files.of(caller().identity, handle)
        counted(file)
        response = _sent(files, file, places)
        response.mimetype = "application/dicom"
        response.headers["Content-Disposition"] = disposition(f"{file.file.sop_instance_uid or 'image'}.dcm")
        response.headers["Accept-Ranges"] = "bytes"
        return response

    @area.get("/api/pacs/instances/<handle>/dicomweb", capability=SEES, errors=MISSES)
    def instance_dicomweb(handle: str) -> Response:
        """The header as DICOM JSON (PS3.18 annex F), an array of one: what `wadors:` needs beside its frames.

        Who accepts `multipart/related; type="application/dicom"` gets the file, as WADO-RS gives it; long binary values
        and pixels are left out of the JSON.
        """
        file = files.of(caller().identity, handle)
        if "application/dicom" in _accepted().replace("application/dicom+json", ""):
            if file.file.size > LARGEST_PART:
                raise UnsupportedMedia("This file is too large for a part: ask for it by /file.")
            counted(file)
            return _in_part(b"".join(files.read(file, 0, file.file.size)), "application/dicom")
        trail.record(SeriesViewed(entity_id=file.found.key, place=file.found.origin), caller())
        return Response(files.header(file), mimetype="application/dicom+json", headers={"Cache-Control": PRIVATE})

    @area.get("/api/pacs/instances/<handle>/frames/<number>", capability=SEES, errors=MISSES)
    def instance_frame(handle: str, number: str) -> Response:
        """One frame, from 1, as it is stored; its type names the transfer syntax.

        `wadors:` of Cornerstone's own loader takes it; who accepts `multipart/related` gets one part (PS3.18 8.6.1.2).
        """
        if not number.isdecimal() or len(number) > 6:
            raise NotFound("There is no such image.")
        file = files.of(caller().identity, handle)
        place = files.frame(file, int(number))
        if not place.parts:
            raise UnsupportedMedia("This frame cannot be had by itself: ask for the file.")
        trail.record(SeriesViewed(entity_id=file.found.key, place=file.found.origin), caller())
        kind = f"application/octet-stream; transfer-syntax={place.syntax}"
        return _in_part(files.bytes_of(file, place), kind)

    return area


def _sent(files: Files, file: InstanceFile, places: threading.BoundedSemaphore) -> Response:
    size = file.file.size
    etag = f'"{file.found.version}-{file.index}"'
    same = request.headers.get("If-Range", "") in ("", etag)
    span = byte_range(request.headers.get("Range", ""), size) if same else None
    headers = {"ETag": etag, "Cache-Control": PRIVATE}
    if span is not None and span[1] - span[0] <= LARGEST_RANGE:
        start, stop = span
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return Response(b"".join(files.read(file, start, stop)), status=206, headers=headers)
    if size <= PIECE:
        return Response(b"".join(files.read(file, 0, size)), headers=headers)
    if not places.acquire(blocking=False):
        raise TooManyRequests("Too many files are being sent; try again in a moment.", retry_after=2)
    body = _Body(files.read(file, 0, size), places.release)
    headers["Content-Length"] = str(size)
    return Response(body, headers=headers, direct_passthrough=True)


class _Body:
    """Pieces of a file for WSGI; `close` gives the place back, even when nobody ever read from it.

    The first is read before the status line leaves: what is wrong there can still be said in words.
    """

    def __init__(self, pieces: Iterator[bytes], release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release
        self._pieces = pieces
        try:
            self._first = next(pieces)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield self._first
            yield from self._pieces
        finally:
            self.close()

    def close(self) -> None:
        """The answer is over, one way or another."""
        release, self._release = self._release, None
        if release is not None:
            release()


def _accepted() -> str:
    return request.headers.get("Accept", "")


def _in_part(content: bytes, kind: str) -> Response:
    headers = {"Cache-Control": PRIVATE}
    if "multipart/related" not in _accepted():
        return Response(content, headers=headers | {"Content-Type": kind})
    boundary = secrets.token_hex(16)
    head = f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    outer = f'multipart/related; type="{kind.partition(";")[0]}"; boundary={boundary}'
    whole = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return Response(whole, headers=headers | {"Content-Type": outer})
