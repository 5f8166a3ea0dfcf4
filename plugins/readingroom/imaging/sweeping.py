"""Removes what nobody needs any more: uploads that nobody goes on with, rows and objects of those that died."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import and_, func, or_, select, update

from readingroom.audit import Trail
from readingroom.beside import Beside
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import BadKey, ReadingRoomError, UploadBusy, UploadLost
from readingroom.identity import Caller, Identity
from readingroom.imaging import upload_rows as uploads
from readingroom.imaging.assets import READY, RECEIVING
from readingroom.imaging.claims import ERASED, claims
from readingroom.imaging.filing import ABANDONED, Filing
from readingroom.imaging.part_files import PartFiles
from readingroom.imaging.spool import Spool
from readingroom.imaging.tables import imaging_asset
from readingroom.imaging.upload_events import AssetAbandoned, AssetErased, ObjectsSwept, UploadExpired
from readingroom.imaging.upload_rows import DONE, REFUSED, Upload
from readingroom.metrics import Metrics
from readingroom.objects import ObjectStore, Stat, thumb_key, web_key
from readingroom.procedures import Lifeline, Taken

log = structlog.get_logger(__name__)

EVERY_SECONDS = 600.0

WALK_EVERY = timedelta(hours=24)
"""How often all objects are held against the rows: listing a million of S3's is a thousand requests."""

UPLOAD_GRACE = timedelta(hours=1)
"""No upload is filed for so long: seconds, or minutes for gigabytes to a slow store."""

OBJECT_GRACE = timedelta(hours=24)
"""Age from which an object without a row is nobody's."""

A_FEW = 20
"""So many objects without row are what crashes leave; more, and more than one in twenty, are a question for a person:
somebody may have taken rows out by mistake, and these are the last copies."""

AT_A_TIME = 200

SLOT = "1"


class Sweeper:
    """Sweeps now and then, one process of a machine at a time. Two machines at once do no harm."""

    def __init__(
        self, database: Database, clock: Clock, trail: Trail, metrics: Metrics, objects: ObjectStore, filing: Filing,
        files: PartFiles, spool: Spool, slot: Lifeline, deleted_for: timedelta | None,
    ) -> None:  # fmt: skip
        """The bytes of deleted assets go after `deleted_for`; None: never."""
        self._database = database
        self._clock = clock
        self._trail = trail
        self._metrics = metrics
        self._objects = objects
        self._filing = filing
        self._files = files
        self._spool = spool
        self._slot = slot
        self._deleted_for = deleted_for
        self._walked: float | None = None
        self._beside = Beside("imaging-sweeper", self._turn, again=EVERY_SECONDS, first=EVERY_SECONDS)

    def start(self) -> None:
        """From now on, in a thread of its own."""
        self._beside.start()

    def stop(self) -> None:
        """No more of that."""
        self._beside.stop()

    def sweep(self, *, walk: bool = True) -> None:
        """Once, all of it; what fails is told in the log and does not keep the rest from being done."""
        try:
            with self._slot.held(SLOT):
                for step in (self._uploads, self._part_files, self._rows, self._erase, self._unfinished):
                    self._carefully(step)
                self._carefully(self._spool.clear)
                if walk:
                    self._carefully(self._orphans)
        except Taken:
            log.info("imaging_sweeping_elsewhere")

    def _turn(self) -> float:
        now = self._clock.monotonic()
        due = self._walked is None or now - self._walked >= WALK_EVERY.total_seconds()
        self.sweep(walk=due)
        if due:
            self._walked = now
        return EVERY_SECONDS

    def _carefully(self, step: Callable[[], None]) -> None:
        if self._beside.is_stopping:
            return
        try:
            step()
        except Exception as error:
            told = error.code if isinstance(error, ReadingRoomError) else type(error).__name__
            log.warning("imaging_not_swept", step=step.__name__.lstrip("_"), error=told)

    def _uploads(self) -> None:
        """Uploads whose time is over, and what is remembered of those that are done."""
        with self._database.read() as connection:
            over = uploads.expired(connection, self._clock.now(), AT_A_TIME)
        for upload, in_parts in over:
            if in_parts:
                try:
                    with self._files.held(upload.id, 0):
                        self._expire(upload)
                        self._files.remove(upload.id)
                except UploadLost:
                    self._expire(upload)
                except UploadBusy:
                    pass  # somebody goes on with it after all
            elif upload.expires_at <= self._clock.now() - UPLOAD_GRACE or upload.state == DONE:
                with self._database.write() as connection:
                    uploads.remove(connection, upload)

    def _expire(self, upload: Upload) -> None:
        finished = upload.state in (DONE, REFUSED)
        if not finished:
            self._filing.abandon(upload.asset_id)
        with self._database.write() as connection:
            if uploads.remove_expired(connection, upload, self._clock.now()) and not finished:
                self._trail.record(UploadExpired(entity_id=upload.id), sweeper(), connection)
                self._metrics.add("imaging_uploads_expired_total")

    def _part_files(self) -> None:
        """Files of uploads that have ended: whoever ended them died before removing the file."""
        before = self._clock.now() - UPLOAD_GRACE
        old = [upload for upload, written in self._files.all() if written < before]
        for start in range(0, len(old), AT_A_TIME):
            batch = old[start : start + AT_A_TIME]
            with self._database.read() as connection:
                under_way = uploads.under_way(connection, batch)
            for upload in batch:
                if upload not in under_way:
                    self._files.remove(upload)

    def _rows(self) -> None:
        """Rows of assets that never became ready."""
        c = imaging_asset.c
        began = func.coalesce(c.updated_at, c.created_at)
        dead = or_(
            c.state == ABANDONED, and_(c.state == RECEIVING, began < self._clock.now() - UPLOAD_GRACE)
        )  # fmt: skip
        with self._database.read() as connection:
            where = (dead, c.storage_backend == self._objects.name)
            found = list(connection.scalars(select(c.id).where(*where).order_by(c.id).limit(AT_A_TIME)))
        for asset_id in found:
            if self._filing.abandon(asset_id):
                self._trail.record(AssetAbandoned(entity_id=str(asset_id)), sweeper())
                self._metrics.add("imaging_assets_abandoned_total")

    def _erase(self) -> None:
        """Bytes of assets that were deleted long ago, where the site wants that."""
        if self._deleted_for is None:
            return
        c, last = imaging_asset.c, 0
        changed = func.coalesce(c.updated_at, c.created_at, c.captured_at)
        old = and_(~c.is_active, c.state == READY, changed <= self._clock.now() - self._deleted_for)
        while not self._beside.is_stopping:
            with self._database.read() as connection:
                where = (old, c.storage_backend == self._objects.name, c.id > last)
                found = connection.execute(select(imaging_asset).where(*where).order_by(c.id).limit(AT_A_TIME)).all()
            if not found:
                return
            for row in found:
                self._erase_one(row)
            last = found[-1].id

    def _erase_one(self, row: Any) -> None:
        place = (row.clinic_id, row.patient_id, row.study_id, row.id)
        try:
            for key in {row.storage_key, row.thumb_key, row.web_key, thumb_key(*place), web_key(*place)} - {None}:
                self._objects.delete(key)
        except BadKey:  # a row of a time before us: it does not say where its bytes are
            log.warning("asset_not_erased", asset=row.id, do="scripts/admin assets check")
            return
        values = {"state": ERASED, "thumb_key": None, "web_key": None}
        with self._database.write() as connection:
            connection.execute(update(imaging_asset).where(imaging_asset.c.id == row.id).values(**values))
            self._trail.record(AssetErased(entity_id=str(row.id), bytes=row.size_bytes), sweeper(), connection)

    def _unfinished(self) -> None:
        """What puts that died left in the store, where it has no name yet."""
        swept = self._objects.sweep_unfinished(self._clock.now() - OBJECT_GRACE)
        if swept:
            log.info("unfinished_objects_swept", objects=swept)

    def _orphans(self) -> None:
        """Objects that no row has."""
        found: list[Stat] = []
        seen = orphans = 0
        before = self._clock.now() - OBJECT_GRACE
        for each in claims(self._database, self._objects.walk()):
            if self._beside.is_stopping:
                return
            seen += 1
            if each.claim == "orphan" and each.stat.modified < before:
                orphans += 1
                if len(found) < AT_A_TIME:
                    found.append(each.stat)
        if orphans > max(A_FEW, seen // 20):
            log.error("many_objects_without_row", objects=orphans, of=seen, do="scripts/admin assets check")
            self._metrics.add("imaging_sweeps_held_back_total")
            return
        if found:
            for stat in found:
                self._objects.delete(stat.key)
            event = ObjectsSwept(objects=len(found), bytes=sum(stat.size for stat in found))
            self._trail.record(event, sweeper())
            self._metrics.add("imaging_objects_swept_total", len(found))


def sweeper() -> Caller:
    """Whom the trail names."""
    return Caller(Identity("imaging-sweeper", "service"), str(uuid.uuid4()), "")
