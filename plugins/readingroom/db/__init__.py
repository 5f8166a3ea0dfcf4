"""The database: one connection pool, short transactions, the same tables on SQLite and PostgreSQL."""

from readingroom.db.engine import SITE_SCHEMA, Database, open_database
from readingroom.db.metadata import UtcDateTime, metadata
from readingroom.db.migrate import migrate

__all__ = ["SITE_SCHEMA", "Database", "UtcDateTime", "metadata", "migrate", "open_database"]
