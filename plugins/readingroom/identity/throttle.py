"""Growing delays after failed sign-ins, per account name; the gateway limits by address beside it."""

from __future__ import annotations

from threading import Lock

from readingroom.clock import Clock
from readingroom.errors import TooManyRequests

FREE_ATTEMPTS = 5
"""Failures that cost nothing: people mistype."""

LONGEST_DELAY = 60.0
"""Seconds. More would let a stranger keep an account's owner out for little effort."""

FORGET_AFTER = 3600.0
"""Seconds without a failure after which a name starts afresh."""

MAX_NAMES = 20_000
"""About 5 MB; the one that failed longest ago is forgotten first."""


class Throttle:
    """Counts failures per name, in memory: a restart forgets them, each Orthanc counts for itself.

    An address from which a name signed in rightly before has a count of its own, so that a stranger who
    guesses at a name does not keep its owner out. Names are counted whether an account has them or not: the
    delay tells nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}  # → (how many, seconds of the last)
        self._known: dict[tuple[str, str], None] = {}

    def check(self, name: str, ip: str) -> None:
        """Raises TooManyRequests while the name has to wait."""
        with self._lock:
            count, last = self._failures.get(self._key(name, ip), (0, 0.0))
        wait = last + delay(count) - self._clock.monotonic()
        if count and wait > 0:
            raise TooManyRequests("Too many failed sign-ins for this name; wait a little.", retry_after=int(wait) + 1)

    def failed(self, name: str, ip: str) -> None:
        """Count a failure."""
        now = self._clock.monotonic()
        with self._lock:
            key = self._key(name, ip)
            count, last = self._failures.pop(key, (0, now))
            self._failures[key] = (1 if now - last > FORGET_AFTER else count + 1, now)
            _shorten(self._failures)

    def succeeded(self, name: str, ip: str) -> None:
        """Forget the failures, and know the address from now on."""
        with self._lock:
            self._failures.pop(self._key(name, ip), None)
            self._known.pop((name, ip), None)
            self._known[name, ip] = None
            self._failures.pop((name, ip), None)
            _shorten(self._known)

    def _key(self, name: str, ip: str) -> tuple[str, str]:
        return (name, ip) if (name, ip) in self._known else (name, "")


def delay(failures: int) -> float:
    """Seconds to wait after that many failures in a row: 0, then 1, 2, 4 … up to LONGEST_DELAY."""
    return 0.0 if failures < FREE_ATTEMPTS else min(2.0 ** min(failures - FREE_ATTEMPTS, 30), LONGEST_DELAY)


def _shorten[V](remembered: dict[tuple[str, str], V]) -> None:
    while len(remembered) > MAX_NAMES:
        del remembered[next(iter(remembered))]
