"""The part of `scripts/serve --demo` that shows the NAS index: a small folder that stands for a NAS, indexed once.

It may be run again: files stay as they are, nothing is read twice. An instance with sources of its own is left alone.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from readingroom.clock import SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.errors import Conflict, ReadingRoomError
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.demo_files import PATIENTS, write_folder
from readingroom.nas_index.nas_config import ConfigFile, parsed
from readingroom.nas_index.profile import choose
from readingroom.nas_index.runs import Wish
from readingroom.nas_index.work import Work
from readingroom.settings import Settings

NAME = "demo"
"""Of the source, and of who indexed it."""

application = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@application.command(context_settings={"help_option_names": ["-h", "--help"]})
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Data folder of the running instance.", envvar="READINGROOM_DATA")
    ] = None,
) -> None:
    """Give a running instance a sample NAS, and index it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    try:
        settings = Settings.load(data=data) if data else Settings.load()
        database = open_database(settings.database_url)
        migrate(database)
        console.print(fill(settings, database), markup=False, soft_wrap=True)
    except (ReadingRoomError, OSError) as error:
        errors.print(f"demo: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def fill(settings: Settings, database: Database) -> str:
    """Do it; gives what there is to tell a person. Raises ReadingRoomError when it cannot be indexed."""
    config = ConfigFile(settings)
    names = [each.name for each in config.read().sources]
    if names not in ([], [NAME]):
        return "This instance has sources of its own; the sample NAS was not added."
    folder = settings.data / "demo" / "nas"
    write_folder(folder)
    if not names:
        config.write(parsed({"sources": [{"name": NAME, "type": "local", "path": str(folder)}]}))
    clock = SystemClock()
    catalogue = Catalogue(database, clock, choose(settings.nas_profile, settings.nas_profile_file).recognise)
    work = Work(settings, database, clock, catalogue)
    run = work.runs.begin(Wish(catalogue.source(NAME, "local", str(folder))), NAME)
    if work.run(run, threading.Event()) != "done":
        raise Conflict(f"The sample NAS could not be indexed: {work.runs.get(run).message}")
    return f"{len(PATIENTS)} sample patients are in the NAS index; their files lie in {folder}"


if __name__ == "__main__":
    application()
