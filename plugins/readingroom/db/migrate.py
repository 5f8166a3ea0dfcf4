"""Brings a database to the tables that this version needs.

Alembic is imported where it is used: processes that only work with a database do without its 0.2 s and 20 MB.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from readingroom.db.engine import SCHEMA, Database
from readingroom.errors import SettingsError

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "schema_version"

LOCK = 0x52454144  # "READ": any number that no other program on the same PostgreSQL is likely to take
"""Key of the advisory lock that keeps two migrations apart on PostgreSQL."""


def migrate(database: Database) -> str:
    """Apply every migration that is missing, in one transaction; answers the one it stands at then.

    Two starts at once are safe: the second waits, and finds nothing to do.

    Raises SettingsError when the database was made by a newer version.
    """
    from alembic import command  # noqa: PLC0415  # see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    with database.write() as connection:  # on SQLite this is the write lock: the second start waits here
        if database.is_postgresql:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            # PostgreSQL looks there by itself only for an account of the same name.
            connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}, public"))
        config = _config(connection)
        newest = ScriptDirectory.from_config(config).get_current_head() or ""
        if current(connection) != newest:
            _refuse_newer(connection, config)
            command.upgrade(config, "head")
    return newest


def current(connection: Connection) -> str | None:
    """The migration that a database stands at; None before the first."""
    from alembic.migration import MigrationContext  # noqa: PLC0415  # see above

    return MigrationContext.configure(connection, opts=options(connection)).get_current_revision()


def options(connection: Connection) -> dict[str, Any]:
    """What Alembic must know of the engine behind a connection."""
    schema = SCHEMA if connection.dialect.name == "postgresql" else None
    return {"version_table": VERSION_TABLE, "version_table_schema": schema}


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415  # see above

    config = Config()
    config.set_main_option("script_location", str(resources.files("readingroom.db") / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _refuse_newer(connection: Connection, config: Config) -> None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415  # see above

    stands_at = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if stands_at is not None and stands_at not in known:
        raise SettingsError(
            f"The database stands at migration {stands_at}, which this version does not know: "
            "a newer Reading Room made it."
        )
