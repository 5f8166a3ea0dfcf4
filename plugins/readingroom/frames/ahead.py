"""Gets frames ready ahead of whoever takes them, a few at a time: distance and decoding then cost little."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from readingroom.series.crew import Crew

DEPTH = 8
"""Frames under way or ready, of one stream: 2 ms away each costs some four round trips, so eight files at once
give a frame a millisecond. A client that goes has no more than these read for nothing."""

BYTES = 24 << 20
"""The same in bytes, where frames are large; one is always under way."""

IN_ALL = 96
"""Frames under way or ready of all streams together, beyond one for each."""

PATIENCE = 20.0
"""Seconds that a frame may take before its place in the stream is given up."""


class Budget:
    """What all streams together may have under way, and the threads that do it."""

    def __init__(self, in_all: int = IN_ALL) -> None:
        self.crew = Crew("frames-ahead")
        self.room = threading.BoundedSemaphore(in_all)

    def close(self) -> None:
        """Let the threads go."""
        self.crew.close()


class _Job[T]:
    __slots__ = ("counted", "done", "size")

    def __init__(self, size: int, counted: bool) -> None:
        self.size = size
        self.counted = counted
        self.done = Future[T]()


class Ahead[T]:
    """Work on the frames of one stream, in their order; for one thread at a time."""

    def __init__(
        self, budget: Budget, wanted: Sequence[int], work: Callable[[int], T], size: Callable[[int], int]
    ) -> None:
        """`work(index)` makes a frame, in the budget's threads; `size(index)` is about what that takes, in bytes."""
        self._budget = budget
        self._wanted = wanted
        self._work = work
        self._size = size
        self._jobs: deque[_Job[T]] = deque()
        self._begun = 0
        self._held = 0

    def next(self, patience: float = PATIENCE) -> T:
        """The next one; raises what `work` raised, and TimeoutError where it takes too long."""
        self._fill()
        job = self._jobs.popleft()
        try:
            return job.done.result(patience)
        finally:
            self._let_go(job)

    def close(self) -> None:
        """Work on no more; what is being worked on ends by itself."""
        self._begun = len(self._wanted)
        while self._jobs:
            self._let_go(self._jobs.popleft())

    def _fill(self) -> None:
        while len(self._jobs) < DEPTH and self._begun < len(self._wanted):
            index = self._wanted[self._begun]
            size = self._size(index)
            counted = False
            if self._jobs:  # one is always under way
                if self._held + size > BYTES or not self._budget.room.acquire(blocking=False):
                    return
                counted = True
            job = _Job[T](size, counted)
            self._jobs.append(job)
            self._held += size
            self._begun += 1
            self._budget.crew.start(partial(self._do, job, index))

    def _let_go(self, job: _Job[T]) -> None:
        job.done.cancel()  # where it has not begun
        self._held -= job.size
        if job.counted:
            self._budget.room.release()

    def _do(self, job: _Job[T], index: int) -> None:
        if not job.done.set_running_or_notify_cancel():
            return
        try:
            made = self._work(index)
        except BaseException as error:
            job.done.set_exception(error)
        else:
            job.done.set_result(made)
