"""How far the de-identified copy of a link is, and whether its maker answered for what is burned in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_share_copies"
down_revision = "0007_nas_content"


def upgrade() -> None:
    """Apply."""
    op.add_column("shares", sa.Column("copy_done", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("shares", sa.Column("copy_tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("shares", sa.Column("accept_burned_in", sa.Boolean(), nullable=False, server_default=sa.false()))
