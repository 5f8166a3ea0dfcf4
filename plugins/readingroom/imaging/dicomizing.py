"""Makes a DICOM instance of an asset, in Orthanc: each knows of the other, and asked again there is still one."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import func, or_, select, update

from readingroom.audit import Trail
from readingroom.clock import Clock, iso
from readingroom.confined import Pool, Worker, receive
from readingroom.db import Database
from readingroom.errors import (
    BrokenPicture,
    NotFound,
    PacsNotFound,
    PicturesUnavailable,
    StoredFileBroken,
    TooManyRequests,
)
from readingroom.identity import Caller
from readingroom.imaging import studies
from readingroom.imaging.assets import Asset, Assets, is_shown, original_of
from readingroom.imaging.clinics import uuid_of
from readingroom.imaging.dicom_events import AssetMadeDicom
from readingroom.imaging.dicom_line import CLOCK, LENGTH
from readingroom.imaging.dicom_subject import SOP_CLASSES, Said, Subject, series_of, study_root, uids
from readingroom.imaging.spool import Spool, fetched
from readingroom.imaging.tables import imaging_asset
from readingroom.metrics import Metrics
from readingroom.objects import ObjectStore
from readingroom.pacs import Pacs, segment, store
from readingroom.settings import Settings

log = structlog.get_logger(__name__)

AT_A_TIME = 2
"""Instances that are being made; beyond that a request is told to come again."""

LARGEST_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class Instance:
    """The instance that an asset became; `is_new` when this request made it."""

    orthanc_id: str
    sop_class_uid: str
    study_uid: str
    series_uid: str
    instance_uid: str
    is_new: bool


class Dicomizing:
    """Makes them. Safe for many threads."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, trail: Trail, metrics: Metrics, pacs: Pacs,
        objects: ObjectStore, assets: Assets, spool: Spool,
    ) -> None:  # fmt: skip
        self._max_pixels = settings.imaging_max_pixels
        self._database = database
        self._clock = clock
        self._trail = trail
        self._metrics = metrics
        self._pacs = pacs
        self._objects = objects
        self._assets = assets
        self._spool = spool
        self._pool = Pool(settings, "readingroom.imaging.dicom_process", processes=AT_A_TIME)
        self._places = threading.BoundedSemaphore(AT_A_TIME)
        self._storing = threading.Lock()

    def make(self, clinic: int, asset_id: int, said: Said, caller: Caller) -> Instance:
        """The instance of that clinic's asset, made now or before; what `said` says counts when it is made.

        Its UIDs follow from the rows, and Orthanc's id from them: whoever dies on the way leaves nothing that the next
        request would not find again. Raises NotFound, BrokenPicture for a file that cannot be an image,
        TooManyRequests, PicturesUnavailable, StorageUnavailable, StorageFull, PacsError and PacsUnreachable.
        """
        asset = self._assets.theirs(clinic, asset_id)
        subject = self._subject(asset, said)
        if asset.dicom_instance_id and self._is_there(asset.dicom_instance_id):
            return _instance(subject, asset.dicom_instance_id, is_new=False)
        if not self._places.acquire(blocking=False):
            raise TooManyRequests("Other instances are being made; try again in a moment.", retry_after=3)
        try:
            with self._spool.folder() as folder:
                original = self._fetched(asset, folder / "original")
                target = folder / "instance.dcm"
                self._written(subject, original, target)
                original.unlink()
                with self._storing:  # the one moment in which a whole file lies in Orthanc's memory
                    stored = store(self._pacs, target.read_bytes())
        finally:
            self._places.release()
        is_new = self._linked(asset, stored.id, subject, caller)
        return _instance(subject, stored.id, is_new=is_new)

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def _is_there(self, orthanc_id: str) -> bool:
        try:
            self._pacs.get(f"/instances/{segment(orthanc_id)}")
        except PacsNotFound:
            return False  # somebody deleted it there
        return True

    def _subject(self, asset: Asset, said: Said) -> Subject:
        c = imaging_asset.c
        with self._database.read() as connection:
            study = studies.theirs(connection, asset.clinic_id, asset.study_id)
            # As they were captured; what came and went before counts too, or a number would be given twice.
            number = connection.execute(
                select(func.count()).where(c.study_id == asset.study_id, c.id <= asset.id)
            ).scalar_one()
        series = series_of(asset.modality, asset.mime_type)
        created_at = study.created_at or study.captured_at  # a site's own table may let it be empty
        root = study_root(asset.clinic_id, asset.patient_id, asset.study_id, created_at)
        study_uid, series_uid, instance_uid = uids(root, series, asset.id)
        return Subject(
            clinic_id=asset.clinic_id, patient_id=asset.patient_id, study_id=asset.study_id, asset_id=asset.id,
            modality=asset.modality, mime_type=asset.mime_type, kind=study.kind, title=study.title or "",
            study_at=iso(study.captured_at), captured_at=iso(asset.captured_at), made_at=iso(self._clock.now()),
            source_device=asset.source_device or "", sha256=asset.sha256, number=int(number),
            study_uid=study_uid, series_uid=series_uid, instance_uid=instance_uid, said=said,
        )  # fmt: skip

    def _fetched(self, asset: Asset, place: Path) -> Path:
        with original_of(asset, self._objects) as blob:
            digest = fetched(blob, place)
        if digest != asset.sha256:
            raise StoredFileBroken("The stored file is not what was filed; scripts/admin assets check tells more.")
        return place

    def _written(self, subject: Subject, original: Path, target: Path) -> None:
        job = {"subject": subject.as_json(), "maxPixels": self._max_pixels}
        try:
            with original.open("rb") as read, target.open("wb") as written, self._pool.worker() as worker:
                said = _asked(worker, job, [read.fileno(), written.fileno()])
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _unavailable(type(error).__name__) from error
        if "notAnImage" in said:
            raise BrokenPicture(f"No DICOM instance can be made of this file: {said['notAnImage']}.")
        if said:
            log.warning("dicom_not_made", asset=subject.asset_id, why=str(said.get("failed"))[:100])
            raise PicturesUnavailable("The DICOM instance could not be made; see the log.")

    def _linked(self, asset: Asset, orthanc_id: str, subject: Subject, caller: Caller) -> bool:
        c = imaging_asset.c
        before = or_(c.dicom_instance_id.is_(None), c.dicom_instance_id != orthanc_id)
        event = AssetMadeDicom(
            entity_id=str(asset.id), orthanc_id=orthanc_id, sop_instance_uid=subject.instance_uid,
            series=series_of(asset.modality, asset.mime_type),
        )  # fmt: skip
        values = {
            "dicom_instance_id": orthanc_id, "updated_at": self._clock.now(), "updated_by_id": uuid_of(caller.identity)
        }  # fmt: skip
        again = asset.dicom_instance_id == orthanc_id  # the row had it, Orthanc had not any more
        with self._database.write() as connection:
            where = (c.id == asset.id, is_shown(), *(() if again else (before,)))
            changed = connection.execute(update(imaging_asset).where(*where).values(values)).rowcount
            if changed:
                self._trail.record(event, caller, connection)
        if changed:
            self._metrics.add("imaging_dicom_made_total")
            return True
        with self._database.read() as connection:
            if connection.execute(select(c.id).where(c.id == asset.id, is_shown())).first() is None:
                raise NotFound("There is no such asset.")  # deleted meanwhile
        return False


def _asked(worker: Worker, job: dict[str, Any], files: list[int]) -> dict[str, str]:
    worker.is_between = False
    said = json.dumps(job).encode()
    try:
        # The process ends itself sooner, unless it is stopped.
        worker.line.settimeout(CLOCK + 5)
        socket.send_fds(worker.line, [LENGTH.pack(len(said))], files)
        worker.line.sendall(said)
        (length,) = LENGTH.unpack(receive(worker.line, LENGTH.size))
        if length > LARGEST_ANSWER:
            return {"failed": "its answer is none"}
        answer = json.loads(receive(worker.line, length))
    except TimeoutError:
        raise _unavailable("stopped") from None
    except (EOFError, ConnectionError):
        return _ended(worker.status())
    except ValueError:
        return {"failed": "its answer is none"}
    worker.is_between = True
    return {str(key): str(value)[:200] for key, value in answer.items()} if isinstance(answer, dict) else {"failed": ""}


def _ended(status: int) -> dict[str, str]:
    """What a process says of its job by ending: that of a file is a crash, or all its time of the processor.

    Raises PicturesUnavailable for what a busy machine, an operator, want of memory or a broken installation ends.
    """
    if status >= 0 or status in (-signal.SIGALRM, -signal.SIGKILL, -signal.SIGTERM):
        raise _unavailable(f"ended with {status}")
    return {"notAnImage": "it takes too long" if status == -signal.SIGXCPU else "it ends whoever decodes it"}


def _instance(subject: Subject, orthanc_id: str, *, is_new: bool) -> Instance:
    sop_class = SOP_CLASSES[series_of(subject.modality, subject.mime_type)]
    return Instance(orthanc_id, sop_class, subject.study_uid, subject.series_uid, subject.instance_uid, is_new)


def _unavailable(why: str) -> PicturesUnavailable:
    log.warning("dicom_process_failed", why=why)
    return PicturesUnavailable("DICOM instances cannot be made just now.", headers={"Retry-After": "10"})
