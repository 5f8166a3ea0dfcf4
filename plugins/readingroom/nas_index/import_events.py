"""Audit events of bringing a series from the NAS into Orthanc; the entity is the series' key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesImportStarted(Event):
    """Somebody had a series brought into Orthanc."""

    action: ClassVar[str] = "index.series.import.start"
    entity_table: ClassVar[str] = "nas_series"
    job: str
    source: str
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesImportCancelled(Event):
    """Somebody called it off."""

    action: ClassVar[str] = "index.series.import.cancel"
    entity_table: ClassVar[str] = "nas_series"
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesImportFinished(Event):
    """It ended, one way or another."""

    action: ClassVar[str] = "index.series.import.finish"
    entity_table: ClassVar[str] = "nas_series"
    job: str
    state: str
    files: int
    already_there: int
    failed: int
    bytes: int
