"""Keeps what was used most recently, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock


class Recent[K: Hashable, V]:
    """A bounded memory for many threads; what was used longest ago goes first, what was kept last stays in any case."""

    def __init__(self, capacity: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        """`capacity` is in whatever `weigh` measures: values, unless it says otherwise."""
        self._capacity = capacity
        self._weigh = weigh
        self._lock = Lock()
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._weight = 0

    def get(self, key: K) -> V | None:
        """The value, which counts as used now."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
        return found

    def keep(self, key: K, value: V) -> None:
        """Remember a value, in place of the one that the key had."""
        with self._lock:
            before = self._kept.pop(key, None)
            self._weight += self._weigh(value) - (0 if before is None else self._weigh(before))
            self._kept[key] = value
            while self._weight > self._capacity and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._weight -= self._weigh(oldest)
