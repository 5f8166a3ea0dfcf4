"""CRC-32 of files as they pass, remembered where one range of a download ends and the next begins."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from isal import isal_zlib

crc32: Callable[[bytes | memoryview, int], int] = isal_zlib.crc32
"""ISA-L's: 58 GB/s where zlib's does 6.3 (8 MiB in cache, EPYC, Python 3.14); both release the lock."""

DOWNLOADS = 4096
"""Downloads whose boundaries are kept; with all of them about 3 MB."""

BOUNDARIES = 4
"""Boundaries kept of each: the one that the next range starts at, and a few for ranges asked for again."""

KEEP_SECONDS = 1.0
"""A quick download learns hundreds of CRCs a second: they are kept together, and at most this much is lost."""


class Ledger:
    """Running CRCs at range boundaries, the least recently used forgotten first.

    Kept per download, not per file: what one download has seen of a file says nothing about what another was
    sent. A value that is missing costs one more reading of the file's beginning, nothing else.
    """

    def __init__(self, downloads: int = DOWNLOADS) -> None:
        self._capacity = downloads
        self._lock = threading.Lock()
        self._downloads: OrderedDict[str, dict[tuple[int, int], int]] = OrderedDict()

    def remember(self, download: str, index: int, offset: int, value: int) -> None:
        """The first `offset` bytes of that file, as this download was sent them, have this CRC."""
        with self._lock:
            boundaries = self._downloads.setdefault(download, {})
            boundaries.pop((index, offset), None)
            boundaries[index, offset] = value
            if len(boundaries) > BOUNDARIES:
                del boundaries[next(iter(boundaries))]
            self._downloads.move_to_end(download)
            if len(self._downloads) > self._capacity:
                self._downloads.popitem(last=False)

    def recall(self, download: str, index: int, offset: int) -> int | None:
        """What was remembered, or None."""
        with self._lock:
            return self._downloads.get(download, {}).get((index, offset))


class Learnt:
    """CRC-32s of one archive's files that were not known beforehand; used by several threads at once.

    `keep` is handed those that are new, now and then: whoever makes the archive again knows them then.
    """

    def __init__(
        self, known: Mapping[int, int] | None = None, keep: Callable[[Mapping[int, int]], None] | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._values = dict(known or {})
        self._fresh: dict[int, int] = {}
        self._keep = keep
        self._kept_at = time.monotonic()

    def value(self, index: int) -> int | None:
        """The CRC-32 of that file, or None."""
        with self._lock:
            return self._values.get(index)

    def agrees(self, index: int, value: int) -> bool:
        """Take what a file was found to have; False when it was found to have something else before."""
        with self._lock:
            known = self._values.get(index)
            if known is None:
                self._values[index] = self._fresh[index] = value
            return known in (None, value)

    def hand_over(self, *, now: bool = False) -> None:
        """Have what is new kept: at most once in KEEP_SECONDS, unless it is to be `now`."""
        with self._lock:
            moment = time.monotonic()
            if not self._fresh or self._keep is None or (not now and moment - self._kept_at < KEEP_SECONDS):
                return
            fresh, self._fresh, self._kept_at = self._fresh, {}, moment
        self._keep(fresh)
