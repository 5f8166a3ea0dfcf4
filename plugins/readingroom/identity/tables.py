"""Tables of accounts, outside identities' grants, and sign-in sessions."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from readingroom.db import UtcDateTime, metadata

account = Table(
    "account",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),  # folded: lower case, NFKC
    Column("password_hash", Text, nullable=False),  # Argon2id in PHC form
    Column("roles", JSON, nullable=False),  # array of role names
    Column("clinic", String(200)),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("version", Integer, nullable=False, default=1),  # grows when all its tokens must stop being good
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("last_sign_in_at", UtcDateTime),
)

access_grant = Table(
    "access_grant",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", String(200), nullable=False),  # x-hasura-user-id (or sub) of an outside token
    Column("role", String(32), nullable=False),
    Column("clinic", String(200), nullable=False, default=""),  # empty: in whatever clinic the token names
    Column("created_by", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("user", "role", "clinic"),
)

session = Table(
    "session",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("in_cookie", Boolean, nullable=False),  # a browser's; its refresh token changes with every use
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Index("ix_session_account_id", "account_id"),
    Index("ix_session_expires_at", "expires_at"),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("jti", String(36), primary_key=True),
    Column("session_id", ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("replaced_at", UtcDateTime),
    Index("ix_refresh_token_session_id", "session_id"),
)
