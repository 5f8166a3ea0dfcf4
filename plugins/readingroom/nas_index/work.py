"""What the process of a run does: opens the source, runs the pipeline into the catalogue, closes the record."""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Row

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import ReadingRoomError, SourceError, SourceNotFound, SourceUnreachable
from readingroom.identity import Caller, Identity
from readingroom.nas_index.catalogue import Catalogue, SourceRecord
from readingroom.nas_index.estimates import Estimate
from readingroom.nas_index.events import IndexFinished
from readingroom.nas_index.firebird import Kind, recognise
from readingroom.nas_index.firebird.database import DatabaseAway
from readingroom.nas_index.firebird.recognising import kind_of
from readingroom.nas_index.firebird.storing import Counts
from readingroom.nas_index.leaving import Left
from readingroom.nas_index.nas_config import ConfigFile, SourceConfig, of_location
from readingroom.nas_index.path_map import PathMap, parse_path_map
from readingroom.nas_index.picture_pass import PicturePass
from readingroom.nas_index.pipeline import Asked, Patience, Pipeline, Progress
from readingroom.nas_index.place import Place, Wanted
from readingroom.nas_index.readers import Readers
from readingroom.nas_index.runs import Runs, State
from readingroom.nas_index.spool import Spool
from readingroom.nas_index.told import report
from readingroom.nas_index.visit import Visit
from readingroom.nas_index.watch import RunStopped, Watch
from readingroom.settings import Settings
from readingroom.sources import SourceSettings

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0

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


class Work:
    """Does one run."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, catalogue: Catalogue) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._catalogue = catalogue
        self._trail = Trail(database, clock)
        self.runs = runs_of(settings, database, clock)

    def run(self, run_id: str, stopping: threading.Event) -> State:
        """Do that run, from its beginning to its record's end; errors end it, they are not raised.

        `stopping` ends it early, as interrupted. Raises NotFound where no such run is waiting.
        """
        with self.runs.alive(run_id) as run:
            doing = _Doing(self, run, stopping)
            error: BaseException | None = None
            try:
                state, message = doing.run()
            except RunStopped:
                state, message = doing.stopped()
            except DatabaseAway as away:  # which says nothing of the source
                state, message, error = "failed", away.message, away
            except (SourceUnreachable, SourceNotFound) as lost:
                state, message, error = "offline", lost.message, lost
                self._catalogue.offline(run.source_id, lost.message)
            except ReadingRoomError as refused:
                state, message, error = "failed", refused.message, refused
            except Exception as unknown:
                log.exception("index run failed", run=run_id)
                error = unknown
                state, message = "failed", report(unknown)["message"]
            self._close(run, doing, state, message, error)
        return state

    def _close(self, run: Row[Any], doing: _Doing, state: State, message: str, error: BaseException | None) -> None:
        figures = doing.figures()
        event = IndexFinished(
            entity_id=run.id,
            outcome="ok" if state == "done" else "failed",
            state=state,
            files=figures["files_processed"],
            added=figures["added"],
            changed=figures["changed"],
            gone=figures["gone"],
            errors=figures["errors"],
        )
        caller = Caller(Identity(run.started_by, "service"), str(uuid4()), "")
        with self._database.write() as connection:
            if error is not None or doing.is_lost:
                self.runs.note(connection, run, LOST if error is None else report(error))
                figures["errors"] += 1
            self.runs.end(connection, run.id, state, figures, message)
            self._trail.record(event, caller, connection)
        log.info("index run ended", run=run.id, state=state, **figures)

    def place(self, run: Row[Any]) -> tuple[Place, SourceConfig]:
        """The source of a run."""
        config = config_of(self._settings, self._record(run).name)
        wanted = Wanted(run.path, run.method, run.workers)
        paths = path_map_of(self._settings)
        site = SourceSettings.of(self._settings)
        return Place(config, site, paths, wanted, list_roots(self._settings, config, paths)), config

    def visit(self, run: Row[Any]) -> Visit:
        """The catalogue's side of a run."""
        return self._catalogue.visit(run.source_id, run.id, run.path)

    def reached(self, source_id: int) -> None:
        """The source answered."""
        self._catalogue.online(source_id)

    def watch(self, place: Place, config: SourceConfig) -> Watch:
        """Whoever waits while the source is away."""
        patience = self._settings.nas_wait_minutes * 60
        return Watch(place.probe, patience=patience, first_pause=min(config.retry_delay or 1.0, 5.0))

    def looked(self, run: Row[Any], place: Place, config: SourceConfig) -> None:
        """Recognise by a sample what kind of archive it is, where nobody saw all of it yet."""
        if self._record(run).content == "unknown":
            self.recognised(run, recognise(place.sample(), has_mapping=config.firebird is not None), None)

    def recognised(self, run: Row[Any], content: Kind, pictures: int | None) -> None:
        """The source turned out to be that kind of archive."""
        log.info("source recognised", run=run.id, content=content, pictures=pictures)
        self._catalogue.recognised(run.source_id, content, pictures)

    def seen(self, run: Row[Any], pictures: int, catalogued: Counts) -> tuple[int, int]:
        """How many DICOM files and how many pictures a run over all of the source saw."""
        named = catalogued.stored + catalogued.corrected + catalogued.unchanged
        return max(self._record(run).files - named, 0), max(pictures, named)

    def _record(self, run: Row[Any]) -> SourceRecord:
        return next(each for each in self._catalogue.sources() if each.id == run.source_id)

    def away(self, run: Row[Any], why: SourceError) -> None:
        """The source went away in mid-run: tell so, wherever it is shown."""
        log.warning("source is away", run=run.id, reason=why.message)
        self._catalogue.offline(run.source_id, why.message)
        with self._database.write() as connection:
            self.runs.note(connection, run, report(why))

    def back(self, run: Row[Any]) -> None:
        """It is there again."""
        log.info("source is back", run=run.id)
        self._catalogue.online(run.source_id)
        with self._database.write() as connection:
            self.runs.unnote(connection, run)

    def known_files(self, source_id: int) -> int:
        """How many files of that source are known, DICOM or not."""
        return next(each.files + each.others for each in self._catalogue.sources() if each.id == source_id)

    @property
    def settings(self) -> Settings:
        """The site's."""
        return self._settings

    @property
    def clock(self) -> Clock:
        """The one that everything here goes by."""
        return self._clock


class _Doing:
    """One run while it goes on."""

    def __init__(self, work: Work, run: Row[Any], stopping: threading.Event) -> None:
        self._work = work
        self._row = run
        self._stopping = stopping
        self._estimate = Estimate(monotonic())
        self._last_total = work.runs.last_total(run.source_id) if not run.path else 0
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
        work, run = self._work, self._row
        opened, config = work.place(run)
        with opened as place:
            work.reached(run.source_id)
            watch = self._watch = work.watch(place, config)
            work.looked(run, place, config)
            spool = Spool(work.settings.data / "cache")
            plan = place.plan()
            log.info(
                "index run begins",
                run=run.id,
                method=place.method,
                processes=plan.processes,
                threads=plan.threads,
                latency_ms=round(place.measured.latency * 1000, 2),
            )
            visit = self._visit = work.visit(run)
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
                and work.known_files(run.source_id)
                and not run.path
                and not run.accept_loss
            ):
                raise SourceNotFound(
                    "The source is empty, and was not: nothing is mounted there (any more)",
                    suggestion="Check that the share is mounted on this machine; if all of it was removed on purpose, "
                    "start a run with accept_loss.",
                )
            self._finish(visit, complete=not pipeline.limited)
            if pipeline.limited or run.path or self._left.is_lost:
                return "done", LOST["message"] if self._left.is_lost else ""
            return "done", self._recognised(config)

    def _store_pictures(self, config: SourceConfig, place: Place, visit: Visit) -> None:
        """Bring in what the archive's database knows of its pictures."""
        # The pipeline's own watch has done its work.
        self._watch = self._work.watch(place, config)
        doing = PicturePass(config, place, self._watch, self._progress, self._tick)
        self._pictures = doing.store(visit, self._row.path)

    def _recognised(self, config: SourceConfig) -> str:
        """Say what kind of archive was seen, and what there is to be told of it."""
        dicom, pictures = self._work.seen(self._row, self._progress.pictures, self._pictures)
        content = kind_of(dicom, pictures, has_mapping=config.firebird is not None)
        self._work.recognised(self._row, content, pictures)
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
            "files_per_second": round(self._estimate.files_per_second, 1),
        }

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
        away = self._watch.away if self._watch is not None else None
        said = away.message if away is not None else ""
        if said == self._away:
            return
        self._away, self._beaten_at = said, 0.0
        if away is not None:
            self._work.away(self._row, away)
        else:
            self._work.back(self._row)

    def _beat(self) -> None:
        progress = self._progress
        total = progress.enumerated if progress.all_enumerated else max(progress.enumerated, self._last_total)
        known = progress.all_enumerated or self._last_total >= progress.enumerated
        moving = progress.phase in ("enumerating", "reading")
        done_at = self._estimate.completion(self._work.clock.now(), total) if known and moving else None
        state = "paused" if progress.phase == "paused" else "running"
        figures = self.figures() | {"estimated_completion": done_at, "state": state, "message": self._away}
        self._asked = self._work.runs.beat(self._row.id, figures)
        self._beaten_at = monotonic()


def runs_of(settings: Settings, database: Database, clock: Clock) -> Runs:
    """The record of runs of this installation."""
    return Runs(database, clock, settings.data / "run")


def config_of(settings: Settings, name: str) -> SourceConfig:
    """The configured source of that name, or the one that a path or an address stands for."""
    for each in ConfigFile(settings).read().sources:
        if each.name == name:
            return each
    if "/" not in name:
        raise SourceError(
            f"The source {name!r} is no longer configured", suggestion="Configure it again, or index another one."
        )
    return of_location(name)


def path_map_of(settings: Settings) -> PathMap:
    """What Windows paths stand for here."""
    return parse_path_map(settings.nas_path_map)


def list_roots(settings: Settings, config: SourceConfig, paths: PathMap) -> tuple[str, ...]:
    """Where files may lie that a list names: below a mount that paths are mapped to, or an allowed folder."""
    if config.type != "list":
        return ()
    folders = [root for root in settings.nas_roots if root.startswith("/")]
    return (*paths.mounts, *folders, config.path.rpartition("/")[0] or "/")
