"""A lock that a process holds while it lives: a kill is seen at once, without waiting for a heart to have stopped."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

HEARTBEAT = timedelta(seconds=2)
"""How often a procedure tells how far it is."""

DEAD_AFTER = timedelta(seconds=60)
"""One that has been silent for so long is dead; one on this machine is known to be by its lock at once."""

LEFT_SECONDS = 86_400
"""How long the lock of a killed process lies about."""


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
        fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        with fresh.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_held(place):
                    raise Taken
                # It comes to its place locked: whoever found it there unlocked would take this process for dead.
                fresh.replace(place)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
            self._sweep()
            try:
                yield
            finally:
                place.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Take away what killed processes left: their deaths have long been written down."""
        for place in self._folder.glob(f"{self._kind}-*.lock"):
            try:
                if time.time() - place.stat().st_mtime > LEFT_SECONDS and not _is_held(place):
                    place.unlink()
            except FileNotFoundError:
                pass  # another one was quicker

    def is_dead(self, run_id: str, silent: timedelta) -> bool:
        """Whether that procedure has no process any more; `silent` is how long it has told nothing."""
        held = _is_held(self._place(run_id))
        if held is None:
            # It waits for its process, or lives on another machine: only its heart can tell.
            return silent > DEAD_AFTER
        # The lock stays: until its death is written down, whoever asks next must hear the same.
        return not held

    def _place(self, run_id: str) -> Path:
        return self._folder / f"{self._kind}-{run_id}.lock"


def _is_held(place: Path) -> bool | None:
    """Whether a process holds the lock at that place; None where there is none."""
    try:
        lock = os.open(place, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        # Shared: two who look at the same time do not take each other for its holder.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)
