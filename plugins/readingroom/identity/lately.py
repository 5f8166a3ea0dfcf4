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
        self._forgotten = 0

    def get(self, key: K) -> V | None:
        """The answer, if it was kept a short while ago."""
        with self._lock:
            found = self._kept.get(key)
        return found[0] if found is not None and self._clock.monotonic() < found[1] else None

    def keep(self, key: K, value: V) -> V:
        """Remember an answer, and give it back."""
        with self._lock:
            self._keep(key, value)
        return value

    def _keep(self, key: K, value: V) -> None:
        self._kept.pop(key, None)
        self._kept[key] = (value, self._clock.monotonic() + self._seconds)
        if len(self._kept) > self._size:
            del self._kept[next(iter(self._kept))]

    def once(self, key: K, look_up: Callable[[], V]) -> V:
        """The remembered answer, or a fresh one; one whose looking up began before a `forget` is not remembered."""
        found = self.get(key)
        if found is not None:
            return found
        before = self._forgotten
        found = look_up()
        with self._lock:
            if before == self._forgotten:
                self._keep(key, found)
        return found

    def forget(self) -> None:
        """Remember nothing."""
        with self._lock:
            self._forgotten += 1
            self._kept.clear()

    def drop(self, key: K) -> None:
        """Remember this one no more."""
        with self._lock:
            self._kept.pop(key, None)
