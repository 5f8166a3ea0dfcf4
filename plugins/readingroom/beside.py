"""Work beside all requests: one thread that does a turn, waits, and does the next one, until it is told to end."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from readingroom.errors import ReadingRoomError

log = structlog.get_logger(__name__)

STOP_SECONDS = 10.0
"""A turn that does not end within this, because a server hangs it asks, is not waited for."""


class Beside:
    """A turn that fails is told in the log and does not end the thread. Safe for many threads."""

    def __init__(
        self, name: str, turn: Callable[[], float | None], *, again: float, first: float = 0.0, gather: float = 0.0
    ) -> None:
        """`turn` gives the seconds until the next one; None: until somebody wakes it.

        The first comes after `first` seconds, the next after one that failed after `again`; what wakes it within
        `gather` seconds is one turn.
        """
        self._turn = turn
        self._again, self._first, self._gather = again, first, gather
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether it is time to end: a long turn looks now and then."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the turn that is under way."""
        self._stopping.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def wake(self) -> None:
        """Have a turn now, or one more after that which is under way. Returns at once."""
        self._news.set()

    def rest(self, seconds: float) -> bool:
        """Wait so long within a turn; False when it is time to end."""
        return not self._stopping.wait(seconds)

    def _run(self) -> None:
        wait: float | None = self._first
        while not self._stopping.is_set():
            if wait != 0 and self._news.wait(wait):
                self._stopping.wait(self._gather)
            self._news.clear()
            if self._stopping.is_set():
                return
            try:
                wait = self._turn()
            except ReadingRoomError as error:
                log.warning("work_beside_failed", work=self._thread.name, why=error.message)
                wait = self._again
            except Exception:  # the database went, say, or whatever else: the next turn may do better
                log.exception("work_beside_failed", work=self._thread.name)
                wait = self._again
