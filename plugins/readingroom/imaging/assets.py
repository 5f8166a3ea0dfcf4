"""Assets: found by whose they are, listed, taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, select, update

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import NotFound, ObjectNotFound, StorageUnavailable
from readingroom.identity import Caller
from readingroom.imaging.clinics import uuid_of
from readingroom.imaging.events import AssetDeleted
from readingroom.imaging.tables import imaging_asset, imaging_study
from readingroom.objects import Blob, ObjectStore

Modality = Literal["XRAY", "PHOTO", "DOC"]

READY = "ready"
RECEIVING = "receiving"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that is whole; sizes in bytes and pixels, `sha256` in hex."""

    id: int
    clinic_id: int
    patient_id: int
    study_id: int
    modality: str
    mime_type: str
    size_bytes: int
    sha256: str
    storage_backend: str
    storage_key: str
    thumb_key: str | None
    web_key: str | None
    captured_at: datetime
    source_device: str | None
    created_at: datetime
    file_name: str
    width: int | None
    height: int | None
    dicom_instance_id: str | None


def asset_of(row: Row[Any]) -> Asset:
    """A row of imaging_asset."""
    c = row._mapping
    values = {name: c[name] for name in Asset.__dataclass_fields__}
    # A site's own table may let it be empty.
    return Asset(**values | {"created_at": c["created_at"] or c["captured_at"]})


def is_shown() -> ColumnElement[bool]:
    """Whether a row of imaging_asset is there for anybody at all: whole, and neither it nor its study taken out."""
    c = imaging_study.c
    study = exists(select(c.id).where(c.id == imaging_asset.c.study_id, c.is_active).correlate(imaging_asset))
    return and_(imaging_asset.c.is_active, imaging_asset.c.state == READY, study)


@contextmanager
def original_of(asset: Asset, objects: ObjectStore) -> Iterator[Blob]:
    """The bytes that were filed. Raises ObjectNotFound, StorageUnavailable."""
    with ExitStack() as stack:
        try:
            blob = stack.enter_context(objects.open(asset.storage_key))
        except ObjectNotFound:
            if asset.storage_backend == objects.name:
                raise
            raise StorageUnavailable(
                f"This file has not been moved from {asset.storage_backend} to {objects.name} yet.", retry_after=300
            ) from None
        yield blob


class Assets:
    """All assets; everybody's own clinic alone is there for them."""

    def __init__(self, database: Database, clock: Clock, trail: Trail) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    def theirs(self, clinic: int, asset_id: int) -> Asset:
        """That clinic's asset. Raises NotFound for another one's, and for one that is not there, alike."""
        c = imaging_asset.c
        with self._database.read() as connection:
            row = connection.execute(
                select(imaging_asset).where(c.id == asset_id, c.clinic_id == clinic, is_shown())
            ).first()
        if row is None:
            raise NotFound("There is no such asset.")
        return asset_of(row)

    def delete(self, clinic: int, asset_id: int, caller: Caller) -> None:
        """Take it out of every list. Raises NotFound."""
        c = imaging_asset.c
        with self._database.write() as connection:
            study_id = connection.execute(
                update(imaging_asset)
                .where(c.id == asset_id, c.clinic_id == clinic, is_shown())
                .values(is_active=False, updated_at=self._clock.now(), updated_by_id=uuid_of(caller.identity))
                .returning(c.study_id)
            ).scalar()
            if study_id is None:
                raise NotFound("There is no such asset.")
            self._trail.record(AssetDeleted(entity_id=str(asset_id), study_id=study_id), caller, connection)


def of_studies(connection: Connection, study_ids: Iterable[int]) -> dict[int, list[Asset]]:
    """What is shown of these studies, by study, the first captured first."""
    wanted = list(study_ids)
    found: dict[int, list[Asset]] = {study_id: [] for study_id in wanted}
    if wanted:
        c = imaging_asset.c
        rows = connection.execute(
            select(imaging_asset).where(c.study_id.in_(wanted), is_shown()).order_by(c.captured_at, c.id)
        )
        for row in rows:
            found[row.study_id].append(asset_of(row))
    return found
