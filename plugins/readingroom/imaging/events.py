"""Audit events of imaging: numbers and types, never a patient's name, a title or a file's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCreated(Event):
    """A study was made."""

    action: ClassVar[str] = "imaging.study.create"
    entity_table: ClassVar[str] = "imaging_study"
    patient_id: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiesListed(Event):
    """Somebody looked through the studies of a patient, or of the clinic (no entity)."""

    action: ClassVar[str] = "imaging.study.list"
    entity_table: ClassVar[str] = "patient"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyViewed(Event):
    """Somebody looked at what a study holds."""

    action: ClassVar[str] = "imaging.study.view"
    entity_table: ClassVar[str] = "imaging_study"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetCreated(Event):
    """A file was filed."""

    action: ClassVar[str] = "imaging.asset.create"
    entity_table: ClassVar[str] = "imaging_asset"
    study_id: int
    patient_id: int
    modality: str
    mime_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantsMade(Event):
    """Thumbnail and web picture of a file were made; `again` when they had been missing."""

    action: ClassVar[str] = "imaging.asset.thumb_generated"
    entity_table: ClassVar[str] = "imaging_asset"
    again: bool
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetViewed(Event):
    """Somebody got a file, or its picture; the first variant of those within five minutes is the one told."""

    action: ClassVar[str] = "imaging.asset.view"
    entity_table: ClassVar[str] = "imaging_asset"
    folded: ClassVar[bool] = True
    variant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDeleted(Event):
    """A file was taken out of every list; its bytes stay."""

    action: ClassVar[str] = "imaging.asset.delete"
    entity_table: ClassVar[str] = "imaging_asset"
    study_id: int
