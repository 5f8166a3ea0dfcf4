"""Counts of what happens, for the site's monitoring; cheap enough to count everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from threading import Lock


class Metrics:
    """Named counters; names are Prometheus' (lower case, underscores, unit last)."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._gauges: dict[str, Callable[[], int]] = {}
        self._lock = Lock()

    def add(self, name: str, amount: int = 1) -> None:
        """Count `amount` more under that name."""
        with self._lock:
            self._counts[name] += amount

    def gauge(self, name: str, ask: Callable[[], int]) -> None:
        """Ask for a figure that goes up and down, whenever figures are told."""
        self._gauges[name] = ask

    def snapshot(self) -> dict[str, int]:
        """All counts so far, and the figures of this moment."""
        asked = {}
        for name, ask in self._gauges.items():
            with suppress(Exception):  # what cannot be had at the moment is left out, and the others are told
                asked[name] = ask()
        with self._lock:
            return {**self._counts, **asked}
