"""What kind of archive a source is, how many pictures it has, and runs that are told a loss is meant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_nas_content"
down_revision = "0006_file_crcs"


def upgrade() -> None:
    """Apply."""
    op.add_column("nas_source", sa.Column("content", sa.String(length=20), nullable=False, server_default="unknown"))
    op.add_column("nas_source", sa.Column("picture_count", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("nas_run", sa.Column("accept_loss", sa.Boolean(), nullable=False, server_default=sa.false()))
