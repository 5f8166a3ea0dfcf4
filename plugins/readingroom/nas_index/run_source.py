"""The source of one run: how it is reached and waited for, and what the catalogue is told of it."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Row

from readingroom.db import Database
from readingroom.errors import SourceError
from readingroom.nas_index.catalogue import Catalogue, SourceRecord
from readingroom.nas_index.firebird import Kind, recognise
from readingroom.nas_index.firebird.storing import Counts
from readingroom.nas_index.nas_config import ConfigFile, SourceConfig, of_location
from readingroom.nas_index.path_map import PathMap, parse_path_map
from readingroom.nas_index.place import Place, Wanted
from readingroom.nas_index.runs import Runs
from readingroom.nas_index.told import report
from readingroom.nas_index.visit import Visit
from readingroom.nas_index.watch import Watch
from readingroom.settings import Settings
from readingroom.sources import SourceSettings

log = structlog.get_logger(__name__)


class RunSource:
    """Of the run with that row."""

    def __init__(self, settings: Settings, database: Database, catalogue: Catalogue, runs: Runs, run: Row[Any]) -> None:
        self._settings = settings
        self._database = database
        self._catalogue = catalogue
        self._runs = runs
        self._run = run

    def place(self) -> tuple[Place, SourceConfig]:
        """It, to be opened, and its configuration. Raises SourceError."""
        config = config_of(self._settings, self._record().name)
        wanted = Wanted(self._run.path, self._run.method, self._run.workers)
        paths = path_map_of(self._settings)
        site = SourceSettings.of(self._settings)
        return Place(config, site, paths, wanted, list_roots(self._settings, config, paths)), config

    def visit(self) -> Visit:
        """The catalogue's side of a run."""
        return self._catalogue.visit(self._run.source_id, self._run.id, self._run.path)

    def reached(self) -> None:
        """The source answered."""
        self._catalogue.online(self._run.source_id)

    @property
    def patience(self) -> float:
        """Seconds that a source which is away is waited for."""
        return self._settings.nas_wait_minutes * 60

    def watch(self, place: Place, config: SourceConfig) -> Watch:
        """Whoever waits while the source is away."""
        return Watch(place.probe, patience=self.patience, first_pause=min(config.retry_delay or 1.0, 5.0))

    def looked(self, place: Place, config: SourceConfig) -> None:
        """Recognise by a sample what kind of archive it is, where nobody saw all of it yet."""
        if self._record().content == "unknown":
            self.recognised(recognise(place.sample(), has_mapping=config.firebird is not None), None)

    def recognised(self, content: Kind, pictures: int | None) -> None:
        """The source turned out to be that kind of archive."""
        log.info("source recognised", run=self._run.id, content=content, pictures=pictures)
        self._catalogue.recognised(self._run.source_id, content, pictures)

    def seen(self, pictures: int, catalogued: Counts) -> tuple[int, int]:
        """How many DICOM files and how many pictures a run over all of the source saw."""
        named = catalogued.stored + catalogued.corrected + catalogued.unchanged
        return max(self._record().files - named, 0), max(pictures, named)

    def away(self, why: SourceError) -> None:
        """The source went away in mid-run: tell so, wherever it is shown."""
        log.warning("source is away", run=self._run.id, reason=why.message)
        self._catalogue.offline(self._run.source_id, why.message)
        with self._database.write() as connection:
            self._runs.note(connection, self._run, report(why))

    def back(self) -> None:
        """It is there again."""
        log.info("source is back", run=self._run.id)
        self._catalogue.online(self._run.source_id)
        with self._database.write() as connection:
            self._runs.unnote(connection, self._run)

    def known_files(self) -> int:
        """How many files of that source are known, DICOM or not."""
        return self._record().files + self._record().others

    def _record(self) -> SourceRecord:
        return next(each for each in self._catalogue.sources() if each.id == self._run.source_id)


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
