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
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.estimates import Estimate
from readingroom.nas_index.events import IndexFinished
from readingroom.nas_index.firebird import Pictures, mapping_of
from readingroom.nas_index.firebird.storing import Counts
from readingroom.nas_index.leaving import Left
from readingroom.nas_index.nas_config import ConfigFile, SourceConfig, of_location
from readingroom.nas_index.path_map import PathMap, parse_path_map
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

LOST = "Far fewer files were found than are known: the source was taken for a lost mount, nothing was taken out."


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
            if error is not None:
                self.runs.note(connection, run, report(error))
                figures["errors"] += 1
            self.runs.end(connection, run.id, state, figures, message)
            self._trail.record(event, caller, connection)
        log.info("index run ended", run=run.id, state=state, **figures)

    def place(self, run: Row[Any]) -> tuple[Place, SourceConfig]:
        """The source of a run."""
        record = next(each for each in self._catalogue.sources() if each.id == run.source_id)
        config = config_of(self._settings, record.name)
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
        self._missing = 0
        """Of the pictures that a database names."""

    def run(self) -> tuple[State, str]:
        """From the first look at the source to the last row; raises what ended it early."""
        work, run = self._work, self._row
        opened, config = work.place(run)
        with opened as place:
            work.reached(run.source_id)
            watch = Watch(
                place.probe,
                patience=work.settings.nas_wait_minutes * 60,
                first_pause=min(config.retry_delay or 1.0, 5.0),
                stopping=threading.Event(),
            )
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
                            self._pictures(config, place, visit)
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
            ):
                raise SourceNotFound(
                    "The source is empty, and was not: nothing is mounted there (any more)",
                    suggestion="Check that the share is mounted on this machine.",
                )
            self._finish(visit, complete=not pipeline.limited)
        return "done", LOST if self._left.is_lost else ""

    def _pictures(self, config: SourceConfig, place: Place, visit: Visit) -> None:
        """Bring in what the archive's database knows of its pictures."""
        assert config.firebird is not None  # noqa: S101  # asked before
        if place.is_list:
            raise SourceError("Pictures of a database are found in a folder or on a share, not by a list")
        place.probe()  # of a mount that went away every picture would be missing
        progress, read = self._progress, self._progress.processed

        def tick(counts: Counts) -> None:
            progress.processed = read + counts.rows
            progress.errors += counts.failed - self._missing
            self._missing = counts.failed
            if self._tick(progress) == "cancel":
                raise RunStopped

        Pictures(mapping_of(config.firebird), config.name, place.stat).store(visit, tick)

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
        self._left = visit.finish(complete)

    def _tick(self, progress: Progress) -> Asked:
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

    def _beat(self) -> None:
        progress = self._progress
        total = progress.enumerated if progress.all_enumerated else max(progress.enumerated, self._last_total)
        known = progress.all_enumerated or self._last_total >= progress.enumerated
        moving = progress.phase in ("enumerating", "reading")
        done_at = self._estimate.completion(self._work.clock.now(), total) if known and moving else None
        state = "paused" if progress.phase == "paused" else "running"
        figures = self.figures() | {"estimated_completion": done_at, "state": state}
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
