"""Rows of uploads in parts: what was said of each, what came, how far it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, text, update

from readingroom.errors import TooManyRequests
from readingroom.imaging.received import Received
from readingroom.imaging.tables import imaging_upload

OPEN, COMPLETING, DONE, REFUSED = "open", "completing", "done", "refused"

MAX_OPEN = 32
"""Uploads in parts under way at a time for one user; a gallery sends three or four."""

MAX_OPEN_OF_CLINIC = 128
"""For all users of a clinic: each keeps room on the disk for what is still to come, which other clinics then lack."""


_PLACES = 0x52525550
"""The advisory lock of who counts a clinic's uploads (PostgreSQL); "RRUP"."""


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What is said of an upload when it begins; size in bytes and SHA-256 in hex where they are known then."""

    patient_id: int
    study_id: int
    modality: str
    mime_type: str
    file_name: str = ""
    source_device: str | None = None
    captured_at: datetime | None = None
    total_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in parts. `asset_id` is of the row that it becomes, from the moment that row is there."""

    id: str
    clinic_id: int
    user: str
    new: NewUpload
    received: Received
    state: str  # open completing done refused
    asset_id: int | None
    idempotency_key: str | None
    expires_at: datetime


def by_id(connection: Connection, upload: str, clinic: int, user: str) -> Upload | None:
    """That upload, if it is that user's in that clinic."""
    c = imaging_upload.c
    return _first(connection, and_(c.id == upload, c.clinic_id == clinic, c.user == user, c.in_parts))


def by_key(connection: Connection, key: str, clinic: int, user: str) -> tuple[Upload, bool] | None:
    """The upload that carries that Idempotency-Key, and whether it is one in parts."""
    c = imaging_upload.c
    row = connection.execute(
        select(imaging_upload).where(c.clinic_id == clinic, c.user == user, c.idempotency_key == key)
    ).first()
    return None if row is None else (_upload(row), row.in_parts)


def add(connection: Connection, upload: Upload, now: datetime) -> None:
    """Write a new row. Raises IntegrityError when its Idempotency-Key is there already."""
    values = asdict(upload.new) | {
        "id": upload.id, "clinic_id": upload.clinic_id, "user": upload.user, "in_parts": True,
        "received": upload.received.text(), "state": upload.state, "idempotency_key": upload.idempotency_key,
        "created_at": now, "updated_at": now, "expires_at": upload.expires_at,
    }  # fmt: skip
    connection.execute(insert(imaging_upload).values(values))


def advance(connection: Connection, upload: Upload, received: Received, now: datetime, expires_at: datetime) -> bool:
    """Write what has come by now; False when the row has changed since `upload` was read."""
    values = {"received": received.text(), "updated_at": now, "expires_at": expires_at}
    return bool(connection.execute(update(imaging_upload).where(_as_read(upload)).values(**values)).rowcount)


def remove(connection: Connection, upload: Upload) -> bool:
    """Take the row out; False when it has changed since."""
    return bool(connection.execute(delete(imaging_upload).where(_as_read(upload))).rowcount)


def set_state(connection: Connection, upload: Upload, state: str, now: datetime) -> bool:
    """Write another state; False when the row has changed since."""
    values = {"state": state, "updated_at": now}
    return bool(connection.execute(update(imaging_upload).where(_as_read(upload)).values(**values)).rowcount)


def see_places(connection: Connection, clinic: int, user: str) -> None:
    """Raises TooManyRequests where that user, or the clinic, has as many uploads in parts under way as may be.

    Nobody else of the clinic counts before this transaction is over: on SQLite writers stand in line anyway.
    """
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(:places, hashtext(:clinic))")
        connection.execute(lock, {"places": _PLACES, "clinic": str(clinic)})
    c = imaging_upload.c
    under_way = (c.clinic_id == clinic, c.in_parts, c.state.in_((OPEN, COMPLETING)))
    counted = select(func.count(), func.count().filter(c.user == user)).select_from(imaging_upload).where(*under_way)
    of_clinic, of_user = connection.execute(counted).one()
    if of_user >= MAX_OPEN:
        raise TooManyRequests(f"{MAX_OPEN} uploads of yours are under way; end some first.", retry_after=30)
    if of_clinic >= MAX_OPEN_OF_CLINIC:
        raise TooManyRequests(
            f"{MAX_OPEN_OF_CLINIC} uploads of your clinic are under way; end some first.", retry_after=30
        )


def announced(connection: Connection, largest: int) -> int:
    """Bytes that all uploads in parts under way may come to."""
    c = imaging_upload.c
    where = (c.in_parts, c.state.in_((OPEN, COMPLETING)))
    total = select(func.sum(func.coalesce(c.total_bytes, largest))).where(*where)
    return int(connection.scalar(total) or 0)


def expired(connection: Connection, now: datetime, limit: int) -> list[tuple[Upload, bool]]:
    """Uploads whose time is over, the oldest first, and whether each is one in parts."""
    c = imaging_upload.c
    rows = connection.execute(
        select(imaging_upload).where(c.expires_at <= now).order_by(c.expires_at, c.id).limit(limit)
    )
    return [(_upload(row), row.in_parts) for row in rows]


def remove_expired(connection: Connection, upload: Upload, now: datetime) -> bool:
    """Take the row out if its time is still over; False when somebody went on with it."""
    over = and_(_as_read(upload), imaging_upload.c.expires_at <= now)
    return bool(connection.execute(delete(imaging_upload).where(over)).rowcount)


def under_way(connection: Connection, ids: list[str]) -> set[str]:
    """Those of these uploads that are not done, refused or gone."""
    c = imaging_upload.c
    return set(connection.scalars(select(c.id).where(c.id.in_(ids), c.state.in_((OPEN, COMPLETING)))))


def _as_read(upload: Upload) -> ColumnElement[bool]:
    c = imaging_upload.c
    return and_(c.id == upload.id, c.state == upload.state, c.received == upload.received.text())


def _first(connection: Connection, where: ColumnElement[bool]) -> Upload | None:
    row = connection.execute(select(imaging_upload).where(where)).first()
    return None if row is None else _upload(row)


def _upload(row: Row[Any]) -> Upload:
    values = row._mapping
    new = NewUpload(**{field.name: values[field.name] for field in fields(NewUpload)})
    return Upload(
        row.id, row.clinic_id, row.user, new, Received.read(row.received), row.state, row.asset_id,
        row.idempotency_key, row.expires_at,
    )  # fmt: skip
