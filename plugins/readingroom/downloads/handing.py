"""What the gateway was told to fetch from the plugin's own socket (X-Accel-Redirect), until it comes for it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping

from readingroom.downloads.giving import Flow
from readingroom.errors import NotFound
from readingroom.identity import Caller

FETCHED_WITHIN = 30.0
"""Seconds: the gateway fetches what it was told to at once; what it has not by then, its client gave up."""


class Handing[F: Flow]:
    """Keeps answers until they are fetched: each once, and soon. Safe for many threads."""

    def __init__(self, below: str) -> None:
        """`below` is the gateway's own address for them, "/_frames/", with the key behind it."""
        self._below = below
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[F, float]] = {}

    def keep(self, flow: F) -> str:
        """Where the gateway finds it."""
        self.sweep()
        key = secrets.token_urlsafe(24)
        with self._lock:
            self._waiting[key] = flow, time.monotonic() + FETCHED_WITHIN
        return self._below + key

    def flow(self, key: str, caller: Caller, headers: Mapping[str, str]) -> F:
        """What was kept under that key, a `giving.Giver`. Raises NotFound."""
        with self._lock:
            found = self._waiting.pop(key, None)
        if found is None:
            raise NotFound("There is nothing at this address.")
        return found[0]

    def sweep(self) -> None:
        """Give up what the gateway never came for."""
        with self._lock:
            now = time.monotonic()
            late = [key for key, (_, until) in self._waiting.items() if until < now]
            flows = [self._waiting.pop(key)[0] for key in late]
        for flow in flows:
            flow.close()
