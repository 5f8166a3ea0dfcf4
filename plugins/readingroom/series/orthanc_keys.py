"""Which series of Orthanc has a SeriesKey: a hash that Orthanc does not know, so all its series are gone through."""

from __future__ import annotations

import json
import threading

from readingroom.clock import Clock
from readingroom.pacs import Pacs
from readingroom.series.model import key_of

PAGE = 5_000
"""Series in one answer: about 1 MB."""

AGAIN_SECONDS = 60.0
"""A key that is not there may be asked for again and again; all series are not."""


class OrthancKeys:
    """SeriesInstanceUIDs by SeriesKey; safe for many threads. Of 100,000 series it takes some 20 MB."""

    def __init__(self, pacs: Pacs, clock: Clock) -> None:
        self._pacs = pacs
        self._clock = clock
        self._lock = threading.Lock()
        self._uids: dict[bytes, str] = {}
        self._read_at: float | None = None

    def uid(self, key: str) -> str:
        """The SeriesInstanceUID with that key (40 hex digits), or "". Raises PacsError."""
        digest = bytes.fromhex(key)
        found = self._uids.get(digest)
        if found is not None:
            return found
        with self._lock:  # one thread goes through them, the others wait for it
            now = self._clock.monotonic()
            if self._read_at is None or now - self._read_at >= AGAIN_SECONDS:
                self._uids = self._all()
                self._read_at = now
        return self._uids.get(digest, "")

    def _all(self) -> dict[bytes, str]:
        uids: dict[bytes, str] = {}
        since = 0
        while True:
            question = {
                "Level": "Series", "Query": {}, "Since": since, "Limit": PAGE,
                "ResponseContent": ["RequestedTags"], "RequestedTags": ["SeriesInstanceUID"],
            }  # fmt: skip
            page = json.loads(self._pacs.post("/tools/find", json.dumps(question).encode()))
            for each in page:
                uid = str(each["RequestedTags"].get("SeriesInstanceUID", ""))
                uids[bytes.fromhex(key_of(uid))] = uid
            if len(page) < PAGE:
                return uids
            since += PAGE
