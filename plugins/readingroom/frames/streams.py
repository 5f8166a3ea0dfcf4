"""Opens frame streams: counted, handed to the gateway by its socket, or sent out of Orthanc by WSGI."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from flask import Response

from readingroom.downloads.handing import Handing
from readingroom.errors import SeriesChanged, TooManyRequests
from readingroom.frames.ahead import Budget
from readingroom.frames.beforehand import Beforehand, Lines
from readingroom.frames.kept import KeptFrames
from readingroom.frames.maker import Maker
from readingroom.frames.making import Making
from readingroom.frames.stream import Stream, Tally
from readingroom.frames.supply import Supply
from readingroom.frames.wanted import Wanted
from readingroom.identity import Caller
from readingroom.manifests import SeriesPlan
from readingroom.metrics import Metrics
from readingroom.series import Origin
from readingroom.settings import Settings

DIRECT_AT_ONCE = 16
"""Streams straight out of Orthanc, each of which holds one of its 50 HTTP threads for as long as the client takes."""

PIECE = 1 << 20
"""Bytes at a time where Orthanc sends them."""

RETRY_SECONDS = 2


class Streams:
    """Safe for many threads."""

    def __init__(self, settings: Settings, origin: Origin, metrics: Metrics, maker: Maker | None = None) -> None:
        self._origin = origin
        self._metrics = metrics
        kept = KeptFrames(settings.data / "cache" / "frames", settings.frame_cache_mb << 20)
        self._making = Making(origin, kept, maker or Maker(settings), metrics)
        self._has_socket = settings.zip_socket is not None
        self._each, self._all = settings.frame_streams_each, settings.frame_streams
        self._budget = Budget()
        self._direct = threading.BoundedSemaphore(DIRECT_AT_ONCE)
        self._lock = threading.Lock()
        self._open = Counter[str]()
        self._handing = Handing[Stream]("/_frames/")
        self._busy_at = float("-inf")
        self._lines = Lines(settings.data / "cache" / "frames" / "slow-lines", settings.frames_beforehand)
        metrics.gauge("frame_streams_open", self._open.total)

    def beforehand(self, plan: Callable[[str], SeriesPlan | None]) -> Beforehand:
        """What makes frames ready that nobody has asked for yet; `plan` finds a series by Orthanc's id."""
        return Beforehand(self._origin, self._making, self._lines, plan, self._quiet)

    def open(
        self, plan: SeriesPlan, version: str, wanted: Wanted, caller: Caller, allowed: Callable[[], None]
    ) -> Response:
        """Begin a stream for whoever asks; `allowed` raises as soon as they may have it no longer.

        Raises SeriesChanged where `version` is not the series' present one, TooManyRequests.
        """
        if version != plan.version:
            raise SeriesChanged("This series has changed: load its manifest again.", detail={"version": plan.version})
        who = caller.identity.user
        self._handing.sweep()  # else one that nobody fetched would keep its place
        self._enter(who)
        if wanted.line == "slow":
            self._lines.slow()
        supply = Supply(self._origin, plan, wanted, self._making)
        stream = Stream(supply, wanted, self._budget, allowed, partial(self._ended, who))
        if caller.through_gateway and self._has_socket:
            response = stream.head()
            response.headers["X-Accel-Redirect"] = self._handing.keep(stream)
            return response
        if not self._direct.acquire(blocking=False):
            stream.close()
            raise TooManyRequests("Too many images are being sent; try again in a moment.", retry_after=RETRY_SECONDS)
        response = stream.head()
        # A gateway without our socket takes it at its client's pace, and keeps nothing of it in files.
        response.headers["X-Accel-Buffering"] = "no"
        response.response = DirectBody(stream, self._direct.release)
        response.direct_passthrough = True
        return response

    def flow(self, key: str, caller: Caller, headers: Mapping[str, str]) -> Stream:
        """The stream that the gateway was told to fetch, once. Raises NotFound."""
        return self._handing.flow(key, caller, headers)

    def close(self) -> None:
        """Read nothing ahead any more, and end the processes that make frames."""
        self._budget.close()
        self._making.close()

    def _quiet(self) -> float:
        """Seconds since the last stream ended; 0 while there are some."""
        self._handing.sweep()  # else one that nobody fetched would count until the next is opened
        with self._lock:
            return 0.0 if self._open else time.monotonic() - self._busy_at

    def _enter(self, who: str) -> None:
        with self._lock:
            if self._open[who] >= self._each or self._open.total() >= self._all:
                raise TooManyRequests(
                    "Too many images are being loaded at once; try again in a moment.", retry_after=RETRY_SECONDS
                )
            self._open[who] += 1
        self._metrics.add("frame_streams")

    def _ended(self, who: str, tally: Tally) -> None:
        with self._lock:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]
            self._busy_at = time.monotonic()
        self._metrics.add("frames_sent", tally.frames)
        self._metrics.add("frames_failed", tally.failed)
        self._metrics.add("frame_bytes_sent", tally.bytes)


class DirectBody:
    """The bytes of a stream for WSGI; `close` gives the place back, even when nobody ever read from it."""

    def __init__(self, stream: Stream, release: Callable[[], None]) -> None:
        self._stream = stream
        self._release: Callable[[], None] | None = release

    def __iter__(self) -> Iterator[bytes]:
        room = memoryview(bytearray(PIECE))
        try:
            while not self._stream.is_over:
                yield bytes(room[: self._stream.take(room)])
        finally:
            self.close()

    def close(self) -> None:
        """The answer is over, one way or another."""
        release, self._release = self._release, None
        if release is not None:
            release()
            self._stream.close()
