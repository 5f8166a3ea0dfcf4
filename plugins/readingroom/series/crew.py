"""Threads for reading from a NAS: they come when there is work, and go when there is none.

Orthanc's own HTTP threads have a stack of 100 KB (civetweb's default). The libraries behind SMB and SFTP do not fit:
loading them there ends in "Parser stack overflowed". A thread of Python's own has 8 MB.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

IDLE_SECONDS = 10.0
"""A thread that waits costs nothing but some memory, a new one 0.1 ms."""


_here = threading.local()
"""`is_ours` is set in a crew's thread."""


class Crew:
    """As many threads as there are jobs at a time."""

    def __init__(self, name: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self._name = name
        self._idle_seconds = idle_seconds
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._idle = 0
        self._closed = False

    def start(self, job: Callable[[], None]) -> None:
        """Have it done, without waiting; it must not raise. Raises RuntimeError where no thread can be had for it."""
        with self._changed:
            self._jobs.append(job)
            if self._idle >= len(self._jobs):
                self._changed.notify()
                return
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:
            with self._changed:
                if job in self._jobs:
                    self._jobs.remove(job)
                    raise

    def run[T](self, job: Callable[[], T]) -> T:
        """Have it done and wait for it; what it raises is raised here. In a crew's thread it is done at once."""
        if getattr(_here, "is_ours", False):
            return job()
        done: Future[T] = Future()

        def kept() -> None:
            try:
                done.set_result(job())
            except BaseException as error:
                done.set_exception(error)

        self.start(kept)
        return done.result()

    def close(self) -> None:
        """Let idle threads go; what is asked for from now on is still done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        _here.is_ours = True
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._jobs or self._closed, self._idle_seconds)
                self._idle -= 1
                if not self._jobs:
                    return
                job = self._jobs.popleft()
            job()
