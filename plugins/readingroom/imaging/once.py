"""Whole uploads that carry an Idempotency-Key: sent twice, they are filed once."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Row, and_, delete, insert, select
from sqlalchemy.exc import IntegrityError

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import BadRequest, Conflict, UploadBusy
from readingroom.imaging.filing import NewAsset
from readingroom.imaging.tables import imaging_upload

MAX_KEY = 200

LEASE = timedelta(minutes=2)
"""How long a request that died keeps its key from being used again; filing takes seconds."""

COMPLETING, DONE = "completing", "done"


class Once:
    """The keys of whole uploads, each its user's own within a clinic."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def claim(self, key: str, user: str, new: NewAsset, path: Path) -> str | int:
        """The id of the row that stands for this upload; or of the asset, a number, that it became before.

        Raises Conflict when the key was used for another upload, UploadBusy while the same one is under way.
        """
        said = _said(new, user, path)
        where = and_(
            imaging_upload.c.clinic_id == new.clinic,
            imaging_upload.c.user == user,
            imaging_upload.c.idempotency_key == key,
        )
        now = self._clock.now()
        row = said | {
            "id": str(uuid.uuid4()), "idempotency_key": key, "received": "[]", "state": COMPLETING,
            "created_at": now, "updated_at": now, "expires_at": now + LEASE,
        }  # fmt: skip
        try:
            with self._database.write() as connection:
                found = connection.execute(select(imaging_upload).where(where)).first()
                if found is not None and not found.in_parts and found.expires_at <= now:
                    connection.execute(delete(imaging_upload).where(imaging_upload.c.id == found.id))
                    found = None
                if found is None:
                    connection.execute(insert(imaging_upload).values(row))
                    return str(row["id"])
        except IntegrityError:
            raise _busy() from None
        return _earlier(found, said)

    def failed(self, upload: str) -> None:
        """Nothing became of it: the key may be used again, for another file too."""
        with self._database.write() as connection:
            connection.execute(delete(imaging_upload).where(imaging_upload.c.id == upload))


def key_of(header: str | None) -> str | None:
    """The key that a request carries; None without one. Raises BadRequest for what is none."""
    if header is None:
        return None
    if not (0 < len(header) <= MAX_KEY and header.isascii() and header.isprintable()):
        raise BadRequest(f"An Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters.")
    return header


def _said(new: NewAsset, user: str, path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "clinic_id": new.clinic, "user": user, "patient_id": new.patient_id, "study_id": new.study_id,
        "modality": new.modality, "mime_type": "", "file_name": new.file_name, "source_device": new.source_device,
        "captured_at": new.captured_at, "in_parts": False, "total_bytes": path.stat().st_size, "sha256": digest,
    }  # fmt: skip


def _earlier(found: Row[Any], said: dict[str, object]) -> int:
    before = found._mapping
    if any(before[name] != value for name, value in said.items()):
        raise Conflict("That Idempotency-Key belongs to another upload.")
    if before["state"] != DONE:
        raise _busy()
    return int(before["asset_id"])


def _busy() -> UploadBusy:
    return UploadBusy("The same upload is under way; ask again.", retry_after=5)
