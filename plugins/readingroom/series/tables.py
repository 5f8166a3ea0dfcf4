"""The table of CRC-32s that were learnt while files passed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from readingroom.db import UtcDateTime, metadata

file_crc = Table(
    "file_crc",
    metadata,
    Column("series_key", String(40), primary_key=True),
    # Of the file as it was read: place, path or uuid, size, time. A file that changed has another one.
    Column("fingerprint", String(32), primary_key=True),
    Column("crc32", BigInteger, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False, index=True),
)
