"""Remembers answers for a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock

from readingroom.clock import Clock


class Lately[K: Hashable, V]:
    """A bounded memory of answers; two threads may both look one up, none waits for another."""

    def __init__(self, seconds: float, size: int, clock: Clock) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        """The answer, if it was kept a short while ago."""
        with self._lock:
            found = self._kept.get(key)
        return found[0] if found is not None and self._clock.monotonic() < found[1] else None

    def keep(self, key: K, value: V) -> V:
        """Remember an answer, and give it back."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (value, self._clock.monotonic() + self._seconds)
            if len(self._kept) > self._size:
                del self._kept[next(iter(self._kept))]
        return value

    def once(self, key: K, look_up: Callable[[], V]) -> V:
        """The remembered answer, or a fresh one."""
        found = self.get(key)
        return self.keep(key, look_up()) if found is None else found

    def forget(self) -> None:
        """Remember nothing."""
        with self._lock:
            self._kept.clear()

    def drop(self, key: K) -> None:
        """Remember this one no more."""
        with self._lock:
            self._kept.pop(key, None)
