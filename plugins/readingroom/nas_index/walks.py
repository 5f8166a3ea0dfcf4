"""Walks a whole source: one folder after the other, or many at a time where each takes a while to answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound, SourceRefused, SourceUnreachable
from readingroom.nas_index.listing import Folder, Lister, Part
from readingroom.nas_index.watch import RunStopped, Watch
from readingroom.sources import Unreadable
from readingroom.sources.entries import Why

AHEAD = 64
"""Parts that a parallel walk holds for whoever takes them."""

DOUBLED = 2
"""How often a folder that failed is tried again while the source itself is there."""


def walk_in_turn(lister: Lister, watch: Watch) -> Iterator[Part]:
    """Every folder, one after the other: the fast way on a local disk, where threads only wait for each other."""
    open_ = [lister.start()]
    while open_:
        folder = open_.pop()
        for part in patiently(lister, folder, watch):
            open_ += part.folders
            yield part


def walk_in_parallel(lister: Lister, watch: Watch, folders_at_once: int) -> Iterator[Part]:
    """Every folder, several at a time: the fast way where each listing waits for a network."""
    return _Parallel(lister, watch, folders_at_once).parts()


def patiently(lister: Lister, folder: Folder, watch: Watch) -> Iterator[Part]:
    """What is in a folder; waits for a source that is away, and tells of a folder that is not to be read.

    Raises SourceOffline, SourceRefused and RunStopped.
    """
    failed, gone = 0, 0
    wanted: set[str] | None = None
    """Names to look for again; None: all."""
    while True:
        if watch.stopping.is_set():
            raise RunStopped
        seen, vanished = False, set[str]()
        try:
            for part in lister.listed(folder):
                vanished.update(part.vanished)
                # An empty folder may be one whose disk went away.
                seen = seen or bool(part.files or part.folders or part.unreadable or part.skipped)
                if seen:
                    yield part if wanted is None else part.only(wanted)
            if (seen or watch.alive()) and (not vanished or wanted is not None):
                return
            # What vanished while we looked is gone, or its disk is: looked for once more.
            wanted = vanished if seen else wanted
            if watch.alive():
                continue
        except SourceRefused:
            raise
        except SourceForbidden as error:
            yield Part(folder.path, unreadable=[Unreadable(folder.path, error.message, "forbidden")])
            return
        except SourceError as error:
            lost = isinstance(error, SourceUnreachable) or not watch.alive()
            failed += not lost
            gone += not lost and isinstance(error, SourceNotFound)
            # Only what is gone twice is gone: the source may have come back between the two questions.
            if failed > DOUBLED or gone > 1:
                why: Why = "gone" if isinstance(error, SourceNotFound) else "failed"
                yield Part(folder.path, unreadable=[Unreadable(folder.path, error.message, why)])
                return
            if not lost:
                continue
        watch.wait()


class _Parallel:
    def __init__(self, lister: Lister, watch: Watch, folders_at_once: int) -> None:
        self._lister = lister
        self._watch = watch
        self._at_once = folders_at_once
        self._open: queue.LifoQueue[Folder | None] = queue.LifoQueue()
        self._parts: queue.Queue[Part | BaseException | None] = queue.Queue(AHEAD)
        self._left = 0
        self._lock = threading.Lock()
        self._given_up = threading.Event()

    def parts(self) -> Iterator[Part]:
        """Parts as they come; the first error that ends a walk is raised here."""
        self._add([self._lister.start()])
        for number in range(self._at_once):
            threading.Thread(target=self._work, name=f"index-walk-{number}", daemon=True).start()
        try:
            while (part := self._parts.get()) is not None:
                if isinstance(part, BaseException):
                    raise part
                yield part
        finally:
            self._given_up.set()
            for _ in range(self._at_once):
                self._open.put(None)

    def _add(self, folders: list[Folder]) -> None:
        with self._lock:
            self._left += len(folders)
        for folder in folders:
            self._open.put(folder)

    def _work(self) -> None:
        while (folder := self._open.get()) is not None and not self._given_up.is_set():
            try:
                for part in patiently(self._lister, folder, self._watch):
                    self._add(part.folders)
                    self._put(part)
            except BaseException as error:  # handed to whoever takes the parts
                self._put(error)
                return
            with self._lock:
                self._left -= 1
                done = self._left == 0
            if done:
                self._put(None)

    def _put(self, part: Part | BaseException | None) -> None:
        while not self._given_up.is_set():
            try:
                self._parts.put(part, timeout=1.0)
                return
            except queue.Full:
                continue
