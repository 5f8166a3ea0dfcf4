"""What can be wrong with an asset's row and the objects that it names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readingroom.errors import BadKey, ObjectNotFound, StoredFileBroken
from readingroom.imaging.assets import READY, RECEIVING
from readingroom.imaging.claims import LOST
from readingroom.imaging.filing import ABANDONED
from readingroom.objects import ObjectStore

WORDS = {
    "missing": "the original is not there",
    "size": "the original has another size than its row says",
    "hash": "the original has another SHA-256 than its row says",
    "key": "the row names an object that there cannot be",
    "found": "an original that was lost is there again",
    "variant": "a thumbnail or web picture is not there",
    "elsewhere": "its objects lie in another backend than the configured one",
    "stuck": "an upload died, and its row is still there",
    "orphan": "an object whose row is gone",
    "foreign": "an object that this database never made",
}
"""Every kind of fault, for a person."""

LOSSES = ("missing", "size", "hash", "key")
"""Kinds that mean that the picture cannot be given out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it should be; `asset` is 0 where there is no row, `size` in bytes where it is known."""

    kind: str
    asset: int = 0
    key: str = ""
    size: int = 0


def of_row(row: Any, objects: ObjectStore, dead_before: datetime, *, deep: bool) -> list[Fault]:
    """What is wrong with a row of imaging_asset; `deep` reads its original whole. Raises StorageUnavailable."""
    if row.state == ABANDONED or (row.state == RECEIVING and (row.updated_at or row.created_at) < dead_before):
        return [Fault("stuck", row.id, row.storage_key)]
    if row.state not in (READY, LOST):
        return []
    if row.storage_backend != objects.name:
        return [Fault("elsewhere", row.id, row.storage_key)]
    loss = _loss(row, objects, deep=deep)
    if row.state == LOST:
        return [] if loss else [Fault("found", row.id, row.storage_key, row.size_bytes)]
    if loss:
        return [loss]
    return [
        Fault("variant", row.id, key) for key in (row.thumb_key, row.web_key) if key and not _is_there(objects, key)
    ]


def _loss(row: Any, objects: ObjectStore, *, deep: bool) -> Fault | None:
    try:
        stat = objects.stat(row.storage_key)
    except BadKey:
        return Fault("key", row.id, row.storage_key)
    if stat is None:
        return Fault("missing", row.id, row.storage_key)
    if stat.size != row.size_bytes:
        return Fault("size", row.id, row.storage_key, stat.size)
    if deep and not _has_hash(objects, row.storage_key, row.sha256):
        return Fault("hash", row.id, row.storage_key, stat.size)
    return None


def _has_hash(objects: ObjectStore, key: str, sha256: str) -> bool:
    digest = hashlib.sha256()
    try:
        with objects.open(key) as blob:
            for piece in blob.read_range():
                digest.update(piece)
    except (ObjectNotFound, StoredFileBroken):
        return False
    return digest.hexdigest() == sha256.lower()


def _is_there(objects: ObjectStore, key: str) -> bool:
    try:
        return objects.stat(key) is not None
    except BadKey:
        return False
