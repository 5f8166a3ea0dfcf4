"""Imports of single series from the NAS index into Orthanc."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from readingroom.db.metadata import UtcDateTime

revision = "0004_series_imports"
down_revision = "0003_nas_index"

UNDER_WAY = sa.text("state IN ('queued', 'running')")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "nas_import",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("series_key", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked", sa.String(length=16), nullable=False),
        sa.Column("started_by", sa.String(length=200), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("files_total", sa.Integer(), nullable=False),
        sa.Column("files_done", sa.Integer(), nullable=False),
        sa.Column("files_there", sa.Integer(), nullable=False),
        sa.Column("files_failed", sa.Integer(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("orthanc_series_id", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("errors", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["nas_source.id"], name="fk_nas_import_source_id_nas_source"),
        sa.PrimaryKeyConstraint("id", name="pk_nas_import"),
    )
    op.create_index("ix_nas_import_series_started", "nas_import", ["series_key", "started_at"])
    op.create_index(
        "uq_nas_import_under_way",
        "nas_import",
        ["series_key"],
        unique=True,
        sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
    )
