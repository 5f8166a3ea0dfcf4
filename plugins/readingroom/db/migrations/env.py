"""Runs migrations on the connection that `readingroom.db.migrate` hands over; there is no other way in."""

from __future__ import annotations

from alembic import context
from readingroom.db.migrate import options

connection = context.config.attributes["connection"]
# The transaction is the caller's: all migrations are applied, or none.
context.configure(connection=connection, target_metadata=None, transactional_ddl=False, **options(connection))
context.run_migrations()
