"""Reads the files of a series ahead of whoever reads them in order, so that distance costs a download little.

A zip is asked for slice by slice, and each slice takes some files whole: opened, read and closed one after the other,
each would cost several round trips to the NAS, and nothing would move while a slice is on its way out.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from functools import partial

from readingroom.series.crew import Crew

BLOCK = 4 << 20
"""Bytes read at a time: most files whole; a larger one in pieces, several of them at once."""

READERS = 4
"""Threads that read ahead for one download, and connections that it takes."""

WINDOW = 24 << 20
"""Bytes read ahead of one download: what a slice of 8 MB takes, while the next ones are on their way."""

BUDGET = 192 << 20
"""The same of all downloads together; those that come later read for themselves."""

IDLE_SECONDS = 30.0
"""What nobody has asked for within this is thrown away; a slow client takes its next slices before."""

FAST = 300e6
"""Bytes a second from which on nothing is read ahead: a local disk's files need no second thread and no copy."""

Fetch = Callable[[int, int, memoryview], None]
"""Fills a buffer with bytes of a file from an offset on, opening it as `files` knows it; may raise StoredFileBroken."""


@dataclass(slots=True)
class _Block:
    start: int
    stop: int
    read: Future[memoryview] = field(default_factory=Future)


@dataclass(slots=True)
class _Course:
    """One series as it is being read by one or several downloads."""

    sizes: Sequence[int]
    fetch: Fetch
    blocks: dict[tuple[int, int], _Block] = field(default_factory=dict)
    expected: OrderedDict[tuple[int, int], None] = field(default_factory=OrderedDict)  # where reading would go on
    waiting: deque[tuple[int, _Block]] = field(default_factory=deque)
    held: int = 0
    readers: int = 0
    used: float = 0.0
    pace: float = 0.0  # bytes a second, of the quicker ones among the last readings

    def learn(self, count: int, seconds: float) -> None:
        """So many bytes took so long.

        The quicker ones count: the first opens the source, any may have met a full processor; a network is slow each
        time.
        """
        now = count / max(seconds, 1e-6)
        self.pace = max(now, self.pace * 0.9 + now * 0.1)


PLACES = 16
"""Downloads of one series at once that are followed; further ones read for themselves."""


class Ahead:
    """Reads files, and those behind them, with threads of its own; safe for many threads."""

    def __init__(self, window: int = WINDOW, budget: int = BUDGET, idle_seconds: float = IDLE_SECONDS) -> None:
        self._window = window
        self._budget = budget
        self._idle = idle_seconds
        self._crew = Crew("series-ahead", idle_seconds / 3)
        self._lock = threading.Lock()
        self._courses: dict[Hashable, _Course] = {}
        self._held = 0
        self._sweeper: threading.Thread | None = None
        self._ended = threading.Event()

    def read(
        self, key: Hashable, sizes: Sequence[int], fetch: Fetch, index: int, offset: int, target: memoryview
    ) -> None:
        """Fill `target` with a file's bytes from `offset` on, and read ahead where that goes on in order.

        `key` stands for the series as it is: files under the same one have the same `sizes` and bytes. Raises what
        `fetch` raised for these bytes.
        """
        end = offset + len(target)
        if not target:  # an empty file: it is opened at least
            self._crew.run(partial(fetch, index, offset, target))
            return
        course = self._look_ahead(key, sizes, fetch, index, offset, end)
        while offset < end:
            block = self._block(course, index, offset)
            if block is None:
                stop = min(end, (offset // BLOCK + 1) * BLOCK) if course.blocks else end
                began = time.monotonic()
                self._crew.run(partial(fetch, index, offset, target[: stop - offset]))
                course.learn(stop - offset, time.monotonic() - began)
            else:
                stop = min(end, block.stop)
                target[: stop - offset] = self._taken(course, index, block)[offset - block.start : stop - block.start]
                if stop == block.stop:
                    self._drop(course, index, block)
            target = target[stop - offset :]
            offset = stop

    def close(self) -> None:
        """Throw away what was read ahead; reading ahead goes on to the end of the blocks that are being read."""
        self._ended.set()
        with self._lock:
            for course in self._courses.values():
                self._emptied(course)
            self._courses.clear()
        self._crew.close()

    def _look_ahead(
        self, key: Hashable, sizes: Sequence[int], fetch: Fetch, index: int, offset: int, end: int
    ) -> _Course:
        with self._lock:
            course = self._courses.get(key)
            if course is None:
                course = self._courses[key] = _Course(sizes, fetch)
            course.used = time.monotonic()
            in_order = (index, offset) in course.expected
            course.expected.pop((index, offset), None)
            at = (index, end) if end < sizes[index] else (index + 1, 0)
            course.expected[at] = None
            while len(course.expected) > PLACES:
                course.expected.popitem(last=False)
            if in_order and course.pace < FAST and not self._ended.is_set():
                self._plan(course, *at)
            self._watch()
            return course

    def _plan(self, course: _Course, index: int, offset: int) -> None:
        """Have the next bytes read, as many as may be; under the lock."""
        ahead = 0
        while index < len(course.sizes) and ahead < self._window:
            size = course.sizes[index]
            while offset < size and ahead < self._window:
                number = offset // BLOCK
                stop = min((number + 1) * BLOCK, size)
                if (index, number) not in course.blocks:
                    # What a download that was given up had read ahead must not keep another one from it.
                    if course.held >= self._window * len(course.expected) or self._held >= self._budget:
                        return
                    block = course.blocks[index, number] = _Block(offset, stop)
                    course.waiting.append((index, block))
                    course.held += stop - offset
                    self._held += stop - offset
                    if not self._employ(course):  # nobody would read it: whoever needs it does
                        course.waiting.pop()
                        del course.blocks[index, number]
                        course.held -= stop - offset
                        self._held -= stop - offset
                        return
                ahead += stop - offset
                offset = stop
            index, offset = index + 1, 0

    def _employ(self, course: _Course) -> bool:
        """Have one more read, where there may be; False when none does, as no thread can be had."""
        if course.readers < READERS:
            course.readers += 1
            try:
                self._crew.start(partial(self._work, course))
            except RuntimeError:
                course.readers -= 1
        return course.readers > 0

    def _work(self, course: _Course) -> None:
        while True:
            with self._lock:
                if not course.waiting:
                    course.readers -= 1
                    return
                index, block = course.waiting.popleft()
            if not block.read.set_running_or_notify_cancel():
                continue
            try:
                content = memoryview(bytearray(block.stop - block.start))
                began = time.monotonic()
                course.fetch(index, block.start, content)
                course.learn(len(content), time.monotonic() - began)
            except BaseException as error:
                block.read.set_exception(error)
            else:
                block.read.set_result(content)

    def _block(self, course: _Course, index: int, offset: int) -> _Block | None:
        with self._lock:
            block = course.blocks.get((index, offset // BLOCK))
            return block if block is not None and block.start <= offset < block.stop else None

    def _taken(self, course: _Course, index: int, block: _Block) -> memoryview:
        try:
            return block.read.result()
        except CancelledError:  # thrown away as idle in this very moment
            content = memoryview(bytearray(block.stop - block.start))
            self._crew.run(partial(course.fetch, index, block.start, content))
            return content
        except BaseException:
            self._drop(course, index, block)  # who asks again shall have it tried again
            raise

    def _drop(self, course: _Course, index: int, block: _Block) -> None:
        with self._lock:
            if course.blocks.get((index, block.start // BLOCK)) is block:
                del course.blocks[index, block.start // BLOCK]
                course.held -= block.stop - block.start
                self._held -= block.stop - block.start

    def _emptied(self, course: _Course) -> None:
        for block in course.blocks.values():
            block.read.cancel()
        self._held -= course.held
        course.held = 0
        course.blocks.clear()
        course.waiting.clear()

    def _watch(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._sweep, name="series-ahead-sweeper", daemon=True)
            self._sweeper.start()

    def _sweep(self) -> None:
        """Throw away what is idle; ends when nothing is left."""
        while True:
            self._ended.wait(self._idle / 2)
            with self._lock:
                now = time.monotonic()
                for key in [key for key, each in self._courses.items() if now - each.used >= self._idle]:
                    self._emptied(self._courses.pop(key))
                if not self._courses or self._ended.is_set():
                    self._sweeper = None
                    return
