"""A file becomes an asset: looked at, given a row, stored, hashed, pictured, shown; or nothing of it stays."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import (
    NotFound,
    PayloadTooLarge,
    PicturesUnavailable,
    TooManyRequests,
    UnsupportedMedia,
    UploadLost,
)
from readingroom.identity import Caller
from readingroom.imaging import studies
from readingroom.imaging.assets import READY, RECEIVING, asset_of
from readingroom.imaging.clinics import Patients, uuid_of
from readingroom.imaging.events import AssetCreated, VariantsMade
from readingroom.imaging.making import Made, Making
from readingroom.imaging.tables import imaging_asset, imaging_upload
from readingroom.imaging.variants_kept import UPLOAD_SECONDS, KeptVariants, Keys, PictureMaker, pieces
from readingroom.metrics import Metrics
from readingroom.objects import ObjectStore, Put, original_key, thumb_key, web_key
from readingroom.pictures import Kind

log = structlog.get_logger(__name__)

ABANDONED = "abandoned"
"""State of a row whose upload failed, until its objects and then itself are removed."""

AT_ONCE = 8
"""Files that are being filed at a time: each holds one of Orthanc's 50 threads, for seconds."""

SLOW_SECONDS = 2.0

TOLD = timedelta(hours=24)
"""How long a client may ask what became of its upload, or send it again and be told."""

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class NewAsset:
    """What is known of a file before it is looked at; `sha256` (hex) where the client said which it has."""

    clinic: int
    patient_id: int
    study_id: int
    modality: str
    file_name: str = ""
    captured_at: datetime | None = None
    source_device: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is being received, and where its objects go."""

    id: int
    storage_key: str
    variants: Keys


class Filing:
    """Files whole local files. Safe for many threads."""

    def __init__(
        self, database: Database, clock: Clock, trail: Trail, metrics: Metrics, patients: Patients,
        objects: ObjectStore, pictures: PictureMaker, variants: KeptVariants, *, max_bytes: int,
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._trail = trail
        self._metrics = metrics
        self._patients = patients
        self._objects = objects
        self._pictures = pictures
        self._variants = variants
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self.max_bytes = max_bytes

    def check_size(self, size: int) -> None:
        """Raises PayloadTooLarge, which names the limit."""
        if size > self.max_bytes:
            raise PayloadTooLarge(
                f"A file may have at most {self.max_bytes // (1 << 20)} MB here.", detail={"maxBytes": self.max_bytes}
            )

    def check_place(self, connection: Connection, clinic: int, patient_id: int, study_id: int) -> None:
        """Raises NotFound unless the study is that clinic's and that patient's."""
        if studies.theirs(connection, clinic, study_id).patient_id != patient_id:
            raise NotFound("There is no such study.")
        self._patients.check(connection, clinic, patient_id)

    def file(self, new: NewAsset, path: Path, caller: Caller, upload: str | None = None) -> int:
        """Make an asset of a whole file, which is only read; answers its id.

        `upload` is the id of the imaging_upload row that it came by: its `asset_id` is set together with the asset's
        row, its state `done` in the transaction that shows the asset.

        Raises NotFound, PayloadTooLarge, UnsupportedMedia, BrokenPicture, ObjectIncomplete (another SHA-256),
        StorageUnavailable, TooManyRequests; nothing stays of the file then, or, where storage or database cannot be
        reached for that, what stays is never shown and swept away later.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyRequests("Many files are being filed at this moment; try again shortly.", retry_after=5)
        began = self._clock.monotonic()
        try:
            asset_id = self._filed(new, path, caller, upload)
        except BaseException:
            self._metrics.add("imaging_uploads_failed_total")
            raise
        finally:
            self._places.release()
        self._told(asset_id, path.stat().st_size, self._clock.monotonic() - began)
        return asset_id

    def abandon(self, asset_id: int | None) -> bool:
        """Take out what there is of an asset that was never shown; False when it is shown, and left alone.

        Objects go first: as long as the row is there, whoever sweeps knows where to look. Raises StorageUnavailable.
        """
        if asset_id is None:
            return True
        c = imaging_asset.c
        with self._database.write() as connection:
            # Waits for a commit whose answer was lost; after this the row can no longer become ready.
            connection.execute(
                update(imaging_asset)
                .where(c.id == asset_id, c.state == RECEIVING)
                .values(state=ABANDONED, updated_at=self._clock.now())
            )
            row = connection.execute(select(imaging_asset).where(c.id == asset_id)).first()
        if row is None:
            return True
        if row.state != ABANDONED:
            return False
        place = (row.clinic_id, row.patient_id, row.study_id, row.id)
        for key in (row.storage_key, thumb_key(*place), web_key(*place)):
            self._objects.delete(key)
        upload = imaging_upload.c.asset_id == asset_id
        with self._database.write() as connection:
            connection.execute(delete(imaging_asset).where(c.id == asset_id, c.state == ABANDONED))
            connection.execute(update(imaging_upload).where(upload).values(asset_id=None))
        return True

    def _filed(self, new: NewAsset, path: Path, caller: Caller, upload: str | None) -> int:
        size = path.stat().st_size
        self.check_size(size)
        with self._database.read() as connection:  # before work is done; and again in the row's own transaction
            self.check_place(connection, new.clinic, new.patient_id, new.study_id)
        kind = self._pictures.inspect(path)
        check_modality(new.modality, kind.mime)
        row = self._begin(new, kind, size, caller, upload)
        making: Making | None = None
        try:
            making = self._variants.start(path, kind)
            put = self._objects.put(
                row.storage_key, pieces(path), expected_size=size, expected_sha256=new.sha256, content_type=kind.mime
            )
            made = _waited(making)
            if made is not None:
                self._variants.keep(new.clinic, new.patient_id, new.study_id, row.id, made)
            self._finish(row, new, put, kind, made, caller, upload)
        except BaseException:
            if making is not None:
                making.close()
            if self._undone(row):
                raise
            return row.id  # the last transaction stands, though its answer was lost
        if making is not None:
            making.close(None if made is not None else lambda late: self._keep_late(row.id, late, caller))
        return row.id

    def _begin(self, new: NewAsset, kind: Kind, size: int, caller: Caller, upload: str | None) -> Row:
        now, who = self._clock.now(), uuid_of(caller.identity)
        values = {
            "clinic_id": new.clinic, "patient_id": new.patient_id, "study_id": new.study_id,
            "modality": new.modality, "mime_type": kind.mime, "size_bytes": size, "sha256": "",
            "storage_backend": self._objects.name, "storage_key": f"receiving/{uuid.uuid4()}",
            "captured_at": new.captured_at or now, "source_device": new.source_device, "is_active": True,
            "created_at": now, "created_by_id": who, "updated_at": now, "updated_by_id": who,
            "state": RECEIVING, "file_name": new.file_name, "width": kind.width, "height": kind.height,
        }  # fmt: skip
        c = imaging_asset.c
        with self._database.write() as connection:
            self.check_place(connection, new.clinic, new.patient_id, new.study_id)
            made = int(connection.execute(insert(imaging_asset).values(values).returning(c.id)).scalar_one())
            place = (new.clinic, new.patient_id, new.study_id, made)
            row = Row(made, original_key(*place, now, kind.extension), Keys(thumb_key(*place), web_key(*place)))
            connection.execute(update(imaging_asset).where(c.id == made).values(storage_key=row.storage_key))
            if upload is not None:
                self._set_upload(connection, upload, asset_id=made)
        return row

    def _finish(
        self, row: Row, new: NewAsset, put: Put, kind: Kind, made: Made | None, caller: Caller, upload: str | None
    ) -> None:
        c = imaging_asset.c
        values = {"sha256": put.sha256, "size_bytes": put.size, "state": READY, "updated_at": self._clock.now()}
        if made is not None:
            values |= {"thumb_key": row.variants.thumb, "web_key": row.variants.web}
        created = AssetCreated(
            entity_id=str(row.id), study_id=new.study_id, patient_id=new.patient_id, modality=new.modality,
            mime_type=kind.mime, bytes=put.size, sha256=put.sha256,
        )  # fmt: skip
        with self._database.write() as connection:
            shown = connection.execute(
                update(imaging_asset).where(c.id == row.id, c.state == RECEIVING).values(values)
            ).rowcount
            if not shown:
                raise UploadLost("This upload was given up before it was done; send the file again.")
            if upload is not None:
                self._set_upload(connection, upload, state="done", expires_at=self._clock.now() + TOLD)
            self._trail.record(created, caller, connection)
            if made is not None:
                event = VariantsMade(entity_id=str(row.id), again=False, milliseconds=round(made.seconds * 1000))
                self._trail.record(event, caller, connection)

    def _undone(self, row: Row) -> bool:
        """Take back what there is of a failed upload; False when it did not fail after all."""
        try:
            return self.abandon(row.id)
        except Exception as error:  # whatever keeps it from being removed now, sweeping removes it later
            log.warning("failed_upload_left", asset=row.id, error=type(error).__name__)
            return True

    def _keep_late(self, asset_id: int, made: Made, caller: Caller) -> None:
        with self._database.read() as connection:
            found = connection.execute(select(imaging_asset).where(imaging_asset.c.id == asset_id)).first()
        if found is not None:
            self._variants.keep_late(asset_of(found), made, caller, again=False)

    def _set_upload(self, connection: Connection, upload: str, **values: object) -> None:
        """Raises UploadLost: where the row is gone, its key's lease ended, and another request files that upload."""
        values["updated_at"] = self._clock.now()
        if not connection.execute(update(imaging_upload).where(imaging_upload.c.id == upload).values(values)).rowcount:
            raise UploadLost("This upload took too long and was begun again; ask what became of it.")

    def _told(self, asset_id: int, size: int, seconds: float) -> None:
        self._metrics.add("imaging_uploads_total")
        self._metrics.add("imaging_upload_bytes_total", size)
        self._metrics.add("imaging_upload_milliseconds_total", round(seconds * 1000))
        if seconds > SLOW_SECONDS:
            log.warning("slow_upload", asset=asset_id, seconds=round(seconds, 2), bytes=size)


def check_modality(modality: str, mime_type: str) -> None:
    """Raises UnsupportedMedia for a PDF that is said to be an X-ray or a photo."""
    if mime_type == PDF and modality != "DOC":
        raise UnsupportedMedia("A PDF is a document (DOC); X-rays and photos are images.", detail={"modality": "DOC"})


def _waited(making: Making | None) -> Made | None:
    """The pictures, if they come in time; the asset can do without them, but not if its file is what is wrong."""
    if making is None:
        return None
    try:
        return making.wait(UPLOAD_SECONDS)
    except (TooManyRequests, PicturesUnavailable) as error:
        log.warning("variants_left_for_later", error=error.code)
        return None
