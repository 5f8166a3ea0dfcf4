"""Audit events of the viewer, folded: scrolling through a series is one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyListed(Event):
    """Somebody looked at the list of a study's series."""

    action: ClassVar[str] = "viewer.study.list"
    entity_table: ClassVar[str] = "study"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesViewed(Event):
    """Somebody opened a series, or read images of it."""

    action: ClassVar[str] = "viewer.series.view"
    entity_table: ClassVar[str] = "series"
    folded: ClassVar[bool] = True
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPictured(Event):
    """Somebody looked at the small picture of a series."""

    action: ClassVar[str] = "viewer.series.thumbnail"
    entity_table: ClassVar[str] = "series"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead(Event):
    """Somebody read whole files of a series."""

    action: ClassVar[str] = "viewer.file.read"
    entity_table: ClassVar[str] = "series"
    folded: ClassVar[bool] = True
    place: str
