"""Starts imports from within the server: which sources are allowed, and a process of their own for each run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import structlog

from readingroom.audit import Trail
from readingroom.audit.events import ImportCancelled
from readingroom.cases.import_runs import Runs, Wish
from readingroom.cases.import_work import runs_of, started
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import BadRequest
from readingroom.identity import Caller
from readingroom.settings import Settings
from readingroom.sources import Location, parse_location

log = structlog.get_logger(__name__)


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
        if not any(_lies_in(wanted, root) for root in roots):
            raise BadRequest(
                "This is neither the configured source nor lies below one; see IMPORT_SOURCE and IMPORT_ALLOWED_ROOTS.",
                detail={"sources": [root.url for root in roots]},
            )
        return wanted

    def _spawn(self, run_id: str) -> None:
        settings = self._settings
        plugins = Path(__file__).resolve().parents[2]
        environment = os.environ | {
            "READINGROOM_DATA": str(settings.data),
            "READINGROOM_ORTHANC_URL": settings.orthanc_url,
            "DATABASE_URL": settings.database_url,
            "PYTHONPATH": str(plugins),
        }
        # Inside Orthanc sys.executable is no interpreter.
        command = [settings.python or sys.executable, "-m", "readingroom.cases.import_cli", "--run", run_id]
        logs = settings.data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        try:
            with (logs / f"import-{run_id}.log").open("ab") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=plugins,
                    start_new_session=True,
                )
        except OSError as error:
            self.runs.abandon(run_id, f"The import's process could not be started: {error.strerror}")
            raise
        threading.Thread(target=self._wait, args=(process, run_id), name="import-wait", daemon=True).start()

    def _wait(self, process: subprocess.Popen[bytes], run_id: str) -> None:
        """Take the process's end from the system, and close the record of one that never came to its work."""
        status = process.wait()
        log.info("import ended", run=run_id, status=status)
        try:
            self.runs.abandon(run_id, f"The import's process ended with status {status}; see logs/import-{run_id}.log.")
        except Exception:
            log.exception("import could not be closed", run=run_id)


def default_source(settings: Settings) -> str:
    """The configured source: IMPORT_SOURCE, or what the SFTP variables say; empty where nothing is set."""
    if settings.cases_source:
        return settings.cases_source
    if not settings.sftp_host:
        return ""
    user = f"{quote(settings.sftp_username)}@" if settings.sftp_username else ""
    host = f"[{settings.sftp_host}]" if ":" in settings.sftp_host else settings.sftp_host
    return f"sftp://{user}{host}:{settings.sftp_port}/{quote(settings.bestof_base_path.lstrip('/'))}"


def _lies_in(wanted: Location, root: Location) -> bool:
    if (wanted.scheme, wanted.host, wanted.port, wanted.share) != (root.scheme, root.host, root.port, root.share):
        return False
    if (wanted.user, wanted.domain) != (root.user, root.domain):
        return False
    inner, outer = wanted.path, root.path
    if wanted.scheme == "file":
        inner, outer = os.path.realpath(inner), os.path.realpath(outer)
    outer = outer.rstrip("/")
    return inner.rstrip("/") == outer or inner.startswith(f"{outer}/")
