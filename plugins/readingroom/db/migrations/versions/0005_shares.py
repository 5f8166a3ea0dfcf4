"""Links to one series, what was done with them, and who guesses at their passcodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from readingroom.db.metadata import UtcDateTime

revision = "0005_shares"
down_revision = "0004_series_imports"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "shares",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("series_key", sa.String(length=40), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("max_downloads", sa.Integer(), nullable=True),
        sa.Column("download_count", sa.Integer(), nullable=False),
        sa.Column("access_count", sa.Integer(), nullable=False),
        sa.Column("last_accessed", UtcDateTime(), nullable=True),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("deidentified", sa.Boolean(), nullable=False),
        sa.Column("copy_state", sa.String(length=16), nullable=True),
        sa.Column("copy_message", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shares"),
        sa.UniqueConstraint("token_hash", name="uq_shares_token_hash"),
    )
    op.create_index("ix_shares_created_by", "shares", ["created_by", "created_at"])
    op.create_index("ix_shares_created_at", "shares", ["created_at"])
    op.create_index("ix_shares_series_uid", "shares", ["series_uid"])
    op.create_table(
        "share_access_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("share_id", sa.String(length=36), nullable=False),
        sa.Column("accessed_at", UtcDateTime(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name="fk_share_access_log_share_id_shares"),
        sa.PrimaryKeyConstraint("id", name="pk_share_access_log"),
    )
    op.create_index("ix_share_access_log_share", "share_access_log", ["share_id", "accessed_at"])
    op.create_index("ix_share_access_log_time", "share_access_log", ["accessed_at"])
    op.create_table(
        "share_download",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("share_id", sa.String(length=36), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name="fk_share_download_share_id_shares"),
        sa.PrimaryKeyConstraint("id", name="pk_share_download"),
    )
    op.create_index("ix_share_download_reader", "share_download", ["share_id", "reader"])
    op.create_index("ix_share_download_begun", "share_download", ["begun_at"])
    op.create_table(
        "share_address",
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("last_failed", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_share_address"),
    )
    op.create_index("ix_share_address_last_failed", "share_address", ["last_failed"])
