"""The command behind `scripts/serve --demo`: fills a running instance with sample cases and two accounts to
look around.

It may be run again: what is there already stays as it is, edits included. An instance with cases of its own
is left alone.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console
from sqlalchemy import select

from readingroom import identity as identities
from readingroom.audit import Trail
from readingroom.cases import exam_types
from readingroom.cases.catalogue import Catalogue
from readingroom.cases.demo_cases import SAMPLE_CASES, write_folder
from readingroom.cases.import_runs import Wish
from readingroom.cases.import_work import Special, Worker
from readingroom.cases.tables import clinical_case
from readingroom.clock import Clock, SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.errors import Conflict, NotFound, ReadingRoomError
from readingroom.identity import Caller, Identity
from readingroom.pacs import Pacs
from readingroom.settings import Settings, kept_password
from readingroom.sources import parse_location

DEMO = "demo"
"""Who made the sample cases, in their records and in the audit trail."""

ACCOUNTS = ("student", "staff")
"""Named after their roles."""

application = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@application.command(context_settings={"help_option_names": ["-h", "--help"]})
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Data folder of the running instance.", envvar="READINGROOM_DATA")
    ] = None,
) -> None:
    """Fill a running instance with sample cases, and add the accounts `student` and `staff`."""
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    try:
        settings = Settings.load(data=data) if data else Settings.load()
        database = open_database(settings.database_url)
        migrate(database)
        for line in Demo(settings, database, SystemClock()).fill():
            console.print(line, markup=False, soft_wrap=True)
    except (ReadingRoomError, OSError) as error:
        errors.print(f"demo: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


class Demo:
    """Brings the sample cases in; each step may have been done before."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, pacs: Pacs | None = None) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._trail = Trail(database, clock)
        self._catalogue = Catalogue(database, clock, self._trail)
        self._accounts = identities.build(settings, database, self._trail, clock).accounts
        self._worker = Worker(settings, database, clock, pacs)
        self._caller = Caller(Identity(DEMO, "service"), str(uuid4()), "")

    def fill(self) -> list[str]:
        """Do it; gives what there is to tell a person. Raises ReadingRoomError when an import fails."""
        there = self._makers()
        if any(maker != DEMO for maker in there.values()):
            return ["This instance has cases of its own; sample cases were not added."]
        folder = self._settings.data / "demo" / "bestof"
        write_folder(folder)
        self._describe(there)
        for deidentify in (False, True):
            self._import(folder, deidentify)
        self._publish()
        return [f"{len(SAMPLE_CASES)} sample cases are there; their files lie in {folder}", *self._people()]

    def _makers(self) -> dict[int, str]:
        """Who made each case, by its number."""
        with self._database.read() as connection:
            rows = connection.execute(select(clinical_case.c.case_number, clinical_case.c.created_by))
            return {row.case_number: row.created_by for row in rows}

    def _describe(self, there: Container[int]) -> None:
        known = {kind.name for kind in exam_types.all_types(self._database)}
        for sample in SAMPLE_CASES:
            if sample.number in there:
                continue
            if sample.exam_type not in known:
                exam_types.add(self._database, self._clock, self._trail, self._caller, sample.exam_type)
                known.add(sample.exam_type)
            self._catalogue.create(
                self._caller,
                exam_type=sample.exam_type,
                number=sample.number,
                title=sample.title,
                text=sample.text,
            )

    def _import(self, folder: Path, deidentify: bool) -> None:
        wish = Wish(folder.as_uri(), dry_run=False, deidentify=deidentify, workers=self._settings.import_workers)
        wanted = frozenset(sample.number for sample in SAMPLE_CASES if sample.deidentify is deidentify)
        run = self._worker.begin(wish, self._caller)
        ending = self._worker.work(run, parse_location(wish.source), special=Special(wanted))
        if ending.state != "done" or ending.figures.failed:
            raise Conflict(
                f"The import of the sample cases ended as {ending.state}: {ending.message or 'see its report'}"
            )

    def _publish(self) -> None:
        columns = clinical_case.c
        numbers = [sample.number for sample in SAMPLE_CASES if sample.published]
        with self._database.read() as connection:
            # What somebody has touched since is theirs: they may have hidden it on purpose.
            untouched = connection.scalars(
                select(columns.id)
                .where(columns.case_number.in_(numbers), ~columns.published, columns.withdrawn_at.is_(None))
                .where(columns.updated_at == columns.created_at)
            ).all()
        for case_id in untouched:
            self._catalogue.edit(self._caller, case_id, {"published": True})

    def _people(self) -> list[str]:
        told = []
        for name in ACCOUNTS:
            if self._has_account(name):
                continue  # made in an earlier run, or by somebody else
            secret = f"demo_{name}_password"
            password = kept_password(self._settings.data, secret)
            self._accounts.create(name, password, (name,), None, self._caller)
            told.append(f"  sign in as {name} with the password {password}")
            told.append(f"  (kept in {self._settings.data / 'secrets' / secret})")
        return told

    def _has_account(self, name: str) -> bool:
        try:
            self._accounts.find(name)
        except NotFound:
            return False
        return True


if __name__ == "__main__":
    application()
