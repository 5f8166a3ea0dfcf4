"""One run of the maker of pictures, beside the request that wants them and, where it takes long, after it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

import structlog

from readingroom.pictures import Variants

log = structlog.get_logger(__name__)


class Made(NamedTuple):
    """Two pictures in a folder, and the seconds that they took."""

    variants: Variants
    seconds: float


class Making:
    """One run of the maker on one file; its folder goes when the run is over and everybody is done with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._done: Future[Made] = Future()
        self._lock = threading.Lock()
        self._later: Callable[[Made], None] | None = None
        self._closed = False

    def run(self, make: Callable[[], Made]) -> None:
        """Do it; what it raises is for whoever waits."""
        try:
            self._done.set_result(make())
        except BaseException as error:
            self._done.set_exception(error)
        self._end()

    def wait(self, seconds: float) -> Made | None:
        """What was made; None when it takes longer. Raises what the maker raised."""
        try:
            return self._done.result(seconds)
        except TimeoutError:
            if self._done.done():
                raise
            return None

    def close(self, later: Callable[[Made], None] | None = None) -> None:
        """Nobody waits any more; `later` is what is done with pictures that are still to come."""
        with self._lock:
            self._later, self._closed = later, True
        self._end()

    def _end(self) -> None:
        with self._lock:
            if not (self._closed and self._done.done()):
                return
            self._closed = False  # once
            later = self._later
        try:
            if later is not None and self._done.exception() is None:
                later(self._done.result())
        except Exception as error:
            log.warning("late_variants_not_kept", error=type(error).__name__)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
