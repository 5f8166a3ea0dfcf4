"""Audit events of looking into the NAS index; what was typed is a patient's name and stays out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSearched(Event):
    """Somebody searched the index; every letter typed is a search, so these are folded."""

    action: ClassVar[str] = "index.search"
    entity_table: ClassVar[str] = "nas_series"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesViewed(Event):
    """Somebody looked at a series' files; the entity is its key."""

    action: ClassVar[str] = "index.series.view"
    entity_table: ClassVar[str] = "nas_series"
    folded: ClassVar[bool] = True
