"""What all commands of `scripts/admin` stand on: settings, an open database, who is asking, errors as one sentence."""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from sqlalchemy.exc import SQLAlchemyError

from readingroom.clock import Clock, SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.errors import ReadingRoomError
from readingroom.identity import Caller, Identity
from readingroom.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    """An instance, whether it runs or not; the database is migrated."""

    settings: Settings
    database: Database
    clock: Clock
    caller: Caller


@contextmanager
def ground() -> Iterator[Ground]:
    """The instance that the environment names; errors become one sentence and status 1."""
    try:
        settings = Settings.load()
        database = open_database(settings.database_url)
        try:
            migrate(database)
            yield Ground(settings, database, SystemClock(), Caller(operator(), str(uuid.uuid4()), "local"))
        finally:
            database.close()
    except ReadingRoomError as error:
        say(error.message, err=True)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        raise  # `audit export | head`: main ends quietly
    except (SQLAlchemyError, OSError) as error:
        say(f"The database or the data folder cannot be used: {error}", err=True)
        raise typer.Exit(1) from None


def operator() -> Identity:
    """Who sits at the terminal, as far as the system knows."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Identity(f"operator:{name}", "service")


def say(line: str, *, err: bool = False) -> None:
    """One line for a person."""
    typer.echo(line, err=err)
