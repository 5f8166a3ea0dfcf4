"""Whether the store can be used, for whoever asks often: looked at in a thread of its own, never waited for long."""

from __future__ import annotations

import threading

import structlog

from readingroom.clock import Clock
from readingroom.errors import ReadingRoomError
from readingroom.objects.store import ObjectStore

log = structlog.get_logger(__name__)

FRESH_SECONDS = 15.0
"""How old an answer may be: a folder is written to and a bucket asked this often at most."""

FIRST_SECONDS = 2.0
"""How long the first to ask waits; after that the last answer is given, and a new one is on its way."""

SILENT_SECONDS = 30.0
"""From when on a store that does not answer is said to be away: a mount whose server is gone holds its callers up."""

SILENT = "The store of pictures does not answer"


class Standing:
    """What is wrong with a store, if anything is. Safe for many threads."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock
        self._lock = threading.Lock()
        self._known = threading.Event()
        self._wrong: str | None = None
        self._looked: float | None = None
        self._looking: float | None = None

    def wrong(self) -> str | None:
        """What is wrong, in words for a person that name no value of a setting; None where all is well."""
        with self._lock:
            now = self._clock.monotonic()
            if self._looking is None and (self._looked is None or now - self._looked >= FRESH_SECONDS):
                self._looking = now
                threading.Thread(target=self._look, name="objects-standing", daemon=True).start()
        self._known.wait(FIRST_SECONDS)
        with self._lock:
            if self._looking is not None and (
                self._looked is None or self._clock.monotonic() - self._looking >= SILENT_SECONDS
            ):
                return SILENT
            return self._wrong

    def _look(self) -> None:
        wrong: str | None = None
        try:
            self._objects.check()
        except ReadingRoomError as error:
            wrong = error.message
        except Exception:
            log.exception("store_not_looked_at")
            wrong = SILENT
        with self._lock:
            if wrong != self._wrong:
                log.warning("store_changed", wrong=wrong or "")
            self._wrong, self._looked, self._looking = wrong, self._clock.monotonic(), None
            self._known.set()
