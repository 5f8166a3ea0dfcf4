"""Has de-identified copies made by a process of its own, and removes those that nobody needs any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from readingroom.beside import Beside
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import Conflict
from readingroom.identity import Caller
from readingroom.procedures import Lifeline, start_process
from readingroom.settings import Settings
from readingroom.shares.copying_places import CopyPlaces, remove
from readingroom.shares.copying_queue import CopyQueue
from readingroom.shares.events import ShareCopyAgain
from readingroom.shares.rules import FINISH, Link

log = structlog.get_logger(__name__)

WORKER = "readingroom.copy_worker"

SLOT = "1"
"""One process makes all copies, one after the other: it takes a processor whole."""

STARTING_SECONDS = 15.0
"""A process that was started is not started again within this: it needs a moment to take its slot."""

LOOK_SECONDS = 60.0
"""How often it is seen to that a process works on what waits."""

SWEEP_SECONDS = 3600.0


def slot_of(settings: Settings) -> Lifeline:
    """The lock of the process that makes copies."""
    return Lifeline(settings.data / "run", "share-copy-slot")


class Copying:
    """What links ask of copies (`links.Copies`); `swept_too` is called as often as copies are swept."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, queue: CopyQueue,
        variables: Callable[[], Mapping[str, str]], swept_too: Callable[[], object],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._database = database
        self._clock = clock
        self._queue = queue
        self._variables = variables
        self._swept_too = swept_too
        self._places = CopyPlaces(settings.data)
        self._slot = slot_of(settings)
        self._started: float | None = None
        self._swept: float | None = None
        self._beside = Beside("share-copies", self._turn, again=LOOK_SECONDS)

    def ask(self, link: Link) -> None:
        """Have a link's copy made, if it waits for one."""
        if link.copy_state in ("queued", "preparing"):
            self.see_to_it()

    def drop(self, link: Link) -> None:
        """Its copy is needed no more; it is removed in a moment."""
        self._swept = None
        self._beside.wake()

    def again(self, link: Link, accept_burned_in: bool, caller: Caller) -> None:
        """Have a copy that failed made after all. Raises Conflict when it did not fail."""
        with self._database.write() as connection:
            if not self._queue.again(link, accept_burned_in=accept_burned_in, connection=connection):
                raise Conflict("The copy of this link did not fail.")
            event = ShareCopyAgain(entity_id=link.id, accept_burned_in=accept_burned_in)
            self._queue.trail.record(event, caller, connection)
        self.see_to_it()

    def start(self) -> None:
        """From now on: go on with what was cut off, and sweep, now and then."""
        self._beside.start()

    def stop(self) -> None:
        """No more of that; a process that works goes on."""
        self._beside.stop()

    def see_to_it(self) -> None:
        """Start a process unless one works, or nothing waits."""
        now = time.monotonic()
        if self._started is not None and now - self._started < STARTING_SECONDS:
            return
        if not self._slot.is_dead(SLOT, timedelta.max) or not self._queue.waiting():
            return
        self._started = now

        def ended(_status: int) -> None:
            # It was killed, or somebody asked in the moment in which it looked for the last time.
            self._started = None
            if not self._beside.is_stopping:
                self.see_to_it()

        try:
            start_process(self._settings, WORKER, [], "share-copy.log", ended, self._variables())
        except OSError as error:
            self._started = None
            log.error("the process that makes copies could not be started", why=error.strerror)

    def sweep(self) -> None:
        """Remove copies, whole and half ones, whose link no longer needs them."""
        now = self._clock.now()
        for link_id in list(self._places.links()):
            link = self._queue.find(link_id)
            if link is None or link.revoked_at is not None or link.copy_state in (None, "failed"):
                self._places.drop(link_id)
            elif now >= link.expires_at + FINISH:  # a download that was begun in time may end
                self._queue.gone(link_id)
                self._places.drop(link_id)
            elif link.copy_state == "ready":
                remove(self._places.begun(link_id))

    def _turn(self) -> float:
        now = time.monotonic()
        if self._swept is None or now - self._swept >= SWEEP_SECONDS:
            self._swept = now
            self.sweep()
            self._swept_too()
        self.see_to_it()
        return LOOK_SECONDS
