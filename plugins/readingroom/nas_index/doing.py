"""One run while it goes on: the pipeline into the catalogue, a heart that beats, ears for what is asked of it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import Row

from readingroom.clock import Clock
from readingroom.errors import SourceError, SourceNotFound, SourceUnreachable
from readingroom.nas_index.estimates import Estimate
from readingroom.nas_index.firebird.recognising import kind_of
from readingroom.nas_index.firebird.storing import Counts
from readingroom.nas_index.leaving import Left
from readingroom.nas_index.nas_config import SourceConfig
from readingroom.nas_index.picture_pass import PicturePass
from readingroom.nas_index.pipeline import Pipeline
from readingroom.nas_index.place import Place
from readingroom.nas_index.progress import Asked, Patience, Progress
from readingroom.nas_index.readers import Readers
from readingroom.nas_index.run_source import RunSource
from readingroom.nas_index.runs import GOING_ON, Runs, State
from readingroom.nas_index.spool import Spool
from readingroom.nas_index.visit import Visit
from readingroom.nas_index.watch import LONGEST_PAUSE, RunStopped, Watch

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0

FIRST_PAUSE = 1.0
"""Seconds between the first looks at a source that is not there yet; doubled each time."""

STOPPED = "Stopped from outside; the next run goes on from there."

LOST = {
    "error_type": "filesystem",
    "error_code": "most_files_missing",
    "message": "Far fewer files were found than are known: the source was taken for a lost mount, nothing was taken "
    "out of the catalogue. If they were removed on purpose, start a run with accept_loss.",
    "suggestion": "Check that all of the source is mounted; if the files were removed on purpose, start a run with "
    "accept_loss.",
}
"""What a run says of a source that lacks most of what it had."""

UNMAPPED = (
    "{:,} JPEG 2000 pictures were seen that nothing is known of: say by the key firebird of this source where their "
    "database is."
)


class Doing:
    """One run while it goes on."""

    def __init__(
        self, source: RunSource, runs: Runs, clock: Clock, cache: Path, run: Row[Any], stopping: threading.Event
    ) -> None:
        self._source = source
        self._runs = runs
        self._clock = clock
        self._cache = cache
        self._row = run
        self._stopping = stopping
        self._began = monotonic()
        self._estimate = Estimate(self._began)
        self._last_total = runs.last_total(run.source_id) if not run.path else 0
        self._progress = Progress()
        self._visit: Visit | None = None
        self._left = Left()
        self._beaten_at = 0.0
        self._asked = ""
        self._watch: Watch | None = None
        self._away = ""
        """What was told of the source's absence; empty while it is there."""
        self._pictures = Counts()

    def run(self) -> tuple[State, str]:
        """From the first look at the source to the last row; raises what ended it early."""
        source, run = self._source, self._row
        with ExitStack() as opened:
            place, config = self._reach(opened)
            source.reached()
            watch = self._watch = source.watch(place, config)
            source.looked(place, config)
            spool = Spool(self._cache)
            plan = place.plan()
            log.info(
                "index run begins",
                run=run.id,
                method=place.method,
                processes=plan.processes,
                threads=plan.threads,
                latency_ms=round(place.measured.latency * 1000, 2),
                by_command=place.measured.by_command,
            )
            visit = self._visit = source.visit()
            try:
                with Readers(plan) as readers:
                    pipeline = Pipeline(
                        lambda: place.walk(watch),
                        readers,
                        visit,
                        watch,
                        spool,
                        tick=self._tick,
                        patience=Patience(config.retry_attempts, config.retry_delay),
                        limit=run.file_limit,
                    )
                    self._progress = pipeline.progress
                    try:
                        pipeline.run()
                        if config.firebird is not None and not pipeline.limited:
                            self._store_pictures(config, place, visit)
                    except BaseException:
                        self._finish(visit, complete=False)
                        raise
            finally:
                spool.close()
            if (
                not config.firebird
                and not self._progress.enumerated
                and source.known_files()
                and not run.path
                and not run.accept_loss
            ):
                raise emptied()
            self._finish(visit, complete=not pipeline.limited)
            if pipeline.limited or run.path or self._left.is_lost:
                return "done", LOST["message"] if self._left.is_lost else ""
            return "done", self._recognised(config)

    def _reach(self, opened: ExitStack) -> tuple[Place, SourceConfig]:
        """The source, open until `opened` is closed. Raises SourceError, RunStopped.

        Whoever starts a run is told at once that its source is away. But a run that goes on by itself after this
        machine was down waits: a NAS may take longer to come back, and a mount is an empty folder until then.
        """
        source, pause = self._source, FIRST_PAUSE
        while True:
            place, config = source.place()
            try:
                opened.enter_context(place)
                if place.is_empty and source.known_files() and not self._row.accept_loss:
                    raise emptied()
                self._tell(None)
                return place, config
            except (SourceUnreachable, SourceNotFound) as away:
                if self._row.started_by != GOING_ON or monotonic() - self._began > source.patience:
                    raise
                self._progress.phase = "waiting"
                self._tell(away)
            if self._tick(self._progress) == "cancel" or self._stopping.wait(pause):
                raise RunStopped
            pause = min(pause * 2, LONGEST_PAUSE)

    def _store_pictures(self, config: SourceConfig, place: Place, visit: Visit) -> None:
        """Bring in what the archive's database knows of its pictures."""
        # The pipeline's own watch has done its work.
        self._watch = self._source.watch(place, config)
        doing = PicturePass(config, place, self._watch, self._progress, self._tick)
        self._pictures = doing.store(visit, self._row.path)

    def _recognised(self, config: SourceConfig) -> str:
        """Say what kind of archive was seen, and what there is to be told of it."""
        dicom, pictures = self._source.seen(self._progress.pictures, self._pictures)
        content = kind_of(dicom, pictures, has_mapping=config.firebird is not None)
        self._source.recognised(content, pictures)
        if config.firebird is None and content in ("jpeg2000_firebird", "mixed"):
            return UNMAPPED.format(pictures)
        return ""

    @property
    def is_lost(self) -> bool:
        """Whether so much was missing that nothing was taken out."""
        return self._left.is_lost

    def stopped(self) -> tuple[State, str]:
        """How a run ends that was asked to."""
        if self._asked == "cancel":
            return "cancelled", "Cancelled; what was read is kept, the next run goes on from there."
        return "interrupted", STOPPED

    def figures(self) -> dict[str, Any]:
        """The run's columns."""
        progress, visit = self._progress, self._visit
        return {
            "phase": progress.phase,
            "enumerated_files": progress.enumerated,
            "files_processed": progress.processed,
            "unchanged": visit.figures.unchanged if visit else 0,
            "added": max((visit.figures.added if visit else 0) - self._left.moved, 0),
            "changed": visit.figures.changed if visit else 0,
            "moved": self._left.moved,
            "gone": self._left.gone,
            "errors": progress.errors,
            "files_per_second": round(self._files_per_second(), 1),
        }

    def _files_per_second(self) -> float:
        """Of the last seconds while it goes on; of all of it when it ends, or is too short to tell otherwise."""
        of_late = self._estimate.files_per_second
        if of_late and self._progress.phase != "finishing":
            return of_late
        return self._progress.processed / max(monotonic() - self._began, 0.001)

    def _finish(self, visit: Visit, *, complete: bool) -> None:
        self._progress.phase = "finishing"
        self._beat()
        self._left = visit.finish(complete, bool(self._row.accept_loss))

    def _tick(self, progress: Progress) -> Asked:
        self._look()
        now = monotonic()
        if now - self._beaten_at < BEAT_SECONDS and not self._stopping.is_set():
            return "pause" if self._asked == "pause" else ""
        if progress.phase in ("paused", "waiting"):
            self._estimate.rest(now)
        else:
            self._estimate.tell(now, progress.processed)
        self._beat()
        if self._stopping.is_set() or self._asked == "cancel":
            return "cancel"
        return "pause" if self._asked == "pause" else ""

    def _look(self) -> None:
        """Tell when the source goes away, what it says meanwhile, and when it is back."""
        if self._watch is not None:
            self._tell(self._watch.away)

    def _tell(self, away: SourceError | None) -> None:
        said = away.message if away is not None else ""
        if said == self._away:
            return
        self._away, self._beaten_at = said, 0.0
        if away is not None:
            self._source.away(away)
        else:
            self._source.back()

    def _beat(self) -> None:
        progress = self._progress
        total = progress.enumerated if progress.all_enumerated else max(progress.enumerated, self._last_total)
        known = progress.all_enumerated or self._last_total >= progress.enumerated
        moving = progress.phase in ("enumerating", "reading")
        done_at = self._estimate.completion(self._clock.now(), total) if known and moving else None
        state = "paused" if progress.phase == "paused" else "running"
        figures = self.figures() | {"estimated_completion": done_at, "state": state, "message": self._away}
        self._asked = self._runs.beat(self._row.id, figures)
        self._beaten_at = monotonic()


def emptied() -> SourceNotFound:
    """A source that had files has none."""
    return SourceNotFound(
        "The source is empty, and was not: nothing is mounted there (any more)",
        suggestion="Check that the share is mounted on this machine; if all of it was removed on purpose, start a run "
        "with accept_loss.",
    )
