"""The migrated tables are those of the metadata, on both engines, however many starts happen at once."""

from __future__ import annotations

import threading
from datetime import datetime
from importlib import resources
from typing import Any

import pytest
import readingroom.audit.tables
import readingroom.cases.tables
import readingroom.identity.tables
import readingroom.imaging.tables
import readingroom.nas_index.import_tables
import readingroom.series.tables  # noqa: F401  # all tables are to be known
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from readingroom.audit.tables import postgresql_metadata
from readingroom.clock import SystemClock
from readingroom.db import Database, metadata, migrate, open_database
from readingroom.db.engine import SCHEMA, SITE_SCHEMA
from readingroom.db.migrate import VERSION_TABLE, current
from readingroom.errors import SettingsError
from readingroom.imaging.tables import imaging_asset
from readingroom.nas_index.tables import SEARCH_TABLE, nas_run, nas_source
from readingroom.shares.tables import shares
from sqlalchemy import Connection, MetaData, Table, create_engine, insert, inspect, make_url, select, text
from sqlalchemy.schema import BLANK_SCHEMA

AREAS = {"exam_type", "clinical_case", "case_file", "case_import_run", "nas_source", "nas_series", "nas_file"} | {
    "nas_import"
}


@pytest.fixture
def opened(database_url: str) -> Any:
    database = open_database(database_url)
    yield database
    database.close()


def expected(is_postgresql: bool) -> MetaData:
    """All tables as this engine should have them."""
    whole = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        if not (is_postgresql and table.name == "audit_event"):
            copied_to(whole, table, is_postgresql)
    if is_postgresql:
        for table in postgresql_metadata.sorted_tables:
            table.to_metadata(whole)
    return whole


def copied_to(whole: MetaData, table: Table, is_postgresql: bool) -> None:
    if is_postgresql or table.schema is None:
        table.to_metadata(whole)
    else:  # SQLite has one schema, and what refers to the site's tables does so in it
        table.to_metadata(whole, schema=None, referred_schema_fn=lambda *_: BLANK_SCHEMA)


def is_elsewhere(table: str | None) -> bool:
    """Whether a table is none of the metadata: Alembic has its own, and each engine its search index."""
    return table == VERSION_TABLE or (table or "").startswith(SEARCH_TABLE)


def differences(database: Database) -> list[Any]:
    url = database.engine.url
    arguments = {"options": f"-csearch_path={SCHEMA}"} if database.is_postgresql else {}
    engine = create_engine(url, connect_args=arguments)
    options = {
        "compare_type": True,
        "include_schemas": database.is_postgresql,
        "include_name": lambda name, kind, _: kind != "schema" or name in (None, "audit", SITE_SCHEMA),
        "include_object": lambda thing, name, kind, *_: not (kind == "table" and is_elsewhere(name)),
    }
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), expected(database.is_postgresql))
    engine.dispose()
    return found


def test_the_migrations_make_the_tables_of_the_metadata(opened: Database) -> None:
    migrate(opened)
    assert differences(opened) == []
    assert set(metadata.tables) >= AREAS


def test_a_difference_would_be_seen(opened: Database) -> None:
    migrate(opened)
    name = f"{SCHEMA}.account" if opened.is_postgresql else "account"
    with opened.write() as connection:
        connection.execute(text(f"ALTER TABLE {name} ADD COLUMN shoe_size INTEGER"))
    assert "shoe_size" in str(differences(opened))


def test_our_tables_have_a_schema_of_their_own_on_postgresql(postgres_database: str) -> None:
    database = open_database(postgres_database)
    migrate(database)
    look = inspect(database.engine)
    assert set(look.get_table_names("public")) == {"imaging_study", "imaging_asset"}
    assert look.get_table_names("audit") == ["event"]
    assert VERSION_TABLE in look.get_table_names(SCHEMA)
    assert "audit_event" not in look.get_table_names(SCHEMA)
    database.close()


def test_migrating_twice_changes_nothing(opened: Database) -> None:
    first = migrate(opened)
    assert migrate(opened) == first
    with opened.read() as connection:
        assert current(connection) == first


def test_rows_of_a_database_from_before_links_are_still_there(opened: Database) -> None:
    move_to(opened, "0004_series_imports")
    with opened.write() as connection:
        source = reflected(connection, "nas_source")
        connection.execute(insert(source), filled(source, name="archive"))
        run = reflected(connection, "nas_run")
        connection.execute(insert(run), filled(run, id="run", source_id=1))
    migrate(opened)
    assert differences(opened) == []
    with opened.read() as connection:
        kept = connection.execute(select(nas_source)).one()
        assert (kept.name, kept.content, kept.picture_count) == ("archive", "unknown", 0)
        assert connection.execute(select(nas_run.c.id, nas_run.c.accept_loss)).all() == [("run", False)]


def test_links_from_before_copies_have_none(opened: Database) -> None:
    move_to(opened, "0007_nas_content")
    with opened.write() as connection:
        links = reflected(connection, "shares")
        connection.execute(insert(links), filled(links, id="link"))
    migrate(opened)
    with opened.read() as connection:
        c = shares.c
        assert connection.execute(select(c.id, c.copy_done, c.copy_tries, c.accept_burned_in)).all() == [
            ("link", 0, 0, False)
        ]


def move_to(database: Database, revision: str) -> None:
    """Bring an empty database to the tables of an older version."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("readingroom.db") / "migrations"))
    config.set_main_option("path_separator", "os")
    with database.write() as connection:
        if database.is_postgresql:
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def reflected(connection: Connection, name: str) -> Table:
    """A table as it stands in the database, whatever this version thinks of it."""
    schema = SCHEMA if connection.dialect.name == "postgresql" else None
    return Table(name, MetaData(), schema=schema, autoload_with=connection)


def filled(table: Table, **values: Any) -> dict[str, Any]:
    """A row with something of the right type in every column that must have something."""
    plain = {int: 1, float: 1.0, str: "x", bool: False, datetime: SystemClock().now()}
    return {each.name: plain[each.type.python_type] for each in table.columns if not each.nullable} | values


def test_many_starts_at_once_migrate_once(database_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        database = open_database(database_url)
        try:
            migrate(database)
        except BaseException as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    database = open_database(database_url)
    assert differences(database) == []
    database.close()


def test_a_migration_that_fails_leaves_nothing_behind(opened: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import Operations

    def fail(self: Any, name: str, *columns: Any, **more: Any) -> Table:
        if name == "case_file":
            raise RuntimeError("the power went")
        return made(self, name, *columns, **more)

    made = Operations.create_table
    monkeypatch.setattr(Operations, "create_table", fail)
    monkeypatch.setattr("alembic.op.create_table", lambda name, *c, **m: fail(None, name, *c, **m), raising=False)
    with pytest.raises((RuntimeError, AttributeError, TypeError)):
        migrate(opened)
    monkeypatch.undo()
    schema = SCHEMA if opened.is_postgresql else None
    assert inspect(opened.engine).get_table_names(schema=schema) == []
    migrate(opened)
    assert differences(opened) == []


def test_a_database_of_a_newer_version_is_refused(opened: Database) -> None:
    migrate(opened)
    name = f"{SCHEMA}.{VERSION_TABLE}" if opened.is_postgresql else VERSION_TABLE
    with opened.write() as connection:
        connection.execute(text(f"UPDATE {name} SET version_num = '9999_future'"))
    with pytest.raises(SettingsError, match="9999_future"):
        migrate(opened)


def test_the_history_is_one_line() -> None:
    script = ScriptDirectory(str(resources.files("readingroom.db") / "migrations"))
    assert len(script.get_heads()) == 1
    assert script.get_bases() == ["0001_foundation"]
    assert all(not isinstance(revision.down_revision, tuple) for revision in script.walk_revisions())


def test_a_moment_without_time_zone_is_refused(opened: Database) -> None:
    from readingroom.cases.tables import exam_type
    from sqlalchemy.exc import StatementError

    migrate(opened)
    now = SystemClock().now()
    with pytest.raises(StatementError), opened.write() as connection:
        connection.execute(insert(exam_type), {"name": "XR", "created_at": now.replace(tzinfo=None)})
    with opened.write() as connection:
        connection.execute(insert(exam_type), {"name": "XR", "created_at": now})
    with opened.read() as connection:
        assert connection.scalar(select(exam_type.c.created_at).where(exam_type.c.name == "XR")) == now


def test_a_writer_waits_for_another_instead_of_failing(opened: Database) -> None:
    from readingroom.cases.tables import exam_type
    from sqlalchemy import func

    migrate(opened)
    with opened.read() as connection:
        before = connection.scalar(select(func.count()).select_from(exam_type)) or 0

    def write(n: int) -> None:
        for m in range(10):
            with opened.write() as connection:
                connection.execute(select(exam_type)).all()  # reading first is what makes SQLite's writers collide
                connection.execute(insert(exam_type), {"name": f"T{n}-{m}", "created_at": SystemClock().now()})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened.read() as connection:
        assert connection.scalar(select(func.count()).select_from(exam_type)) == before + 60


def test_a_site_s_own_assets_are_taken_over_as_they_are(postgres_database: str) -> None:
    database = open_database(postgres_database)
    move_to(database, "0008_share_copies")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE public.imaging_study (id bigint, shoe_size integer)"))
    with pytest.raises(SettingsError, match=r"imaging_study lacks .*clinic_id"):
        migrate(database)
    with database.write() as connection:
        connection.execute(text("DROP TABLE public.imaging_study"))
        for name, more in (("imaging_study", SITE_STUDY), ("imaging_asset", SITE_ASSET)):
            connection.execute(text(f"CREATE TABLE public.{name} (id bigserial PRIMARY KEY, {more}, {SITE_TRACES})"))
        connection.execute(
            text("INSERT INTO public.imaging_study (clinic_id, patient_id, kind) VALUES (1, 2, 'PHOTO')")
        )
        connection.execute(
            text(
                "INSERT INTO public.imaging_asset (clinic_id, patient_id, study_id, modality, mime_type, size_bytes,"
                " sha256, storage_backend, storage_key) VALUES (1, 2, 1, 'PHOTO', 'image/png', 3, 'ab', 's3', 'k')"
            )
        )
    migrate(database)
    with database.read() as connection:
        row = connection.execute(select(imaging_asset)).one()
        assert (row.state, row.file_name, row.is_active, row.storage_key) == ("ready", "", True, "k")
    database.close()


SITE_TRACES = (
    "captured_at timestamptz NOT NULL DEFAULT now(), is_active boolean NOT NULL DEFAULT true,"
    " created_at timestamptz DEFAULT now(),"
    " updated_at timestamptz DEFAULT now(), created_by_id uuid, updated_by_id uuid"
)
SITE_STUDY = "clinic_id bigint NOT NULL, patient_id bigint NOT NULL, kind text NOT NULL, title text, source text"
SITE_ASSET = (
    "clinic_id bigint NOT NULL, patient_id bigint NOT NULL, study_id bigint NOT NULL, modality text NOT NULL,"
    " mime_type text NOT NULL, size_bytes bigint NOT NULL, sha256 text NOT NULL, storage_backend text NOT NULL,"
    " storage_key text NOT NULL, thumb_key text, web_key text, source_device text"
)
"""As the imaging service before us made them."""


def test_an_account_that_may_not_write_to_the_site_s_schema_is_told_what_it_needs(postgres_database: str) -> None:
    database = open_database(postgres_database)
    with database.write() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text("DROP ROLE IF EXISTS rr_limited"))
        connection.execute(text("CREATE ROLE rr_limited LOGIN PASSWORD 'limited'"))
        connection.execute(text(f'GRANT CREATE ON DATABASE "{name}" TO rr_limited'))
    url = make_url(postgres_database).set(username="rr_limited", password="limited")
    limited = open_database(url.render_as_string(hide_password=False))
    try:
        with pytest.raises(SettingsError, match="GRANT USAGE, CREATE ON SCHEMA public"):
            migrate(limited)
        assert inspect(limited.engine).get_schema_names() == inspect(database.engine).get_schema_names()
        with database.write() as connection:
            connection.execute(text("GRANT CREATE ON SCHEMA public TO rr_limited"))
        migrate(limited)
        assert set(inspect(limited.engine).get_table_names("public")) == {"imaging_study", "imaging_asset"}
    finally:
        limited.close()
        with database.write() as connection:
            connection.execute(text("DROP OWNED BY rr_limited CASCADE"))
            connection.execute(text("DROP ROLE rr_limited"))
        database.close()
