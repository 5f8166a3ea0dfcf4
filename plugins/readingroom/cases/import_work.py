"""The process behind an import run: builds the parts from the settings, runs it, closes its record."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from readingroom.audit import Trail
from readingroom.audit.events import ImportFinished, ImportStarted
from readingroom.cases import private_map
from readingroom.cases.catalogue import Catalogue
from readingroom.cases.import_patience import PatientPacs
from readingroom.cases.import_presence import Presence, check_orthanc
from readingroom.cases.import_records import Records
from readingroom.cases.import_runs import Figures, Runs, State, Wish
from readingroom.cases.import_upload import Uploader
from readingroom.cases.importer import Ending, Importer, Stopping
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.deidentify import Deidentified, Profile
from readingroom.downloads import StoredFiles
from readingroom.errors import PacsUnreachable, ReadingRoomError
from readingroom.identity import Caller, Identity
from readingroom.identity.parts import token_signer
from readingroom.identity.tokens import TokenSigner
from readingroom.pacs import Pacs
from readingroom.pacs_http import HttpPacs
from readingroom.settings import Settings, kept_secret
from readingroom.sources import Location, Source, SourceSettings, open_source, parse_location

RETRIES = 8
"""Lost lines to a source are tried again for about two minutes: an import has time, a person at a page has not."""

START_SECONDS = 5.0

TOKEN_SECONDS = 600.0
"""A worker's token is renewed so often; it is good for hours."""


@dataclass(frozen=True, slots=True)
class Special:
    """What only the command line can ask for."""

    cases: frozenset[int] = frozenset()
    """Only these case numbers; empty means all."""
    verify: bool = False
    missing_is_meant: bool = False


class CaseProfiles:
    """De-identifies each case with a profile of its own, which goes on with what the private map has of it."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._data = settings.data
        self._database = database
        self._profiles: dict[int, Profile] = {}
        self._lock = threading.Lock()

    def file(self, case_number: int, data: bytes) -> Deidentified:
        """The file without identity, and what was replaced."""
        with self._lock:
            profile = self._profiles.get(case_number)
            if profile is None:
                secret = kept_secret(self._data, "deidentify_secret").encode()
                kept = private_map.of_number(self._database, case_number)
                profile = self._profiles[case_number] = Profile(secret, f"case {case_number}", kept)
        return profile.apply(data)


class ServiceToken:
    """The Authorization header of a worker, renewed before it ends."""

    def __init__(self, signer: TokenSigner, service: str, clock: Clock) -> None:
        self._signer = signer
        self._service = service
        self._clock = clock
        self._signed_at = float("-inf")
        self._header = ""

    def __call__(self) -> str:
        """The header's value."""
        now = self._clock.monotonic()
        if now - self._signed_at > TOKEN_SECONDS:
            self._header = f"Bearer {self._signer.service_token(self._service)}"
            self._signed_at = now
        return self._header


class Worker:
    """Does what runs ask for, one at a time."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, pacs: Pacs | None = None) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._trail = Trail(database, clock)
        self.pacs = pacs or HttpPacs(settings.orthanc_url, ServiceToken(token_signer(settings, clock), "import", clock))
        self.runs = runs_of(settings, database, clock)

    def begin(self, wish: Wish, caller: Caller) -> str:
        """Write down a run that this process is going to do; raises ImportRunning."""
        run_id = self.runs.begin(wish, caller.identity.user)
        self._trail.record(started(run_id, wish), caller)
        return run_id

    def work(
        self,
        run_id: str,
        location: Location | None = None,
        *,
        special: Special | None = None,
        stopping: Stopping | None = None,
        watch: Callable[[Figures], None] = lambda figures: None,
    ) -> Ending:
        """Do that run, from its beginning to its record's end; errors end it as failed, they are not raised.

        `location` carries the password that was typed into it, which the record does not. Raises NotFound where
        no such run is waiting.
        """
        caller = Caller(Identity(self.runs.get(run_id).started_by, "service"), str(uuid4()), "")
        with self.runs.alive(run_id) as wish:
            try:
                place = location or parse_location(wish.source)
                ending = self._run(run_id, wish, place, caller, special or Special(), stopping, watch)
            except ReadingRoomError as error:
                ending = self._broken_off(run_id, "failed", error.message)
            except SystemExit:  # stopped without waiting for the files that are under way
                message = "Stopped at once; the next import goes on from there."
                self._close(run_id, caller, self._broken_off(run_id, "interrupted", message))
                raise
            except BaseException as error:
                self._close(run_id, caller, self._broken_off(run_id, "failed", f"{type(error).__name__}: {error}"))
                raise
            self._close(run_id, caller, ending)
        return ending

    def _run(
        self,
        run_id: str,
        wish: Wish,
        location: Location,
        caller: Caller,
        special: Special,
        stopping: Stopping | None,
        watch: Callable[[Figures], None],
    ) -> Ending:
        stopping = stopping or Stopping()
        always_check = self._checked(stopping)
        pacs = PatientPacs(self.pacs, stopping)
        with self._opened(location, wish.workers) as source:
            catalogue = Catalogue(self._database, self._clock, self._trail)
            records = Records(self._database, self._clock, self._trail, catalogue, caller, source.url)
            stored = StoredFiles(pacs, self._settings.orthanc_storage)
            profiles = CaseProfiles(self._settings, self._database)
            uploader = Uploader(source, pacs, stored, profiles, uploads=wish.workers, always_check=always_check)
            return Importer(
                run_id,
                source,
                records,
                uploader,
                Presence(pacs, stored, verify=special.verify),
                self.runs,
                self._database,
                self._clock,
                self._settings.data / "cache",
                workers=wish.workers,
                deidentify=wish.deidentify,
                dry_run=wish.dry_run,
                cases=special.cases,
                missing_is_meant=special.missing_is_meant,
                stopping=stopping,
                watch=watch,
            ).run()

    def _checked(self, stopping: Stopping) -> bool:
        try:
            # An Orthanc that is not there now is more likely off than just starting.
            return check_orthanc(PatientPacs(self.pacs, stopping, START_SECONDS))
        except PacsUnreachable as error:
            data = self._settings.data
            raise PacsUnreachable(
                f"{error.message}. Is Reading Room running on {data}? scripts/serve --data {data} starts it."
            ) from error

    def _opened(self, location: Location, workers: int) -> Source:
        settings = SourceSettings.of(self._settings)
        # One connection for the listing beside those that read files.
        return open_source(location, replace(settings, connections=workers + 1, retries=RETRIES))

    def _broken_off(self, run_id: str, state: State, message: str) -> Ending:
        """The ending of a run whose importer did not come to one: with the figures that it last told."""
        run = self.runs.get(run_id)
        return Ending(state, Figures(**{name: getattr(run, name) for name in Figures().columns()}), message)

    def _close(self, run_id: str, caller: Caller, ending: Ending) -> None:
        figures = ending.figures
        event = ImportFinished(
            entity_id=run_id,
            outcome="ok" if ending.state == "done" and not figures.failed else "failed",
            state=ending.state,
            added=figures.added,
            unchanged=figures.unchanged,
            changed=figures.changed,
            missing=figures.missing,
            failed=figures.failed,
        )
        with self._database.write() as connection:
            self.runs.end(connection, run_id, ending.state, figures, ending.message)
            self._trail.record(event, caller, connection)


def runs_of(settings: Settings, database: Database, clock: Clock) -> Runs:
    """The record of runs of this installation."""
    return Runs(database, clock, settings.data / "run")


def started(run_id: str, wish: Wish) -> ImportStarted:
    """The audit event of a run's beginning."""
    return ImportStarted(entity_id=run_id, source=wish.source, dry_run=wish.dry_run, deidentify=wish.deidentify)
