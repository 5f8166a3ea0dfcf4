"""CRC-32s of files, learnt while they were sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from readingroom.db.metadata import UtcDateTime

revision = "0006_file_crcs"
down_revision = "0005_shares"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "file_crc",
        sa.Column("series_key", sa.String(length=40), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("series_key", "fingerprint", name="pk_file_crc"),
    )
    op.create_index("ix_file_crc_kept_at", "file_crc", ["kept_at"])
