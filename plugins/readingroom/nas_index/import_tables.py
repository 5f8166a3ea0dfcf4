"""The table of imports of single series into Orthanc."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from readingroom.db import UtcDateTime, metadata

nas_import = Table(
    "nas_import",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("series_key", String(40), nullable=False),
    Column("source_id", ForeignKey("nas_source.id"), nullable=False),
    Column("state", String(16), nullable=False),  # queued running done failed cancelled interrupted
    Column("asked", String(16), nullable=False, default=""),  # cancel
    Column("started_by", String(200), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("files_total", Integer, nullable=False, default=0),
    Column("files_done", Integer, nullable=False, default=0),
    Column("files_there", Integer, nullable=False, default=0),  # of these: Orthanc had them already
    Column("files_failed", Integer, nullable=False, default=0),  # of these: could not be brought in
    Column("bytes_total", BigInteger, nullable=False, default=0),
    Column("bytes_done", BigInteger, nullable=False, default=0),
    Column("orthanc_series_id", String(64), nullable=False, default=""),
    Column("message", Text, nullable=False, default=""),
    Column("errors", Text, nullable=False, default="[]"),  # JSON: the first of them
)
Index("ix_nas_import_series_started", nas_import.c.series_key, nas_import.c.started_at)
_under_way = text("state IN ('queued', 'running')")
# One import of a series at a time, whoever starts it.
Index(
    "uq_nas_import_under_way",
    nas_import.c.series_key,
    unique=True,
    sqlite_where=_under_way,
    postgresql_where=_under_way,
)
