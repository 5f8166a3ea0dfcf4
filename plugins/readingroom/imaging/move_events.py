"""Audit event of a move from one store to the other: numbers alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsMoved(Event):
    """An operator moved assets to the other store; `outcome` is failed when some stayed where they were."""

    action: ClassVar[str] = "imaging.assets.move"
    entity_table: ClassVar[str] = "imaging_asset"
    outcome: str = "ok"
    to: str
    assets: int  # whose row names the new store since
    bytes: int  # copied
    failed: int
    deleted: int  # objects taken out of the old store
