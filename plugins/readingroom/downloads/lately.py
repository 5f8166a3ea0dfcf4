"""Asks whether a download may go on, at most once a second."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from readingroom.clock import Clock

SECONDS = 1.0
"""How long a download that may no longer be had can still get slices."""

DOWNLOADS = 4096
"""Downloads remembered; one that was forgotten is asked for again."""


class Lately:
    """Remembers which downloads were allowed within the last second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, float] = OrderedDict()

    def check(self, download: str, ask: Callable[[], None]) -> None:
        """Call `ask` unless it said yes to this download a moment ago; what it raises goes on."""
        now = self._clock.monotonic()
        with self._lock:
            asked = self._asked.get(download)
        if asked is not None and 0 <= now - asked < SECONDS:
            return
        ask()
        with self._lock:
            self._asked[download] = now
            self._asked.move_to_end(download)
            if len(self._asked) > DOWNLOADS:
                self._asked.popitem(last=False)
