"""Open sources that several threads share, closed when nobody has used them for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from readingroom.errors import SourceError
from readingroom.sources import Source

log = structlog.get_logger(__name__)

IDLE_SECONDS = 60.0
"""A person who reads goes on to the next series within this; a NAS counts its connections."""

SWEEP_SECONDS = 5.0


@dataclass(slots=True)
class _Kept:
    source: Source
    users: int = 0
    since: float = 0.0


class SourcePool:
    """One open source for each key."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle = idle_seconds
        self._kept: dict[Hashable, _Kept] = {}
        self._opening: dict[Hashable, threading.Lock] = {}
        self._changed = threading.Condition()
        self._sweeper: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def use(self, key: Hashable, open_one: Callable[[], Source]) -> Iterator[Source]:
        """The open source of that key for the length of a block; `open_one` makes it where it is not.

        That is waited for by those who want the same one, and by nobody else. Raises SourceError.
        """
        kept = self._taken(key, open_one)
        try:
            yield kept.source
        finally:
            with self._changed:
                kept.users -= 1
                kept.since = time.monotonic()

    def close(self) -> None:
        """Close all; whoever still reads gets an error, and nothing is opened any more."""
        with self._changed:
            self._closed = True
            kept = list(self._kept.values())
            self._kept.clear()
            sweeper = self._sweeper
            self._changed.notify_all()
        for each in kept:
            each.source.close()
        if sweeper is not None:
            sweeper.join(SWEEP_SECONDS)

    def __len__(self) -> int:
        """How many are open."""
        with self._changed:
            return len(self._kept)

    def _taken(self, key: Hashable, open_one: Callable[[], Source]) -> _Kept:
        found = self._found(key)
        if found is not None:
            return found
        with self._changed:
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:  # one thread opens it, the others wait for that one
            found = self._found(key)
            if found is not None:
                return found
            source = open_one()
            with self._changed:
                kept = _Kept(source, users=1)
                if not self._closed:
                    self._kept[key] = kept
                    self._opening.pop(key, None)
                    self._watch()
                    return kept
        source.close()
        raise SourceError("The sources were closed")

    def _found(self, key: Hashable) -> _Kept | None:
        with self._changed:
            if self._closed:
                raise SourceError("The sources were closed")
            kept = self._kept.get(key)
            if kept is not None:
                kept.users += 1
            return kept

    def _watch(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._sweep, name="source-pool", daemon=True)
            self._sweeper.start()

    def _sweep(self) -> None:
        """Close what is idle; ends when nothing is open."""
        while True:
            with self._changed:
                self._changed.wait(min(SWEEP_SECONDS, self._idle))
                now = time.monotonic()
                idle = [key for key, each in self._kept.items() if not each.users and now - each.since >= self._idle]
                closing = [self._kept.pop(key) for key in idle]
                done = self._closed or not self._kept
                if done:
                    self._sweeper = None
            for each in closing:
                try:
                    each.source.close()
                except Exception:
                    log.exception("an idle source could not be closed")
            if done:
                return
