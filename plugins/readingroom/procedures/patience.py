"""An Orthanc that may be restarted in the middle of a long work: asks again until it is back, for a bounded time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from readingroom.errors import PacsError, PacsUnreachable
from readingroom.pacs import Pacs

OUTAGE_SECONDS = 120.0
"""How long an Orthanc that is being restarted is waited for."""

FAULTS = 3
"""How often a failure of Orthanc's own (status 500 and up: disk full, database locked) is tried."""


class PatientPacs:
    """The Pacs verbs, each asked again while Orthanc does not answer; safe for many threads."""

    def __init__(self, pacs: Pacs, stopping: threading.Event, seconds: float = OUTAGE_SECONDS) -> None:
        self._pacs = pacs
        self._stopping = stopping
        self._seconds = seconds

    def get(self, path: str) -> bytes:
        """The body that Orthanc answers."""
        return self._patiently(lambda: self._pacs.get(path))

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Send a body, get the answer's."""
        return self._patiently(lambda: self._pacs.post(path, body, headers))

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Replace a resource."""
        return self._patiently(lambda: self._pacs.put(path, body, headers))

    def delete(self, path: str) -> None:
        """Remove a resource."""
        self._patiently(lambda: self._pacs.delete(path))

    def _patiently[T](self, ask: Callable[[], T]) -> T:
        began, delay, faults = time.monotonic(), 0.25, 0
        while True:
            try:
                return ask()
            except PacsUnreachable:
                if time.monotonic() - began > self._seconds or self._stopping.is_set():
                    raise
            except PacsError as error:
                faults += 1
                if not is_fault(error) or faults == FAULTS or self._stopping.is_set():
                    raise
            self._stopping.wait(delay)
            delay = min(delay * 2, 5.0)


def is_fault(error: PacsError) -> bool:
    """Whether Orthanc itself is in trouble, rather than the request."""
    return _status(error) >= 500


def is_refusal(error: PacsError) -> bool:
    """Whether Orthanc does not accept us at all."""
    return _status(error) in (401, 403)


def _status(error: PacsError) -> int:
    return int(error.detail.get("orthancStatus", 0)) if isinstance(error.detail, dict) else 0
