"""Runs one import: lists the source, uploads what is new with several threads, and records it in batches.

    listing thread ──tasks──▶ spool (on disk) ──▶ upload threads
          │                                            │
          └────────────── findings ──────▶ main thread ◀┘ the only one that writes to the database

A run may be killed at any moment: what was uploaded and not yet recorded is answered AlreadyStored by Orthanc the next
time, compared, and recorded then.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from readingroom.cases.import_listing import Listed, Listing
from readingroom.cases.import_presence import Presence
from readingroom.cases.import_records import Item, Records
from readingroom.cases.import_runs import Figures, Runs, State
from readingroom.cases.import_spool import Spool
from readingroom.cases.import_upload import Brought, Uploader
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import PacsError, ReadingRoomError
from readingroom.procedures.lifeline import HEARTBEAT
from readingroom.sources.names import printable
from readingroom.sources.source import Source

BATCH_SECONDS = 0.5
"""Results are recorded at least so often: little is compared again after a kill."""

BATCH = 500
"""… and at most so many at a time."""

THREADS_PER_UPLOAD = 2
"""One reads and hashes while the other one's file is on its way."""

FAULTS_IN_A_ROW = 10
"""After so many failures of Orthanc's own (disk full, database gone) the rest would only fail too."""


class Stopping(threading.Event):
    """Asks a run to stop after the files that are under way; `state` is what it then ends as."""

    state: State = "cancelled"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    state: State
    figures: Figures
    message: str


@dataclass(frozen=True, slots=True)
class _Over:
    """A thread ended, by an error or in peace."""

    error: BaseException | None


_Finding = Listed | Brought | _Over


class Importer:
    """One run of an import; `run` once."""

    def __init__(
        self,
        run_id: str,
        source: Source,
        records: Records,
        uploader: Uploader,
        presence: Presence | None,
        runs: Runs,
        database: Database,
        clock: Clock,
        scratch: Path,
        *,
        workers: int,
        deidentify: bool = False,
        dry_run: bool = False,
        cases: frozenset[int] = frozenset(),
        missing_is_meant: bool = False,
        stopping: Stopping | None = None,
        watch: Callable[[Figures], None] = lambda figures: None,
    ) -> None:
        self._run_id = run_id
        self._records = records
        self._uploader = uploader
        self._runs = runs
        self._database = database
        self._clock = clock
        self._workers = workers
        self._dry_run = dry_run
        self._stopping = stopping or Stopping()
        self._watch = watch
        self._findings: queue.Queue[_Finding] = queue.Queue(maxsize=10 * BATCH)
        self._spool = Spool(scratch)
        self._listing = Listing(
            source,
            records,
            presence,
            self._spool,
            self._stopping,
            self._findings.put,
            deidentify=deidentify,
            cases=cases,
            missing_is_meant=missing_is_meant,
        )
        self._figures = Figures(phase="listing")
        self._cases: dict[int, str | None] = {}
        self._error: BaseException | None = None
        self._faults = 0
        self._beaten: datetime = clock.now()

    def run(self) -> Ending:
        """Bring everything in; returns how it ended, for the record of runs."""
        threads = [threading.Thread(target=self._guarded, args=(self._listing.run,), name="listing")]
        threads += [
            threading.Thread(target=self._guarded, args=(self._upload,), name=f"upload-{n}")
            for n in range(THREADS_PER_UPLOAD * self._workers)
        ]
        for thread in threads:
            thread.daemon = True  # a second Ctrl-C must not wait for a large file
            thread.start()
        try:
            self._record_until_over(len(threads))
        except BaseException:
            self._stop(None)
            raise
        finally:
            self._spool.close()
        state, message = self._judged()
        return Ending(state, self._figures, message)

    def _guarded(self, work: Callable[[], None]) -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # whatever it is, the run must end and say so
            error = raised
            self._stopping.set()  # the others end after the file that they are at
        self._findings.put(_Over(error))

    def _upload(self) -> None:
        bring = self._uploader.peek if self._dry_run else self._uploader.bring
        for task in self._spool:
            if self._stopping.is_set():
                return
            brought = bring(task)
            self._findings.put(brought)
            self._faults = self._faults + 1 if brought.orthanc_fault else 0
            if self._faults >= FAULTS_IN_A_ROW:
                raise PacsError(f"Orthanc failed {FAULTS_IN_A_ROW} times in a row, last: {brought.reason}")

    def _record_until_over(self, running: int) -> None:
        listing = True
        while running:
            batch = self._gather()
            for over in (finding for finding in batch if isinstance(finding, _Over)):
                running -= 1
                if over.error is not None:
                    self._stop(over.error)
            self._record(batch)
            if listing and self._spool.ended:
                listing = False
                self._figures.phase = "uploading"
            if self._stopping.is_set():
                self._spool.stop()
            self._watch(self._figures)

    def _stop(self, error: BaseException | None) -> None:
        self._error = self._error or error
        self._stopping.set()
        self._spool.stop()

    def _gather(self) -> list[_Finding]:
        """Findings of half a second, or a batch full."""
        batch: list[_Finding] = []
        until = self._clock.monotonic() + BATCH_SECONDS
        while len(batch) < BATCH:
            left = until - self._clock.monotonic()
            try:
                finding = self._findings.get(timeout=max(left, 0.001))
            except queue.Empty:
                break
            batch.append(finding)
            if isinstance(finding, _Over) or left <= 0:
                break
        return batch

    def _record(self, batch: list[_Finding]) -> None:
        listed = [finding for finding in batch if isinstance(finding, Listed)]
        brought = [finding for finding in batch if isinstance(finding, Brought)]
        brought.sort(key=lambda each: each.task.entry.path)  # threads end in any order; a report should not
        items = [item for one in listed for item in one.items]
        for each in listed:
            self._count_listed(each)
        for each_brought in brought:
            self._count_brought(each_brought)
            if each_brought.outcome != "unchanged":
                path = printable(each_brought.task.entry.path)
                items.append(Item(path, each_brought.outcome, each_brought.reason))
        if not batch and self._clock.now() - self._beaten < HEARTBEAT:
            return
        if not self._dry_run:
            self._records.ensure_cases(brought, self._cases)
        with self._database.write() as connection:
            if not self._dry_run:
                self._records.write(connection, brought, self._cases)
                relist = [row for one in listed for row in one.relist]
                self._records.relist(connection, relist + _touched(brought))
                self._records.flag_missing(connection, [row for one in listed for row in one.missing])
            self._records.report(connection, self._run_id, items)
            if self._runs.beat(connection, self._run_id, self._figures):
                self._stopping.set()
        self._beaten = self._clock.now()

    def _count_listed(self, listed: Listed) -> None:
        figures = self._figures
        figures.files_seen += listed.seen
        figures.files_done += listed.unchanged + listed.left_out + listed.failed
        figures.unchanged += listed.unchanged
        figures.failed += listed.failed
        figures.missing += sum(item.outcome == "missing" for item in listed.items)

    def _count_brought(self, brought: Brought) -> None:
        figures = self._figures
        figures.files_done += 1
        if brought.outcome in ("added", "changed"):
            figures.bytes_done += brought.task.entry.size
        setattr(figures, brought.outcome, getattr(figures, brought.outcome) + 1)

    def _judged(self) -> tuple[State, str]:
        if self._error is not None:
            said = self._error.message if isinstance(self._error, ReadingRoomError) else repr(self._error)
            return "failed", said
        if self._stopping.is_set():
            return self._stopping.state, "Stopped on request; the next import goes on from there."
        failed = self._figures.failed
        return "done", f"{failed} file{'s' * (failed != 1)} could not be imported." if failed else ""


def _touched(brought: list[Brought]) -> list[tuple[int, int, int]]:
    """Files that the listing took for changed, and whose bytes are the old ones."""
    return [
        (b.task.recorded.row, b.task.entry.size, b.task.entry.mtime_ns)
        for b in brought
        if b.outcome == "unchanged" and b.task.recorded is not None
    ]
