"""Starts imports from within the server: which sources are allowed, and a process of their own for each run."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from urllib.parse import quote

from readingroom.audit import Trail
from readingroom.audit.events import ImportCancelled
from readingroom.cases.import_runs import REPORT_KEPT, Runs, Wish
from readingroom.cases.import_work import runs_of, started
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import BadRequest
from readingroom.identity import Caller
from readingroom.procedures import start_process
from readingroom.settings import Settings
from readingroom.sources import Location, lies_in, parse_location

WORKER = "readingroom.cases.import_cli"


class Imports:
    """Starts and stops runs on behalf of an admin or the schedule; the work is done by other processes."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, trail: Trail) -> None:
        self._settings = settings
        self._trail = trail
        self.runs: Runs = runs_of(settings, database, clock)

    @property
    def has_source(self) -> bool:
        """Whether a source is configured."""
        return bool(default_source(self._settings))

    def start(
        self,
        caller: Caller,
        *,
        source: str | None = None,
        deidentify: bool = False,
        dry_run: bool = False,
        workers: int | None = None,
        unless_since: datetime | None = None,
    ) -> str:
        """Start an import in a process of its own, unless one began at `unless_since` or later; returns its run's id.

        Raises ImportRunning while that source is being imported, BadRequest for a source that the web may not read.
        """
        location = self.allowed(source)
        wish = Wish(location.url, dry_run, deidentify, workers or self._settings.import_workers)
        run_id = self.runs.begin(wish, caller.identity.user, unless_since)
        self._trail.record(started(run_id, wish), caller)
        self._spawn(run_id)
        return run_id

    def cancel(self, caller: Caller, run_id: str) -> None:
        """Ask a run to stop after the files that are under way. Raises NotFound."""
        self.runs.cancel(run_id)
        self._trail.record(ImportCancelled(entity_id=run_id), caller)

    def allowed(self, source: str | None) -> Location:
        """Where that source is; raises BadRequest for one that was not configured.

        The importer reads with the server's rights and the site's credentials: the web may not send it anywhere.
        """
        roots = [parse_location(root) for root in self._settings.import_roots]
        configured = default_source(self._settings)
        if configured:
            roots.insert(0, parse_location(configured))
        if not source:
            if not configured:
                raise BadRequest("No source is configured: set IMPORT_SOURCE, or SFTP_HOST and its companions.")
            return roots[0]
        wanted = parse_location(source)
        if wanted.password:
            raise BadRequest("A password does not belong into an address; set SFTP_PASSWORD or SMB_PASSWORD.")
        if not any(lies_in(wanted, root) for root in roots):
            raise BadRequest(
                "This is neither the configured source nor lies below one; see IMPORT_SOURCE and IMPORT_ALLOWED_ROOTS.",
                detail={"sources": [root.url for root in roots]},
            )
        return wanted

    def _spawn(self, run_id: str) -> None:
        self._forget_logs()
        log_name = f"import-{run_id}.log"

        def ended(status: int) -> None:
            # Of a process that never came to its work; one that did has closed its record.
            message = f"The import's process ended with status {status}; see logs/{log_name}."
            self.runs.abandon(run_id, message)

        try:
            start_process(self._settings, WORKER, ["--run", run_id], log_name, ended)
        except OSError as error:
            self.runs.abandon(run_id, f"The import's process could not be started: {error.strerror}")
            raise

    def _forget_logs(self) -> None:
        for place in (self._settings.data / "logs").glob("import-*.log"):
            with suppress(FileNotFoundError):  # another start was quicker
                if time.time() - place.stat().st_mtime > REPORT_KEPT.total_seconds():
                    place.unlink()


def default_source(settings: Settings) -> str:
    """The configured source: IMPORT_SOURCE, or what the SFTP variables say; empty where nothing is set."""
    if settings.cases_source:
        return settings.cases_source
    if not settings.sftp_host:
        return ""
    user = f"{quote(settings.sftp_username)}@" if settings.sftp_username else ""
    host = f"[{settings.sftp_host}]" if ":" in settings.sftp_host else settings.sftp_host
    return f"sftp://{user}{host}:{settings.sftp_port}/{quote(settings.bestof_base_path.lstrip('/'))}"
