"""Orthanc over HTTP, for what runs outside of it: one connection kept open per thread."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from readingroom.errors import PacsError, PacsNotFound, PacsUnreachable

CONNECT_SECONDS = 10.0
"""Orthanc is on the same machine or next to it; a connection that takes longer is not coming."""

ANSWER_SECONDS = 300.0
"""Storing a multi-frame file of several hundred MB takes Orthanc well under this."""


class HttpPacs:
    """The Pacs verbs over HTTP/1.1; safe for many threads, each of which gets a connection of its own.

    `authorization` gives the Authorization header's value; it is asked before every request, so that a token may be
    renewed under way. A connection that Orthanc closed while it was idle is opened again without a word.
    """

    def __init__(self, url: str, authorization: Callable[[], str] | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PacsUnreachable(f"{url} is not the address of an Orthanc")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        self._authorization = authorization
        self._kept = threading.local()

    def get(self, path: str) -> bytes:
        """The body that Orthanc answers."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Send a body, get the answer's."""
        return self._ask("POST", path, body, headers or {})

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Replace a resource."""
        return self._ask("PUT", path, body, headers or {})

    def delete(self, path: str) -> None:
        """Remove a resource."""
        self._ask("DELETE", path, None, {})

    def close(self) -> None:
        """Close this thread's connection."""
        connection: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if connection is not None:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        sent = dict(headers)
        if self._authorization is not None:
            sent["Authorization"] = self._authorization()
        connection = self._connection()
        was_open = connection.sock is not None
        try:
            status, answer = _exchange(connection, method, self._prefix + path, body, sent)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            # Orthanc closes idle connections after a second; that is seen only when the next request fails. Every
            # verb may safely be asked twice: storing the same file again is answered AlreadyStored.
            if not was_open or isinstance(error, TimeoutError):
                raise _unreachable(error) from error
            try:
                status, answer = _exchange(connection, method, self._prefix + path, body, sent)
            except (OSError, http.client.HTTPException) as again:
                connection.close()
                raise _unreachable(again) from again
        if status >= 300:
            raise _refused(status, answer)
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = kind(self._host, self._port, timeout=CONNECT_SECONDS)
            self._kept.connection = connection
        return connection


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
) -> tuple[int, bytes]:
    if connection.sock is None:
        connection.connect()
        if connection.sock is not None:
            connection.sock.settimeout(ANSWER_SECONDS)
    try:
        connection.request(method, path, body, dict(headers))
    except (BrokenPipeError, ConnectionResetError):
        # Orthanc refuses a body by answering before it has read all of it: the answer says why, if it got here.
        with contextlib.suppress(OSError, http.client.HTTPException):
            response = connection.getresponse()
            answer = response.read()
            connection.close()
            return response.status, answer
        raise
    response = connection.getresponse()
    return response.status, response.read()


def _unreachable(error: Exception) -> PacsUnreachable:
    return PacsUnreachable(f"Orthanc does not answer: {error or type(error).__name__}")


def _refused(status: int, answer: bytes) -> PacsError:
    said: dict[str, object] = {}
    with contextlib.suppress(ValueError):
        parsed = json.loads(answer)
        said = parsed if isinstance(parsed, dict) else {}
    words = [str(said[key]) for key in ("Message", "message", "Details") if said.get(key)]
    kind = PacsNotFound if status == 404 else PacsError
    return kind(f"Orthanc: {'; '.join(words) or f'HTTP {status}'}", detail={"orthancStatus": status})
