"""Audit events of uploads in parts, and of what is swept and mended: numbers and types alone, as in events.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBegun(Event):
    """An upload in parts was begun."""

    action: ClassVar[str] = "imaging.upload.create"
    entity_table: ClassVar[str] = "imaging_upload"
    study_id: int
    patient_id: int
    modality: str
    mime_type: str
    bytes: int  # announced; 0: not said


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadReceives(Event):
    """Parts of an upload came."""

    action: ClassVar[str] = "imaging.upload.receive"
    entity_table: ClassVar[str] = "imaging_upload"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCancelled(Event):
    """An upload in parts was given up by who began it; what had come of it is gone."""

    action: ClassVar[str] = "imaging.upload.delete"
    entity_table: ClassVar[str] = "imaging_upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRefused(Event):
    """All had come, and it is nothing that is filed; `reason` is the error's code."""

    action: ClassVar[str] = "imaging.upload.refuse"
    entity_table: ClassVar[str] = "imaging_upload"
    outcome: str = "refused"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadExpired(Event):
    """Nobody went on with an upload in parts; what had come of it is gone."""

    action: ClassVar[str] = "imaging.upload.expire"
    entity_table: ClassVar[str] = "imaging_upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetAbandoned(Event):
    """An upload died in its middle: its row, which nobody had ever seen, was taken out with what it had stored."""

    action: ClassVar[str] = "imaging.asset.abandon"
    entity_table: ClassVar[str] = "imaging_asset"
    outcome: str = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetErased(Event):
    """The bytes of an asset that was deleted long ago are gone; its row stays."""

    action: ClassVar[str] = "imaging.asset.erase"
    entity_table: ClassVar[str] = "imaging_asset"
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsSwept(Event):
    """Stored objects that no row had were removed."""

    action: ClassVar[str] = "imaging.object.sweep"
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLost(Event):
    """The original of an asset is not where its row says, or has other bytes; the asset is not shown any more."""

    action: ClassVar[str] = "imaging.asset.lose"
    entity_table: ClassVar[str] = "imaging_asset"
    outcome: str = "failed"
    reason: str  # missing, other size, other hash


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFound(Event):
    """The original of an asset that had been lost is there again, with its bytes; the asset is shown again."""

    action: ClassVar[str] = "imaging.asset.find"
    entity_table: ClassVar[str] = "imaging_asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsChecked(Event):
    """Rows and stored objects were held against each other."""

    action: ClassVar[str] = "imaging.check"
    deep: bool
    repaired: bool
    assets: int
    objects: int
    faults: int
