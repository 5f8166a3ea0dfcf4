"""Stands by the zips of cases while they are sent: finds them again, writes into the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from readingroom.audit import Trail
from readingroom.audit.events import CaseDownloaded, DownloadBroken
from readingroom.cases import downloads
from readingroom.cases.downloads import Plans, Wish
from readingroom.downloads import Plan
from readingroom.errors import StoredFileBroken
from readingroom.identity import Caller


class CaseDownloads:
    """The provider (`downloads.Provider`) of the plans that belong to cases."""

    def __init__(self, plans: Plans, trail: Trail) -> None:
        self._plans = plans
        self._trail = trail

    def allowed(self, claims: Mapping[str, Any]) -> None:
        """A download of cases that was begun may be finished; what began later is asked where it begins."""

    def same(self, claims: Mapping[str, Any], etag: str) -> downloads.Plan | None:
        """The plan of these cases in that version. Raises NotFound, NoDicoms."""
        return self._plans.same(Wish.of(claims), etag)

    def begun(self, plan: Plan, download: str, asking: Caller) -> None:
        """Write into the trail who downloads what."""
        mine = cast(downloads.Plan, plan)
        event = CaseDownloaded(
            entity_id=mine.wish.case_ids[0] if len(mine.wish.case_ids) == 1 else "",
            case_numbers=mine.case_numbers,
            files=len(mine.layout),
            bytes=mine.layout.length,
        )
        self._trail.record(event, asking)

    def passed(self, plan: Plan, download: str, start: int, stop: int) -> None:
        """Nobody counts the bytes of a case."""

    def broken(self, plan: Plan, error: StoredFileBroken, asking: Caller) -> None:
        """Write into the trail which stored file is broken."""
        told = error.detail if isinstance(error.detail, dict) else {}
        instance = told.get("instance") or (cast(downloads.Plan, plan).instance(told["file"]) if "file" in told else "")
        self._trail.record(DownloadBroken(entity_id=str(instance), reason=error.message), asking)
