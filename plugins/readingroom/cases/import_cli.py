"""The command behind `scripts/import_cases`, and the process behind an import that was started from the web."""

from __future__ import annotations

import getpass
import signal
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console

from readingroom.cases.import_runs import Wish
from readingroom.cases.import_start import default_source
from readingroom.cases.import_summary import Watcher, show, write_report
from readingroom.cases.import_work import Special, Worker
from readingroom.cases.importer import Ending, Stopping
from readingroom.clock import SystemClock
from readingroom.db import open_database
from readingroom.db.migrate import migrate
from readingroom.errors import BadRequest, ReadingRoomError
from readingroom.identity import Caller, Identity
from readingroom.procedures import INTERRUPTED, stop_by_signals
from readingroom.settings import Settings
from readingroom.sources import Location, parse_location

FAILED, USAGE = 1, 2
"""Exit codes, beside INTERRUPTED."""

application = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@application.command(context_settings={"help_option_names": ["-h", "--help"]})
def import_cases(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A folder, sftp://user@host/path or smb://user@host/share/path that holds "
            "{ExamType}/{number}/…; default: IMPORT_SOURCE, or SFTP_HOST and BESTOF_DICOMS_BASE_PATH."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data folder of the instance to import into.", envvar="READINGROOM_DATA")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what an import would do; nothing is stored.")] = False,
    deidentify: Annotated[
        bool,
        typer.Option(
            "--deidentify",
            help="De-identify what is brought in (DICOM PS3.15 basic profile). A case that was de-identified "
            "once stays so in later imports, with or without this option.",
        ),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Uploads at a time; default: IMPORT_WORKERS, else 4.")
    ] = None,
    case: Annotated[
        list[int] | None, typer.Option(min=1, help="Only this case number; may be given several times.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Read every stored file back from Orthanc, compare it, and repair what is damaged."
        ),
    ] = False,
    missing_is_meant: Annotated[
        bool,
        typer.Option(
            "--missing-is-meant",
            help="Most files were removed from the source on purpose: it is no lost mount.",
        ),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the whole report to this file, as JSON.", dir_okay=False)
    ] = None,
    run: Annotated[str | None, typer.Option("--run", hidden=True)] = None,
) -> None:
    """Import teaching cases: every DICOM file below {ExamType}/{number, four or more digits}/ of a source.

    Imports are byte-exact and may be repeated: what is unchanged is not uploaded again, and a run that was stopped or
    killed goes on where it was. Nothing is ever deleted: files that are gone from the source are marked, and kept.

    Exit status: 0 when all is well, 1 when anything failed, 2 for wrong arguments, 130 when it was stopped.
    """
    console = Console(highlight=False)
    errors = Console(stderr=True, highlight=False)
    try:
        settings = Settings.load(data=data) if data else Settings.load()
        worker = _worker(settings)
        if run is None:
            run, location = _begun(worker, settings, source, dry_run, deidentify, workers)
        else:
            location = parse_location(worker.runs.get(run).source)
        ending = _work(worker, run, location, Special(frozenset(case or ()), verify, missing_is_meant), console)
        show(console, worker.runs, run, ending, report)
        if report:
            write_report(report, worker.runs, run)
    except BadRequest as error:
        errors.print(f"import_cases: {error.message}", markup=False, soft_wrap=True)
        raise typer.Exit(USAGE) from None
    except (ReadingRoomError, OSError) as error:
        errors.print(f"import_cases: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(FAILED) from None
    raise typer.Exit(_status(ending))


def _worker(settings: Settings) -> Worker:
    database = open_database(settings.database_url)
    migrate(database)
    return Worker(settings, database, SystemClock())


def _begun(
    worker: Worker,
    settings: Settings,
    source: str | None,
    dry_run: bool,
    deidentify: bool,
    workers: int | None,
) -> tuple[str, Location]:
    named = source or default_source(settings)
    if not named:
        raise BadRequest("Name a source, or set IMPORT_SOURCE, or SFTP_HOST and its companions.")
    location = parse_location(named)
    caller = Caller(Identity(_user(), "service"), str(uuid4()), "")
    wish = Wish(location.url, dry_run, deidentify, workers or settings.import_workers)
    return worker.begin(wish, caller), location


def _work(worker: Worker, run: str, location: Location, special: Special, console: Console) -> Ending:
    stopping = Stopping()

    def first(number: signal.Signals) -> None:
        stopping.state = "cancelled" if number == signal.SIGINT else "interrupted"

    stop_by_signals(stopping, first=first, impatient=True)
    with Watcher(console) as watcher:
        return worker.work(run, location, special=special, stopping=stopping, watch=watcher)


def _user() -> str:
    try:
        return f"shell:{getpass.getuser()}"
    except OSError:  # an account that the password database does not know
        return "shell"


def _status(ending: Ending) -> int:
    if ending.state in ("cancelled", "interrupted"):
        return INTERRUPTED
    return FAILED if ending.state != "done" or ending.figures.failed else 0


if __name__ == "__main__":
    application()
