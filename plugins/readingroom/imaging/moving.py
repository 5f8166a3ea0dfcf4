"""Moves assets from one store to the other, under the same keys; may be killed and run again at any time.

An asset's objects are copied, read back and held against their hashes, and then its row names the new store, in one
step. A running Reading Room goes on meanwhile: it reads from the store that its settings name, and what was copied is
still in the old one. That is emptied only on a word of its own, and only when the settings name the new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import func, select, update

from readingroom.audit import Trail
from readingroom.db import Database
from readingroom.errors import BadKey, ObjectError, ObjectExists, ObjectIncomplete, ObjectNotFound, StoredFileBroken
from readingroom.identity import Caller
from readingroom.imaging.assets import READY
from readingroom.imaging.claims import LOST
from readingroom.imaging.move_events import AssetsMoved
from readingroom.imaging.tables import imaging_asset
from readingroom.objects import ObjectStore

AT_A_TIME = 200

WORKERS = 4
"""Assets under way: small pictures wait for the store's answers, and each large one holds a part of 8 MB at most."""

_AS_GOOD = (ObjectNotFound, ObjectExists, ObjectIncomplete, StoredFileBroken)

TOLD = 10_000
"""Failures that are told one by one."""

Why = Literal["missing", "damaged", "conflict", "changed", "key"]

WORDS: dict[Why, str] = {
    "missing": "its original is in neither store",
    "damaged": "its original has not the size and SHA-256 that its row says",
    "conflict": "the new store holds other bytes under its key",
    "changed": "it was changed while it was copied; run the command again",
    "key": "its row names an object that there cannot be",
}
"""Why an asset stayed where it was, for a person."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Whether nothing shall be written (`dry`), and whether the old store is to be emptied of what was moved."""

    dry: bool = False
    delete_source: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """An asset that stayed where it was."""

    asset: int
    key: str
    why: Why


@dataclass(slots=True)
class Report:
    """How far it is: `assets` of `total` were looked at; `bytes` were copied, or would be."""

    total: int = 0
    assets: int = 0
    moved: int = 0
    copied: int = 0
    there: int = 0  # objects that the new store had already, with the right bytes
    bytes: int = 0
    deleted: int = 0
    failed: int = 0
    told: list[Failure] = field(default_factory=list)

    def add(self, done: _Done) -> None:
        """One more asset."""
        self.assets += 1
        self.moved += done.moved
        self.copied += done.copied
        self.there += done.there
        self.bytes += done.bytes
        self.deleted += done.deleted
        if done.failure:
            self.failed += 1
            if len(self.told) < TOLD:
                self.told.append(done.failure)


@dataclass(slots=True)
class _Done:
    moved: bool = False
    copied: int = 0
    there: int = 0
    bytes: int = 0
    deleted: int = 0
    failure: Failure | None = None


class _Stays(Exception):
    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class Moving:
    """Moves what lies in `source` to `target`."""

    def __init__(self, database: Database, trail: Trail, source: ObjectStore, target: ObjectStore) -> None:
        self._database = database
        self._trail = trail
        self._source = source
        self._target = target

    def move(self, wish: Wish, caller: Caller, progress: Callable[[Report], None] = lambda _: None) -> Report:
        """All assets, the oldest first; `progress` hears of each. Raises StorageUnavailable when a store goes away."""
        self._source.check()
        self._target.check()
        report = Report(total=self._count(wish))
        try:
            with ThreadPoolExecutor(WORKERS, "move") as crew:
                for batch in self._batches(wish):
                    for done in crew.map(lambda row: self._one(row, wish), batch):
                        report.add(done)
                        progress(report)
        finally:
            if not wish.dry:
                event = AssetsMoved(
                    to=self._target.name, assets=report.moved, bytes=report.bytes, failed=report.failed,
                    deleted=report.deleted, outcome="ok" if report.assets - report.failed == report.total else "failed",
                )  # fmt: skip
                self._trail.record(event, caller)
        return report

    def _where(self, wish: Wish) -> Any:
        c = imaging_asset.c
        backends = [self._source.name] + ([self._target.name] if wish.delete_source else [])
        return c.state.in_((READY, LOST)) & c.storage_backend.in_(backends)

    def _count(self, wish: Wish) -> int:
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(imaging_asset).where(self._where(wish))) or 0

    def _batches(self, wish: Wish) -> Iterator[list[Any]]:
        c, last = imaging_asset.c, 0
        while True:
            with self._database.read() as connection:
                wanted = select(imaging_asset).where(self._where(wish), c.id > last).order_by(c.id).limit(AT_A_TIME)
                batch = list(connection.execute(wanted))
            if not batch:
                return
            yield batch
            last = batch[-1].id

    def _one(self, row: Any, wish: Wish) -> _Done:
        done = _Done()
        try:
            if row.storage_backend == self._source.name:
                self._copy_original(row, wish, done)
                for key in _pictures(row):
                    self._copy_picture(key, wish, done)
                if not wish.dry:
                    self._switch(row)
                done.moved = True
            elif not self._has_original(row):
                raise _Stays("damaged")
            if wish.delete_source and not wish.dry:
                self._delete(row, done)
        except _Stays as stays:
            done.failure = Failure(row.id, row.storage_key, stays.why)
        except BadKey:
            done.failure = Failure(row.id, row.storage_key, "key")
        return done

    def _copy_original(self, row: Any, wish: Wish, done: _Done) -> None:
        key = row.storage_key
        if self._target.stat(key) is not None:
            if not self._has_original(row):
                raise _Stays("conflict")
            done.there += 1
            return
        try:
            with self._source.open(key) as blob:
                if blob.size != row.size_bytes:
                    raise _Stays("damaged")
                if not wish.dry:
                    self._target.put(
                        key, blob.read_range(), expected_size=row.size_bytes, expected_sha256=row.sha256,
                        content_type=row.mime_type,
                    )  # fmt: skip
        except ObjectNotFound:
            raise _Stays("missing") from None
        except (ObjectIncomplete, StoredFileBroken):
            raise _Stays("damaged") from None
        except ObjectExists:
            raise _Stays("conflict") from None
        if not wish.dry and not self._has_original(row):
            with suppress(ObjectError):
                self._target.delete(key)
            raise _Stays("damaged")
        done.copied += 1
        done.bytes += row.size_bytes

    def _copy_picture(self, key: str, wish: Wish, done: _Done) -> None:
        """One that is missing is made again when somebody asks for it; one that the new store has is as good."""
        if self._target.stat(key) is not None:
            done.there += 1
            return
        with suppress(*_AS_GOOD), self._source.open(key) as blob:
            if not wish.dry:
                put = self._target.put(key, blob.read_range(), expected_size=blob.size, content_type=blob.content_type)
                if self._hash(key) != (put.size, put.sha256):
                    self._target.delete(key)
                    return
            done.copied += 1
            done.bytes += blob.size

    def _has_original(self, row: Any) -> bool:
        """Whether what the new store gives out has the row's hash."""
        try:
            return self._hash(row.storage_key) == (row.size_bytes, row.sha256.lower())
        except (ObjectNotFound, StoredFileBroken):
            return False

    def _hash(self, key: str) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with self._target.open(key) as blob:
            for piece in blob.read_range():
                digest.update(piece)
                size += len(piece)
        return size, digest.hexdigest()

    def _switch(self, row: Any) -> None:
        """From now on the row names the new store, unless it is another row by now."""
        c = imaging_asset.c
        same = [c[name] == getattr(row, name) for name in ("id", "state", "storage_backend", "storage_key")]
        same += [c[name].is_not_distinct_from(getattr(row, name)) for name in ("thumb_key", "web_key")]
        # When it was changed stays as it is: a deleted asset's time runs from then.
        statement = update(imaging_asset).where(*same).values(storage_backend=self._target.name)
        with self._database.write() as connection:
            if not connection.execute(statement).rowcount:
                raise _Stays("changed")

    def _delete(self, row: Any, done: _Done) -> None:
        """The new store's original was read and found right just before."""
        for key in (row.storage_key, *_pictures(row)):
            if self._source.stat(key) is not None:
                self._source.delete(key)
                done.deleted += 1


def _pictures(row: Any) -> list[str]:
    return [key for key in (row.thumb_key, row.web_key) if key]
