"""Tables of the links, of what was done with them, and of who guesses at passcodes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from readingroom.db import UtcDateTime, metadata

shares = Table(
    "shares",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256 of the token, hex
    Column("series_key", String(40), nullable=False),
    Column("series_uid", String(64), nullable=False),
    Column("study_uid", String(64), nullable=False),
    Column("origin", String(16), nullable=False),  # orthanc nas: where the series lay when the link was made
    Column("source", Text, nullable=False, default=""),  # name of the NAS source
    Column("facts", Text, nullable=False),  # JSON: what the page shows of the series, by DICOM keyword
    Column("search_text", Text, nullable=False),  # note, maker and facts, folded for searching
    Column("file_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("password_hash", Text),  # Argon2id; none: whoever holds the link gets in
    Column("max_downloads", Integer),
    Column("download_count", Integer, nullable=False, default=0),
    Column("access_count", Integer, nullable=False, default=0),
    Column("last_accessed", UtcDateTime),
    Column("failed_attempts", Integer, nullable=False, default=0),  # since the last right passcode
    Column("locked_until", UtcDateTime),  # no passcode is taken before
    Column("deidentified", Boolean, nullable=False, default=False),
    Column("copy_state", String(16)),  # queued preparing ready failed, of a de-identified copy
    Column("copy_message", Text, nullable=False, default=""),
    Column("copy_done", Integer, nullable=False, default=0),  # files of it
    Column("copy_tries", Integer, nullable=False, default=0),  # starts since the last file that was done
    Column("accept_burned_in", Boolean, nullable=False, default=False),  # its maker looked, and it names nobody
    Column("note", Text, nullable=False, default=""),
    Index("ix_shares_created_by", "created_by", "created_at"),
    Index("ix_shares_created_at", "created_at"),
    Index("ix_shares_series_uid", "series_uid"),
)

share_access_log = Table(
    "share_access_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("share_id", ForeignKey("shares.id"), nullable=False),
    Column("accessed_at", UtcDateTime, nullable=False),
    Column("ip_address", Text, nullable=False),
    Column("user_agent", String(300), nullable=False),
    Column("what", String(16), nullable=False),  # landing info unlock zip file thumbnail view refused
    Column("bytes", BigInteger, nullable=False, default=0),  # that were handed on
    Column("success", Boolean, nullable=False),
    Index("ix_share_access_log_share", "share_id", "accessed_at"),
    Index("ix_share_access_log_time", "accessed_at"),
)

share_download = Table(
    "share_download",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("share_id", ForeignKey("shares.id"), nullable=False),
    Column("reader", String(64), nullable=False),  # a visit, or SHA-256 of address and user agent
    Column("version", Text, nullable=False),  # of what is downloaded
    Column("begun_at", UtcDateTime, nullable=False),
    Index("ix_share_download_reader", "share_id", "reader"),
    Index("ix_share_download_begun", "begun_at"),
)
"""Downloads that were counted: who began one may resume it without being counted again."""

share_address = Table(
    "share_address",
    metadata,
    Column("address", String(64), primary_key=True),
    Column("failed_attempts", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    Column("last_failed", UtcDateTime, nullable=False, index=True),
)
"""Addresses that showed wrong passcodes lately."""
