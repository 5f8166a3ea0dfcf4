"""A bounded number of lines to one source, shared by all threads; lost ones are replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from readingroom.errors import SourceError, SourceUnreachable
from readingroom.sources.line import Line, LineLost
from readingroom.sources.settings import SourceSettings

MAX_DELAY = 30.0
"""Seconds: longer than a switch or a NAS service needs to restart, short enough to be watched."""

CONNECTING_AT_ONCE = 3
"""Of more than ten unfinished sign-ins OpenSSH drops some (MaxStartups), and other people use it too."""


FIRST_RETRIES = 3
"""A source that never answered is more likely mistyped than lost: whoever started this is told soon."""


class Lines:
    """Hands out lines. A thread gets an unused one, a new one, or shares the least used one."""

    def __init__(self, connect: Callable[[], Line], settings: SourceSettings, described: str) -> None:
        self.described = described
        self._connect = connect
        self._settings = settings
        self._lock = threading.Lock()
        self._users: dict[Line, int] = {}
        self._being_made = 0
        self._connecting = threading.Semaphore(CONNECTING_AT_ONCE)
        self._reached = False
        self._made = threading.Condition(self._lock)
        self._closed = threading.Event()

    def ask[T](self, verb: Callable[[Line], T]) -> T:
        """The verb's answer; asked again on a new line, with growing pauses, while lines are lost.

        Raises SourceUnreachable when that does not help.
        """
        lost_before = 0
        while True:
            try:
                with self.lease() as line, line.lock:
                    return verb(line)
            except LineLost as lost:
                lost_before += 1
                self.wait_after(lost, lost_before)

    @contextmanager
    def lease(self) -> Iterator[Line]:
        """A line to use for the length of a block; a line found lost in it is not handed out again."""
        line = self.take()
        try:
            yield line
        except LineLost:
            self.drop(line)
            raise
        finally:
            self.give_back(line)

    def take(self) -> Line:
        """A line, until `give_back` or `drop`. Raises LineLost or SourceError when none can be made."""
        with self._lock:
            while True:
                if self._closed.is_set():
                    raise SourceError(f"{self.described} was closed")
                free = min(self._users, key=lambda each: self._users[each], default=None)
                room = len(self._users) + self._being_made < self._settings.connections
                if free is not None and (self._users[free] == 0 or not room):
                    self._users[free] += 1
                    return free
                if room:
                    self._being_made += 1
                    break
                self._made.wait()  # all that may be are being made by other threads: one will be there soon
        return self._make()

    def give_back(self, line: Line) -> None:
        """The line is no longer used by whoever took it."""
        with self._lock:
            if line in self._users:
                self._users[line] -= 1

    def drop(self, line: Line) -> None:
        """That line is lost: it and all unused ones, which most likely broke with it, are closed."""
        with self._lock:
            dead = [each for each, users in self._users.items() if each is line or users == 0]
            for each in dead:
                self._users.pop(each, None)
        for each in dead:
            each.close()

    def wait_after(self, lost: LineLost, times: int) -> None:
        """Pause before trying again; raises SourceUnreachable after the last allowed loss."""
        if times > (self._settings.retries if self._reached else min(self._settings.retries, FIRST_RETRIES)):
            raise SourceUnreachable(
                f"{self.described} cannot be reached: {lost}",
                suggestion="Check that the server is on, its address and port, and firewalls in between.",
            ) from lost
        self._closed.wait(min(self._settings.retry_delay * 2 ** (times - 1), MAX_DELAY))

    def close(self) -> None:
        """Close every line; whoever still reads gets an error."""
        self._closed.set()
        with self._lock:
            lines = list(self._users)
            self._users.clear()
            self._made.notify_all()
        for line in lines:
            line.close()

    def _make(self) -> Line:
        line: Line | None = None
        try:
            with self._connecting:
                line = self._connect()
        finally:
            with self._lock:
                self._being_made -= 1
                kept = line is not None and not self._closed.is_set()
                if line is not None and kept:
                    self._users[line] = 1
                    self._reached = True
                self._made.notify_all()
        if not kept:
            line.close()
            raise SourceError(f"{self.described} was closed")
        return line
