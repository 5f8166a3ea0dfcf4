"""The database: one connection pool, short transactions, the same tables on SQLite and PostgreSQL."""

from readingroom.db.engine import Database, open_database
from readingroom.db.metadata import UtcDateTime, metadata

__all__ = ["Database", "UtcDateTime", "metadata", "open_database"]
