"""Starts index runs from within the server: which sources are allowed, and a process of their own for each run."""

from __future__ import annotations

from typing import Any, Literal

import structlog
from sqlalchemy import Row

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import BadRequest, Conflict, IndexRunning, NotFound
from readingroom.identity import Caller, Identity
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.doing import STOPPED
from readingroom.nas_index.events import IndexAsked, IndexStarted
from readingroom.nas_index.nas_config import ConfigFile, NasConfig, SourceConfig, of_location
from readingroom.nas_index.runs import GOES_ON, GOING_ON, Runs, Wish
from readingroom.nas_index.work import runs_of
from readingroom.procedures import start_process
from readingroom.settings import Settings
from readingroom.sources import Location, lies_in, parse_location
from readingroom.sources.names import inside

log = structlog.get_logger(__name__)

WORKER = "readingroom.nas_index.worker"

NOT_STARTED = "The run's process could not be started"

LONGEST_NAME = 200
"""Characters of a source's name; a path or an address is its own."""


class Indexing:
    """Starts, pauses and stops runs on behalf of somebody; the work is done by other processes."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, trail: Trail, catalogue: Catalogue
    ) -> None:
        self._settings = settings
        self._trail = trail
        self._catalogue = catalogue
        self.config = ConfigFile(settings)
        self.runs: Runs = runs_of(settings, database, clock)

    def start(
        self,
        caller: Caller,
        *,
        source: str | None = None,
        path: str | None = None,
        method: str = "auto",
        workers: int = 0,
        limit: int = 0,
        accept_loss: bool = False,
    ) -> str:
        """Start a run in a process of its own; returns its id. `accept_loss`: what is missing was removed on purpose.

        Raises IndexRunning while that source is being indexed, BadRequest for what the web may not index, NotFound.
        """
        config, below = self.meant(source, path)
        source_id = self._catalogue.source(config.name, config.type, config.location().url)
        wish = Wish(source_id, below, method, workers, limit, accept_loss)
        return self._begin(caller, wish, config.name)

    def meant(self, source: str | None, path: str | None) -> tuple[SourceConfig, str]:
        """The source that is meant, and the folder below it; raises BadRequest and NotFound.

        A configured source by its name, or a path or an address below one of NAS_ALLOWED_ROOTS; of one source alone
        the name may be left out.
        """
        configured = self.config.read()
        if source is None and path is not None and ("://" in path or path.startswith(("/", "\\\\"))):
            source, path = path, None
        if source is None:
            config = self._only(configured)
        elif "/" in source or source.startswith("\\\\"):
            config = self.allowed(source)
        else:
            config = configured.named(source)
        if not config.enabled:
            raise BadRequest(f"The source {config.name!r} is switched off in the configuration.")
        below = inside(path.strip("/")) if path else ""
        if below and config.type == "list":
            raise BadRequest("A list is indexed as a whole: `path` means nothing for it.")
        return config, below

    def allowed(self, place: str) -> SourceConfig:
        """The source of that path or address. Raises BadRequest for one that the web may not read.

        Runs read with the server's rights and the site's credentials: the web may not send them anywhere.
        """
        wanted = parse_location(place)
        if wanted.password:
            raise BadRequest("A password does not belong into an address: configure the source.")
        if not self.lies_in_roots(wanted):
            raise BadRequest(
                "This is neither a configured source nor lies below one of NAS_ALLOWED_ROOTS.",
                detail={"roots": [root.url for root in self._roots()]},
            )
        if len(wanted.url) > LONGEST_NAME:
            raise BadRequest("That is too long for a source's name: configure it as a source, with a name of its own.")
        return of_location(place)

    def lies_in_roots(self, wanted: Location) -> bool:
        """Whether it is below one of NAS_ALLOWED_ROOTS."""
        return any(lies_in(wanted, root) for root in self._roots())

    def ask(
        self, caller: Caller, what: Literal["pause", "resume", "cancel"], source: str | None, run_id: str | None
    ) -> str:
        """Ask a run for something; of one that was cut off, `resume` starts another. Returns the run's id.

        Raises Conflict when there is no such run under way.
        """
        run = self.runs.get(run_id) if run_id else self.runs.latest(source)
        if run is None:
            raise Conflict("Nothing is being indexed.")
        if what == "resume" and run.state in ("interrupted", "offline", "cancelled", "failed"):
            return self._again(caller, run)
        self.runs.ask(run.id, what)
        self._trail.record(IndexAsked(entity_id=run.id, asked=what), caller)
        return str(run.id)

    def go_on(self) -> None:
        """Start again what was cut off when this machine or this instance went down."""
        caller = Caller(Identity(GOING_ON, "service"), "", "")
        for run in self.runs.interrupted():
            was_tried = run.started_by == GOING_ON and run.message.startswith(NOT_STARTED)
            try:
                if was_tried or run.message in (GOES_ON, STOPPED):
                    self._again(caller, run)
            except (IndexRunning, NotFound, BadRequest) as error:
                log.info("index run is not continued", run=run.id, why=error.message)
            except OSError as error:  # a full disk, say; that is no reason for Orthanc not to come up
                log.error("index run could not be continued", run=run.id, why=error.strerror)

    def _again(self, caller: Caller, run: Row[Any]) -> str:
        wish = Wish(run.source_id, run.path, run.method, run.workers, run.file_limit, run.accept_loss)
        return self._begin(caller, wish, run.source_name)

    def _begin(self, caller: Caller, wish: Wish, name: str) -> str:
        run_id = self.runs.begin(wish, caller.identity.user)
        event = IndexStarted(
            entity_id=run_id, source=name, path=wish.path, limit=wish.limit, accept_loss=wish.accept_loss
        )
        self._trail.record(event, caller)

        def ended(status: int) -> None:
            self.runs.abandon(run_id, GOES_ON if status < 0 else f"{GOES_ON} (status {status}, see logs/{log_name})")

        log_name = f"index-{run_id}.log"
        try:
            start_process(self._settings, WORKER, [run_id], log_name, ended, self._variables())
        except OSError as error:
            self.runs.abandon(run_id, f"{NOT_STARTED}: {error.strerror}")
            raise
        return run_id

    def _variables(self) -> dict[str, str]:
        settings = self._settings
        return {
            "NAS_CONFIG": str(self.config.place),
            "NAS_ALLOWED_ROOTS": ",".join(settings.nas_roots),
            "NAS_PATH_MAP": settings.nas_path_map,
            "NAS_WAIT_MINUTES": str(settings.nas_wait_minutes),
            "NAS_PROFILE": settings.nas_profile,
            **({"NAS_PROFILE_FILE": str(settings.nas_profile_file)} if settings.nas_profile_file else {}),
        }

    def _roots(self) -> list[Location]:
        return [parse_location(root) for root in self._settings.nas_roots]

    @staticmethod
    def _only(configured: NasConfig) -> SourceConfig:
        enabled = [each for each in configured.sources if each.enabled]
        if not enabled:
            raise BadRequest("No source is configured: PUT /api/nas/config, or name a path below NAS_ALLOWED_ROOTS.")
        if len(enabled) > 1:
            raise BadRequest("Several sources are configured: name one.", detail=[each.name for each in enabled])
        return enabled[0]
