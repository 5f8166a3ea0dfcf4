"""Counts of what happens, for the site's monitoring; cheap enough to count everything."""

from __future__ import annotations

from collections import Counter
from threading import Lock


class Metrics:
    """Named counters; names are Prometheus' (lower case, underscores, unit last)."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, name: str, amount: int = 1) -> None:
        """Count `amount` more under that name."""
        with self._lock:
            self._counts[name] += amount

    def snapshot(self) -> dict[str, int]:
        """All counts so far."""
        with self._lock:
            return dict(self._counts)
