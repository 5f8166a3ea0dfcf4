"""The exam types that every installation begins with."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from readingroom.db.metadata import UtcDateTime

revision = "0002_exam_types"
down_revision = "0001_foundation"

SEEDED = ("MRI", "CT", "Echo")


def upgrade() -> None:
    """Apply; once, so that a type which a site drops one day does not come back."""
    exam_type = sa.table("exam_type", sa.column("name", sa.String()), sa.column("created_at", UtcDateTime()))
    now = datetime.now(UTC)
    op.bulk_insert(exam_type, [{"name": name, "created_at": now} for name in SEEDED])
