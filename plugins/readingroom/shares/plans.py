"""Plans the zip of a shared series, and finds it again for every slice (`downloads.Provider`).

Every entry is laid out as if its CRC-32 were not known (see zipstream.layout), whatever was learnt meanwhile: so the
zip of an unchanged series is the same, byte for byte, before and after its first download, and a resume fits, also
after a restart and from another Orthanc. What is known is given to the layout beside it, which then checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from readingroom import downloads
from readingroom.audit import Trail
from readingroom.errors import NotFound, ShareUnavailable, StoredFileBroken
from readingroom.identity import Caller
from readingroom.metrics import Metrics
from readingroom.recent import Recent
from readingroom.series import FoundSeries, Origin
from readingroom.shares.access_log import AccessLog
from readingroom.shares.events import ShareBroken, ShareDownloaded
from readingroom.shares.links import Links
from readingroom.shares.naming import zip_name
from readingroom.shares.rules import Link
from readingroom.zipstream import Layout, Learnt, Reader

OWNER = "share"
"""Whose plans these are, in the key of a download."""

PLANS_BYTES = 32 << 20
"""Memory for plans of downloads under way; one of 1,000 files takes 0.2 MB."""

NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The zip of one series, by one link (`downloads.Plan`); `row` is the download's row in the access log, or 0."""

    owner: ClassVar[str] = OWNER

    link: str
    file_name: str
    layout: Layout
    files: SeriesZip
    row: int = 0
    resumed: bool = False

    @property
    def claims(self) -> dict[str, Any]:
        """What it is found by again."""
        return {"share": self.link, "row": self.row}


@dataclass(frozen=True, slots=True)
class SeriesZip:
    """The files of a series, as the zip engine opens them."""

    origin: Origin
    found: FoundSeries

    def open(self, index: int, size: int) -> AbstractContextManager[Reader]:
        """Open one; raises StoredFileBroken. The origin itself holds it to the size that it told."""
        return self.origin.open(self.found, index)


class Plans:
    """Plans of shared series; those under way are kept."""

    def __init__(
        self, links: Links, series: Callable[[Link], FoundSeries | None], origin: Origin, log: AccessLog,
        trail: Trail, metrics: Metrics,
    ) -> None:  # fmt: skip
        self._links = links
        self._series = series
        self._origin = origin
        self._log = log
        self._trail = trail
        self._metrics = metrics
        self._kept = Recent[tuple[str, str], Plan](PLANS_BYTES, lambda plan: plan.layout.weight)

    def fresh(self, link: Link) -> Plan:
        """The zip of a link's series as it is now. Raises ShareUnavailable when the series is nowhere."""
        found = self._series(link)
        files = self._origin.files(found) if found is not None else ()
        if found is None or not files:
            raise ShareUnavailable("This series cannot be read at the moment.", headers={"Retry-After": "60"})
        known = {index: each.crc32 for index, each in enumerate(files) if each.crc32 is not None}
        layout = Layout(
            [each.name for each in files],
            [each.size for each in files],
            [None] * len(files),
            [each.mtime_ns // NS for each in files],
            identity=f"{found.key} {found.version}",
            learnt=Learnt(known, lambda crcs: self._origin.keep_crcs(found, crcs)),
        )
        made = Plan(link.id, zip_name(found.facts, link.deidentified), layout, SeriesZip(self._origin, found))
        self._kept.keep((made.link, made.layout.etag), made)
        return made

    def allowed(self, claims: Mapping[str, Any]) -> None:
        """Raise NotFound when the link was revoked, or its owner disabled. One that ran out meanwhile lets a download
        end.
        """
        link = self._links.find(claims["share"])
        if link is None or link.revoked_at is not None or link.owner_disabled:
            raise NotFound("This link is not valid, or no longer.")

    def same(self, claims: Mapping[str, Any], etag: str) -> Plan | None:
        """See downloads.Provider."""
        found = self._kept.get((claims["share"], etag))
        if found is None:
            try:
                found = self.fresh(self._links.by_id(claims["share"]))
            except ShareUnavailable:
                raise StoredFileBroken("The series is no longer where it was.") from None
            if found.layout.etag != etag:
                return None
        return replace(found, row=claims["row"])

    def begun(self, plan: downloads.Plan, download: str, asking: Caller) -> None:
        """See downloads.Provider; a question about the zip alone (HEAD) has no row and is none."""
        ours = cast(Plan, plan)
        if ours.row:
            self._metrics.add("share_downloads_total")
            event = ShareDownloaded(
                entity_id=ours.link, files=len(plan.layout), bytes=plan.layout.length, resumed=ours.resumed
            )
            self._trail.record(event, asking)

    def passed(self, plan: downloads.Plan, download: str, start: int, stop: int) -> None:
        """See downloads.Provider."""
        row = cast(Plan, plan).row
        if row:
            self._log.passed(row, stop - start)

    def broken(self, plan: downloads.Plan, error: StoredFileBroken, asking: Caller) -> None:
        """See downloads.Provider."""
        self._trail.record(ShareBroken(entity_id=cast(Plan, plan).link, reason=error.message), asking)
