"""The part of a run that brings in what a database knows of an archive's pictures; as patient as the rest of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from readingroom.errors import SourceError
from readingroom.nas_index.firebird import Pictures, mapping_of
from readingroom.nas_index.firebird.database import DatabaseAway
from readingroom.nas_index.firebird.storing import Counts
from readingroom.nas_index.nas_config import SourceConfig
from readingroom.nas_index.place import IN_FLIGHT, Place
from readingroom.nas_index.progress import Asked, Progress
from readingroom.nas_index.visit import Visit
from readingroom.nas_index.watch import RunStopped, Watch

LISTENS = 0.5
"""Seconds between two looks at what is asked of a run that waits."""


class PicturePass:
    """One pass over the database of a source that has one."""

    def __init__(
        self, config: SourceConfig, place: Place, watch: Watch, progress: Progress, tick: Callable[[Progress], Asked]
    ) -> None:
        self._config = config
        self._place = place
        self._watch = watch
        self._progress = progress
        self._tick = tick
        self._read = (progress.enumerated, progress.processed, progress.errors)

    def store(self, visit: Visit, below: str) -> Counts:
        """Store it all. Raises RunStopped, DatabaseAway, SourceError."""
        if self._place.is_list:
            raise SourceError(
                "Pictures of a database are found in a folder or on a share, not by a list",
                suggestion="Configure the folder itself, with the key firebird.",
            )
        mapping = mapping_of(self._config.firebird or {})
        self._is_there()  # of a mount that went away every picture would be missing
        self._progress.all_enumerated = False
        delay = self._config.retry_delay
        for tried in range(self._config.retry_attempts + 1):
            pictures = Pictures(
                mapping,
                self._config.name,
                self._place.stat,
                below=below,
                at_once=IN_FLIGHT["gentle"] if self._place.is_far else 1,
                is_there=self._is_there,
            )
            try:
                return pictures.store(visit, self._tell)
            except DatabaseAway:
                if tried == self._config.retry_attempts:
                    raise
                self._rest(delay * 2**tried)
        raise AssertionError("the last try returns or raises")

    def _tell(self, counts: Counts) -> None:
        progress = self._progress
        enumerated, processed, errors = self._read
        progress.enumerated = enumerated + counts.rows
        progress.processed = processed + counts.rows
        progress.errors = errors + counts.failed
        progress.phase = "reading"
        while (asked := self._tick(progress)) == "pause":
            progress.phase = "paused"
            self._watch.stopping.wait(LISTENS)
        progress.phase = "reading"
        if asked == "cancel":
            raise RunStopped

    def _is_there(self) -> bool:
        if self._watch.alive():
            return True
        gave_up: list[BaseException] = []

        def wait() -> None:
            try:
                self._watch.wait()
            except BaseException as error:  # raised below
                gave_up.append(error)

        waiting = threading.Thread(target=wait, name="index-wait", daemon=True)
        waiting.start()
        while waiting.is_alive():
            waiting.join(LISTENS)
            self._listen()
        if gave_up:
            raise gave_up[0]
        return False

    def _rest(self, seconds: float) -> None:
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            self._watch.stopping.wait(min(LISTENS, left))
            self._listen()

    def _listen(self) -> None:
        self._progress.phase = "waiting"
        if self._tick(self._progress) == "cancel":
            self._watch.stopping.set()
            raise RunStopped
        self._progress.phase = "reading"
