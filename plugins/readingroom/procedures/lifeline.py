"""A lock that a process holds while it lives: a kill is seen at once, without waiting for a heart to have stopped."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

HEARTBEAT = timedelta(seconds=2)
"""How often a procedure tells how far it is."""

DEAD_AFTER = timedelta(seconds=60)
"""One that has been silent for so long is dead; one on this machine is known to be by its lock at once."""


class Taken(Exception):
    """Another process holds that lock."""


class Lifeline:
    """The locks of one kind of procedure, in a folder of this machine."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder = folder
        self._kind = kind

    @contextmanager
    def held(self, run_id: str) -> Iterator[None]:
        """Be that procedure's process while in the block. Raises Taken."""
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._place(run_id)
        with place.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Taken from None
            try:
                yield
            finally:
                place.unlink(missing_ok=True)

    def is_dead(self, run_id: str, silent: timedelta) -> bool:
        """Whether that procedure has no process any more; `silent` is how long it has told nothing."""
        try:
            lock = os.open(self._place(run_id), os.O_RDWR)
        except FileNotFoundError:
            # It waits for its process, or lives on another machine: only its heart can tell.
            return silent > DEAD_AFTER
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            self._place(run_id).unlink(missing_ok=True)
            return True
        finally:
            os.close(lock)

    def _place(self, run_id: str) -> Path:
        return self._folder / f"{self._kind}-{run_id}.lock"
