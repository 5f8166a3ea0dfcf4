"""Opens the database and hands out connections for reading and for writing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

SCHEMA = "readingroom"
"""Our tables' own schema on PostgreSQL, apart from Orthanc's and the site's."""

SITE_SCHEMA = "public"
"""Where the site's own tables are on PostgreSQL, some of which we share with it; on SQLite there is one place."""

BUSY_SECONDS = 30
"""How long a writer waits for another one on SQLite."""


class Database:
    """A pool of connections; every transaction is short and never waits on the network."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_postgresql(self) -> bool:
        """Whether PostgreSQL is behind it; else SQLite is."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state and changes nothing."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an exception.

        On SQLite it takes the write lock at once, so that it cannot fail half-way for want of it.
        """
        with (
            self.engine.connect().execution_options(readingroom_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open `sqlite:///path` or `postgresql://…`; nothing is created or migrated."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(url))
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    # What a statement was about, patients' names among it, is not for an error's text: that reaches the log.
    engine = create_engine(parsed, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True)
    return Database(engine.execution_options(schema_translate_map={None: SCHEMA}))


def _sqlite(url: str) -> Engine:
    parsed = make_url(url)
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=20,
        max_overflow=40,
        hide_parameters=True,  # see above
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        if parsed.database:
            _shut(Path(parsed.database))
        # The driver's own idea of transactions is switched off: BEGIN is ours, below.
        connection.isolation_level = None
        _to_wal(connection)
        # In WAL mode NORMAL survives a killed process; only a power cut can lose the last commits, never
        # consistency.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("readingroom_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine.execution_options(schema_translate_map={SITE_SCHEMA: "main"})


def _to_wal(connection: sqlite3.Connection) -> None:
    """Put the file into WAL mode, in which readers and one writer do not wait for each other.

    While another start does the same to a new file, SQLite says "database is locked" at once, whatever the time-out:
    https://www.sqlite.org/wal.html, section 9. It is asked again for as long as a writer would wait.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            # Its cursor is closed, because it has a row to give: inside Orthanc an unread one stayed open and kept
            # every later transaction on this connection from committing.
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _shut(place: Path) -> None:
    """Take the file from every account but its owner's and group's, before anything stands in it: SQLite makes it for
    everybody to read, and the files beside it as it is itself.
    """
    for each in (place, Path(f"{place}-wal"), Path(f"{place}-shm")):
        with suppress(FileNotFoundError, PermissionError):  # of another account: it is for that one to say
            mode = each.stat().st_mode & 0o777
            if mode & 0o007:
                each.chmod(mode & 0o770)
