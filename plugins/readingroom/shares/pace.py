"""How often downloads of one link may begin: each leaves a row, an event in the trail and some reading behind."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from threading import Lock

from readingroom.clock import Clock
from readingroom.errors import TooManyRequests
from readingroom.identity.lately import Lately

ZIPS_A_MINUTE = 60
FILES_A_MINUTE = 1_200
"""A program that fetches 500 files one by one over a quick line asks for some ten a second."""

COSTLY_SECONDS = 30.0
"""One download in this time may be taken up where much has to be read first (`ranges.read_for_nothing`)."""

REMEMBERED = 4096

MINUTE = timedelta(minutes=1)


class Pace:
    """Counts for each link, here in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._since = clock.now()
        self._begun: Counter[tuple[str, str]] = Counter()
        self._costly = Lately[str, bool](COSTLY_SECONDS, REMEMBERED, clock)

    def begin(self, link: str, what: str) -> None:
        """A zip or a file is asked for; raises TooManyRequests."""
        now = self._clock.now()
        with self._lock:
            if not self._since <= now < self._since + MINUTE:
                self._begun.clear()
                self._since = now
            left = self._since + MINUTE - now
            if self._begun[link, what] >= (ZIPS_A_MINUTE if what == "zip" else FILES_A_MINUTE):
                raise TooManyRequests(
                    "Too many downloads by this link were begun; try again in a moment.",
                    retry_after=max(int(left.total_seconds()), 1),
                )
            self._begun[link, what] += 1

    def begin_costly(self, link: str) -> None:
        """One is taken up where much has to be read first; raises TooManyRequests."""
        if self._costly.get(link):
            raise TooManyRequests(
                "Too many downloads by this link were taken up; try again in a moment.",
                retry_after=int(COSTLY_SECONDS),
            )
        self._costly.keep(link, True)
