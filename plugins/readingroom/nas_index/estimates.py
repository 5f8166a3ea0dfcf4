"""How fast a run is, and when it will be done: smoothed, so that neither figure jumps about."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

SMOOTHING_SECONDS = 20.0
"""A change of pace shows after about so long; single slow files do not."""

FEWEST_SECONDS = 2.0
"""Of a run before anything is foretold."""

FARTHEST = timedelta(days=60)
"""What is farther away is not foretold: the pace will change before."""


class Estimate:
    """Told how many files are done at which moment."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._moment = started
        self._done = 0
        self._rate = 0.0

    def tell(self, moment: float, done: int) -> None:
        """`done` files are done at that moment (seconds of a clock that never runs backwards)."""
        span = moment - self._moment
        if span <= 0:
            return
        now = (done - self._done) / span
        # At the beginning the plain mean counts; later the last 20 seconds do.
        weight = max(1 - math.exp(-span / SMOOTHING_SECONDS), span / max(moment - self._started, span))
        self._rate += weight * (now - self._rate)
        self._moment, self._done = moment, done

    def rest(self, moment: float) -> None:
        """Time that passed without work: a pause, or a source that was away."""
        self._started += moment - self._moment
        self._moment = moment

    @property
    def files_per_second(self) -> float:
        """The pace now."""
        return max(self._rate, 0.0)

    def completion(self, now: datetime, total: int) -> datetime | None:
        """When `total` files will be done; None while nobody can say."""
        if self._moment - self._started < FEWEST_SECONDS or self._rate <= 0 or total <= 0:
            return None
        left = timedelta(seconds=max(total - self._done, 0) / self._rate)
        return now + left if left < FARTHEST else None
