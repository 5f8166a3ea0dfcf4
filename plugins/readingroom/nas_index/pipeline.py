"""One run through a source: enumerate, compare, read headers, store; flat in memory, and hard to stop by accident."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic

from readingroom.errors import SourceRefused
from readingroom.nas_index.listing import Part
from readingroom.nas_index.progress import Asked, Patience, Progress
from readingroom.nas_index.readers import Readers
from readingroom.nas_index.reading import Task
from readingroom.nas_index.records import Failed, Found, Keeper
from readingroom.nas_index.shortening import Headers, Short, known
from readingroom.nas_index.spool import Entry, Spool
from readingroom.nas_index.told import RETRIED, failed, passed_over
from readingroom.nas_index.watch import RunStopped, Watch
from readingroom.sources import FileEntry, Unreadable
from readingroom.sources.names import join

COMPARED = 1000
"""Files that the catalogue is asked about at a time."""

STORED = 2000
"""Files that are stored in one transaction."""

STORE_SECONDS = 2.0
"""After so long fewer are stored too: what was found can be searched."""

TICK_SECONDS = 0.5
BELIEVED = 1
"""How often what seems to be gone is looked for again: it may have been asked for while the source was away, and the
answer taken when that was over."""

MOST_BELIEVED = 5_000
"""Files that wait for that at a time: an outage that nobody noticed was shorter than so many answers take."""

MOST_NOTED = 10_000
"""Things that could not be listed and wait to be stored: of a list without its mounts that is every line."""

NOT_THERE = ("gone", "name")
"""Why something could not be listed of which nothing can be known: there is nothing to be kept."""

SILENT_SECONDS = 30.0
"""Without any answer, after which a source is asked whether it is there."""


class Pipeline:
    """Run it once. One thread reads, compares and stores; another one enumerates."""

    def __init__(
        self,
        walk: Callable[[], Iterator[Part]],
        readers: Readers,
        keeper: Keeper,
        watch: Watch,
        spool: Spool,
        *,
        tick: Callable[[Progress], Asked],
        patience: Patience | None = None,
        limit: int = 0,
    ) -> None:
        self._walk = walk
        self._readers = readers
        self._keeper = keeper
        self._watch = watch
        self._spool = spool
        self._tell = tick
        self._patience = patience or Patience()
        self._limit = limit
        self.progress = Progress()
        self.limited = False
        """Whether the limit ended the enumeration: then nobody saw the whole source."""
        self._pausing = threading.Event()
        self._noted: deque[Unreadable] = deque()
        self._tasks: deque[Task] = deque()
        self._parked: list[tuple[float, Task]] = []
        self._found: list[Found] = []
        self._failed: list[Failed] = []
        self._stored_at = self._answered_at = monotonic()
        self._ticked_at = -TICK_SECONDS  # at once: somebody may have asked for a pause before anything was done
        self._fed = False
        self._waiting: threading.Thread | None = None
        self._gave_up: BaseException | None = None

    def run(self) -> None:
        """To the end of the source. Raises RunStopped, SourceOffline, SourceRefused, SourceNotFound, ReadersFailed.

        Whatever it raises, what was read before is stored.
        """
        enumeration = threading.Thread(target=self._enumerate, name="index-enumerate", daemon=True)
        enumeration.start()
        try:
            while not self._done():
                self._tick()
                self._feed()
                self._collect()
                self._store(whole=False)
        finally:
            self._watch.stopping.set()
            self._store(whole=True)
            self._sum()
            enumeration.join(timeout=5)

    def _enumerate(self) -> None:
        error: BaseException | None = None
        try:
            for part in self._walk():
                while self._pausing.is_set() and not self._watch.stopping.wait(TICK_SECONDS):
                    pass
                if self._watch.stopping.is_set():
                    break
                self.progress.skipped += part.skipped
                self.progress.pictures += part.pictures
                self._noted += part.unreadable
                while len(self._noted) > MOST_NOTED and not self._watch.stopping.wait(0.01):
                    pass
                files = part.files
                if self._limit and self._spool.count + len(files) >= self._limit:
                    files = files[: self._limit - self._spool.count]
                    self.limited = True
                if files:
                    self._spool.put([(join(part.folder, name), size, mtime) for name, size, mtime in files])
                if self.limited:
                    break
        except BaseException as caught:  # raised where the entries are taken
            error = caught
        self._spool.end(error)

    def _feed(self) -> None:
        """Give the readers what they have room for."""
        if self._paused or self._waiting is not None:
            return
        now = monotonic()
        ripe = [task for moment, task in self._parked if moment <= now]
        self._parked = [each for each in self._parked if each[0] > now]
        self._tasks.extendleft(ripe)
        while self._readers.room() and monotonic() - self._ticked_at < TICK_SECONDS:
            if len(self._tasks) < self._readers.batch and not self._fed and not self._compare():
                break
            if not self._tasks:
                if self._fed:
                    break
                continue
            self._readers.give([self._tasks.popleft() for _ in range(min(self._readers.batch, len(self._tasks)))])

    def _compare(self) -> bool:
        """Ask the catalogue about the next files; False while there are none."""
        entries: list[Entry] = []
        while len(entries) < COMPARED:
            some = self._spool.take(0.0)
            if some is None:
                self._fed = True
                break
            if not some:
                break
            entries += some
        if not entries:
            return self._fed and bool(self._tasks)
        wanted = self._keeper.compare([FileEntry(*entry) for entry in entries])
        same = len(entries) - len(wanted)
        self.progress.unchanged += same
        self.progress.processed += same
        self._tasks.extend((entry.path, entry.size, entry.mtime_ns, 0) for entry in wanted)
        return True

    def _collect(self) -> None:
        """Take what the readers have, and wait a little when there is nothing."""
        answer = self._readers.take(0.05 if self._readers.under_way or self._paused else 0.01)
        if answer is None:
            silent = monotonic() - self._answered_at > SILENT_SECONDS
            if self._readers.under_way and silent and self._waiting is None:
                self._answered_at = monotonic()
                if not self._watch.alive():
                    self._await_source()
        while answer is not None:
            self._answered_at = monotonic()
            self._sort(*answer)
            answer = self._readers.take(0.0) if len(self._found) < STORED else None

    def _sort(self, tasks: list[Task], outcomes: list[Short], headers: Headers) -> None:
        read = list(known(headers))
        doubtful: list[tuple[Task, tuple[str, ...]]] = []
        for task, (what, size, mtime_ns, said, which) in zip(tasks, outcomes, strict=True):
            if what == "found":
                uid, number = said
                self._found.append(Found(task[0], size, mtime_ns, *read[which], (uid, number)))
            elif what == "bad":
                self._failed.append(failed(task[0], size, mtime_ns, said, task[3]))
            elif what == "refused":
                raise SourceRefused(said[2])
            else:
                doubtful.append((task, said))
        self.progress.processed += len(tasks) - len(doubtful)
        if doubtful:
            self._doubt(doubtful)

    def _doubt(self, doubtful: list[tuple[Task, tuple[str, ...]]]) -> None:
        """Tell files that are gone or bad from files of a source that is away."""
        away = self._waiting is not None or not self._watch.alive()
        if away:
            self._await_source()
        for (path, size, mtime_ns, tried), said in doubtful:
            if away:
                self._parked.append((0.0, (path, size, mtime_ns, tried)))
            elif tried < (self._patience.attempts if said[1] in RETRIED else self._looks()):
                moment = monotonic() + self._patience.delay * 2**tried
                self._parked.append((moment, (path, size, mtime_ns, tried + 1)))
            else:
                self.progress.processed += 1
                self._failed.append(failed(path, size, mtime_ns, said, tried))

    def _looks(self) -> int:
        """How often what seems to be gone is looked for again: not all of a list that names what is long gone."""
        return BELIEVED if len(self._parked) < MOST_BELIEVED else 0

    def _await_source(self) -> None:
        if self._waiting is not None:
            return

        def wait() -> None:
            try:
                self._watch.wait()
            except BaseException as error:  # raised in `_tick`
                self._gave_up = error

        self._waiting = threading.Thread(target=wait, name="index-wait", daemon=True)
        self._waiting.start()

    def _note(self) -> None:
        """Take what could not be listed among the failures, as many as are stored at a time."""
        while self._noted and len(self._failed) < STORED:
            noted = self._noted.popleft()
            record = passed_over(noted)
            if record is not None:
                self._failed.append(record)
                if noted.why not in NOT_THERE:
                    self._keeper.unreadable(noted.path)

    def _store(self, *, whole: bool) -> None:
        self._note()
        while whole and self._noted:
            self._keep()
            self._note()
        waiting = len(self._found) + len(self._failed)
        if not waiting or not (whole or waiting >= STORED or monotonic() - self._stored_at > STORE_SECONDS):
            return
        self._keep()

    def _keep(self) -> None:
        self._keeper.store(self._found, self._failed)
        self.progress.errors += len(self._failed)
        self._found, self._failed = [], []
        self._stored_at = monotonic()

    def _tick(self) -> None:
        """Tell how far the run is, and hear what is asked of it. Raises RunStopped, and why a wait was in vain."""
        if self._waiting is not None and not self._waiting.is_alive():
            self._waiting = None
            self._answered_at = monotonic()
            if self._gave_up is not None:
                raise self._gave_up
        if monotonic() - self._ticked_at < TICK_SECONDS:
            return
        self._sum()
        self._ticked_at = monotonic()
        asked = self._tell(self.progress)
        if asked == "cancel":
            raise RunStopped
        if asked == "pause":
            self._pausing.set()
        else:
            self._pausing.clear()

    def _sum(self) -> None:
        progress = self.progress
        progress.enumerated = self._spool.count
        progress.all_enumerated = self._spool.ended
        if self._watch.waiting:
            progress.phase = "waiting"
        elif self._paused:
            progress.phase = "paused"
        else:
            progress.phase = "reading" if self._spool.ended else "enumerating"

    def _done(self) -> bool:
        idle = not self._tasks and not self._parked and not self._readers.under_way
        return self._fed and idle and self._waiting is None

    @property
    def _paused(self) -> bool:
        return self._pausing.is_set()
