"""Byte ranges of what Orthanc keeps, over its own HTTP port: its in-process calls know no headers."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

from readingroom.errors import PacsError, PacsNotFound, PacsUnreachable

ANSWER_SECONDS = 60.0
"""For one range of a few MB; a storage behind Orthanc (S3, say) may be slow to begin."""

SKIPPED_BYTES = 1 << 20
"""Read at a time of what lies before the range, where Orthanc sends all of it."""


class PacsRanges:
    """Calls for `start` up to `stop` of the resource at a path; safe for many threads.

    Each call has a connection of its own, closed at once: an idle one would hold a thread of the very server that
    waits.
    """

    def __init__(self, url: str, authorization: Callable[[], str]) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._netloc = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._authorization = authorization

    def __call__(self, path: str, start: int, stop: int) -> bytes:
        """The bytes, fewer when the resource ends before. Raises PacsNotFound, PacsUnreachable, PacsError."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._netloc, timeout=ANSWER_SECONDS)
        headers = {
            "Authorization": self._authorization(),
            "Range": f"bytes={start}-{stop - 1}",
            "Connection": "close",
        }
        try:
            connection.request("GET", self._prefix + path, headers=headers)
            return _body(connection.getresponse(), start, stop)
        except (OSError, http.client.HTTPException) as error:
            raise PacsUnreachable(f"Orthanc does not answer: {error or type(error).__name__}") from error
        finally:
            connection.close()


def _body(answer: http.client.HTTPResponse, start: int, stop: int) -> bytes:
    if answer.status == 404:
        raise PacsNotFound("Orthanc has no such resource.")
    if answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        return answer.read(stop - start)
    if answer.status != 200:
        raise PacsError(f"Orthanc: HTTP {answer.status}", detail={"orthancStatus": answer.status})
    # An Orthanc, or a storage plugin, that knows no ranges of attachments sends the whole.
    before = start
    while before > 0 and (skipped := answer.read(min(before, SKIPPED_BYTES))):
        before -= len(skipped)
    return answer.read(stop - start)
