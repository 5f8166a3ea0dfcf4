"""The NAS index: sources, folders, series, files, runs, errors, and what series are searched by."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from alembic import op
from readingroom.db.metadata import UtcDateTime

revision = "0003_nas_index"
down_revision = "0002_exam_types"

SCHEMA = "readingroom"
UNDER_WAY = sa.text("state IN ('queued', 'running', 'paused')")
UNSETTLED = sa.text("integrity = ''")


def upgrade() -> None:
    """Apply."""
    tables()
    if op.get_bind().dialect.name == "postgresql":
        search_on_postgresql()
    else:
        search_on_sqlite()


def tables() -> None:
    """What both engines have."""
    op.create_table(
        "nas_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("offline_reason", sa.Text(), nullable=False),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("other_count", sa.Integer(), nullable=False),
        sa.Column("series_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_nas_source"),
        sa.UniqueConstraint("name", name="uq_nas_source_name"),
    )
    op.create_table(
        "nas_error",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("error_type", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=False),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["nas_source.id"], name="fk_nas_error_source_id_nas_source"),
        sa.PrimaryKeyConstraint("id", name="pk_nas_error"),
        sa.UniqueConstraint("source_id", "path", name="uq_nas_error_source_id_path"),
    )
    op.create_index("ix_nas_error_run", "nas_error", ["run_id", "id"], unique=False)
    op.create_table(
        "nas_folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["nas_source.id"], name="fk_nas_folder_source_id_nas_source"),
        sa.PrimaryKeyConstraint("id", name="pk_nas_folder"),
        sa.UniqueConstraint("source_id", "path", name="uq_nas_folder_source_id_path"),
    )
    op.create_table(
        "nas_run",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("file_limit", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked", sa.String(length=16), nullable=False),
        sa.Column("started_by", sa.String(length=200), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("enumerated_files", sa.Integer(), nullable=False),
        sa.Column("files_processed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("series_count", sa.Integer(), nullable=False),
        sa.Column("files_per_second", sa.Float(), nullable=False),
        sa.Column("estimated_completion", UtcDateTime(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["nas_source.id"], name="fk_nas_run_source_id_nas_source"),
        sa.PrimaryKeyConstraint("id", name="pk_nas_run"),
    )
    op.create_index("ix_nas_run_source_started", "nas_run", ["source_id", "started_at"], unique=False)
    op.create_index(
        "uq_nas_run_under_way",
        "nas_run",
        ["source_id"],
        unique=True,
        sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
    )
    op.create_table(
        "nas_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("series_key", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("series_instance_uid", sa.Text(), nullable=False),
        sa.Column("study_instance_uid", sa.Text(), nullable=False),
        sa.Column("patient_name", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("patient_birth_date", sa.Text(), nullable=False),
        sa.Column("patient_sex", sa.Text(), nullable=False),
        sa.Column("study_date", sa.Text(), nullable=False),
        sa.Column("study_time", sa.Text(), nullable=False),
        sa.Column("study_description", sa.Text(), nullable=False),
        sa.Column("series_description", sa.Text(), nullable=False),
        sa.Column("series_number", sa.Text(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=False),
        sa.Column("body_part", sa.Text(), nullable=False),
        sa.Column("accession_number", sa.Text(), nullable=False),
        sa.Column("institution_name", sa.Text(), nullable=False),
        sa.Column("medical_aid", sa.Text(), nullable=False),
        sa.Column("hospital", sa.Text(), nullable=False),
        sa.Column("hospital_group", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("integrity", sa.String(length=16), nullable=False),
        sa.Column("is_copy", sa.Boolean(), nullable=False),
        sa.Column("stored_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["nas_source.id"], name="fk_nas_series_source_id_nas_source"),
        sa.PrimaryKeyConstraint("id", name="pk_nas_series"),
        sa.UniqueConstraint("position", name="uq_nas_series_position"),
        sa.UniqueConstraint("series_key", "source_id", name="uq_nas_series_series_key_source_id"),
    )
    op.create_index("ix_nas_series_series_instance_uid", "nas_series", ["series_instance_uid"], unique=False)
    op.create_index("ix_nas_series_study_instance_uid", "nas_series", ["study_instance_uid"], unique=False)
    op.create_index(
        "ix_nas_series_unsettled",
        "nas_series",
        ["source_id"],
        unique=False,
        sqlite_where=UNSETTLED,
        postgresql_where=UNSETTLED,
    )
    op.create_table(
        "nas_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("folder_id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("instance_number", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_nas_file"),
        sa.UniqueConstraint("folder_id", "name", name="uq_nas_file_folder_id_name"),
    )
    op.create_index("ix_nas_file_series_id", "nas_file", ["series_id"], unique=False)


def search_on_sqlite() -> None:
    """An index of terms alone: no text is kept in it, and no places, which keeps it small.

    Before SQLite 3.43 nothing can be deleted from an index that keeps no text: there it keeps it.
    """
    without_text = "content='', contentless_delete=1, " if sqlite3.sqlite_version_info >= (3, 43) else ""
    op.execute(f"CREATE VIRTUAL TABLE nas_series_terms USING fts5(terms, {without_text}detail=none, tokenize='ascii')")


def search_on_postgresql() -> None:
    """Terms as numbers under a GIN index: no extension is needed.

    The rows are kept narrow, and narrower still in the index that holds them in the order of the list: terms are kept
    outside of them. A long pending list would be read through by every search while a run writes; a short one is
    merged early. The larger sample makes PostgreSQL remember how frequent some thousands of terms are, which decides
    how to search.
    """
    op.create_table(
        "nas_series_terms",
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("is_copy", sa.Boolean(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("terms", sa.ARRAY(sa.Integer()), nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_nas_series_terms_position",
        "nas_series_terms",
        ["position"],
        schema=SCHEMA,
        unique=True,
        postgresql_include=["series_id", "is_copy", "search_text"],
    )
    op.create_index(
        "ix_nas_series_terms_terms",
        "nas_series_terms",
        ["terms"],
        schema=SCHEMA,
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 512},
    )
    table = f"ALTER TABLE {SCHEMA}.nas_series_terms"
    op.execute(f"{table} SET (toast_tuple_target = 128)")
    op.execute(f"{table} ALTER COLUMN terms SET STORAGE EXTERNAL")
    op.execute(f"{table} ALTER COLUMN search_text SET STORAGE MAIN")
    op.execute(f"{table} ALTER COLUMN terms SET STATISTICS 500")
