"""Holds rows and stored objects against each other, both ways, and mends what can be mended."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select, update

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.identity import Caller
from readingroom.imaging.assets import READY
from readingroom.imaging.claims import LOST, claims
from readingroom.imaging.faults import LOSSES, Fault, of_row
from readingroom.imaging.filing import Filing
from readingroom.imaging.sweeping import UPLOAD_GRACE
from readingroom.imaging.tables import imaging_asset
from readingroom.imaging.upload_events import AssetAbandoned, AssetFound, AssetLost, AssetsChecked, ObjectsSwept
from readingroom.objects import ObjectStore

AT_A_TIME = 500

QUESTIONS = 8
"""Asked of the store at a time: S3 takes some 10 ms for each."""

A_FEW = 3
"""So many originals are lost by accident. More, and more than one in ten, are rather a store that is not the right one,
and so it is with orphans: somebody may have taken rows out by mistake, and these are the last copies."""

TOLD = 10_000
"""Faults that are told one by one."""

MENDED_AT_ONCE = 100_000
"""Losses, and objects without rows, that one run mends: they are held in memory until all has been seen."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How thoroughly (`deep` reads every byte), and what may be done about what is found."""

    deep: bool = False
    repair: bool = False
    accept_loss: bool = False
    remove_foreign: bool = False


@dataclass(slots=True)
class Report:
    """What was seen; `faults` and those of them that were `mended`, by kind; why others were left."""

    assets: int = 0
    objects: int = 0
    bytes: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    mended: dict[str, int] = field(default_factory=dict)
    told: list[Fault] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Faults that are still there."""
        return sum(self.faults.values()) - sum(self.mended.values())

    def add(self, fault: Fault) -> None:
        """One more."""
        self.faults[fault.kind] = self.faults.get(fault.kind, 0) + 1
        if len(self.told) < TOLD:
            self.told.append(fault)

    def mend(self, kind: str) -> None:
        """One of them is none any more."""
        self.mended[kind] = self.mended.get(kind, 0) + 1


class Checking:
    """Looks and mends; a running Reading Room goes on meanwhile."""

    def __init__(self, database: Database, clock: Clock, trail: Trail, objects: ObjectStore, filing: Filing) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._objects = objects
        self._filing = filing

    def check(self, wish: Wish, caller: Caller) -> Report:
        """All rows, then all objects. Raises StorageUnavailable when the store does not answer, at once or later."""
        self._objects.check()
        report = Report()
        lost = self._look_at_rows(report, wish, caller)
        unclaimed = self._look_at_objects(report, wish)
        if wish.repair:
            self._write_losses(lost, report, wish, caller)
            self._remove(unclaimed, report, wish, caller)
        event = AssetsChecked(
            deep=wish.deep, repaired=wish.repair, assets=report.assets, objects=report.objects,
            faults=sum(report.faults.values()), outcome="failed" if report.left else "ok",
        )  # fmt: skip
        self._trail.record(event, caller)
        return report

    def _look_at_rows(self, report: Report, wish: Wish, caller: Caller) -> list[Fault]:
        lost: list[Fault] = []
        look = partial(
            of_row, objects=self._objects, dead_before=self._clock.now() - UPLOAD_GRACE, deep=wish.deep
        )  # fmt: skip
        with ThreadPoolExecutor(QUESTIONS, "check") as crew:
            for batch in self._batches():
                report.assets += len(batch)
                for row, faults in zip(batch, crew.map(look, batch), strict=True):
                    for fault in faults if self._stands(row) else []:
                        report.add(fault)
                        if wish.repair and fault.kind not in LOSSES:
                            self._mend(fault, row, report, caller)
                        elif wish.repair and len(lost) < MENDED_AT_ONCE:
                            lost.append(fault)
        return lost

    def _look_at_objects(self, report: Report, wish: Wish) -> list[Fault]:
        wanted = {"orphan"} | ({"foreign"} if wish.remove_foreign else set()) if wish.repair else set()
        unclaimed: list[Fault] = []
        before = self._clock.now() - UPLOAD_GRACE
        for each in claims(self._database, self._objects.walk()):
            report.objects += 1
            report.bytes += each.stat.size
            if each.claim != "claimed" and each.stat.modified < before:
                fault = Fault(each.claim, 0, each.stat.key, each.stat.size)
                report.add(fault)
                if fault.kind in wanted and len(unclaimed) < MENDED_AT_ONCE:
                    unclaimed.append(fault)
        return unclaimed

    def _batches(self) -> Iterator[list[Any]]:
        c, last = imaging_asset.c, 0
        while True:
            with self._database.read() as connection:
                wanted = select(imaging_asset).where(c.id > last).order_by(c.id).limit(AT_A_TIME)
                batch = list(connection.execute(wanted))
            if not batch:
                return
            yield batch
            last = batch[-1].id

    def _stands(self, row: Any) -> bool:
        """Whether it is still as it was before its objects were looked for."""
        c = imaging_asset.c
        with self._database.read() as connection:
            now = connection.execute(
                select(c.state, c.storage_backend, c.storage_key, c.thumb_key, c.web_key).where(c.id == row.id)
            ).first()
        before = (row.state, row.storage_backend, row.storage_key, row.thumb_key, row.web_key)
        return now is not None and tuple(now) == before

    def _mend(self, fault: Fault, row: Any, report: Report, caller: Caller) -> None:
        c, now = imaging_asset.c, self._clock.now()
        if fault.kind == "stuck" and row.storage_backend == self._objects.name:
            if self._filing.abandon(fault.asset):
                self._trail.record(AssetAbandoned(entity_id=str(fault.asset)), caller)
                report.mend(fault.kind)
        elif fault.kind == "variant":  # made again when somebody asks for it
            column = "thumb_key" if fault.key == row.thumb_key else "web_key"
            with self._database.write() as connection:
                where = (c.id == fault.asset, c[column] == fault.key)
                connection.execute(update(imaging_asset).where(*where).values({column: None, "updated_at": now}))
            report.mend(fault.kind)
        elif fault.kind == "found":
            with self._database.write() as connection:
                where = (c.id == fault.asset, c.state == LOST)
                connection.execute(update(imaging_asset).where(*where).values(state=READY, updated_at=now))
                self._trail.record(AssetFound(entity_id=str(fault.asset)), caller, connection)
            report.mend(fault.kind)

    def _write_losses(self, lost: list[Fault], report: Report, wish: Wish, caller: Caller) -> None:
        losses = sum(report.faults.get(kind, 0) for kind in LOSSES)
        if losses > max(A_FEW, report.assets // 10) and not wish.accept_loss:
            report.held_back.append(
                f"{losses} of {report.assets} assets have lost their original: is this the right store, and is it "
                "mounted? Nothing was done about them; --accept-loss says that it is meant."
            )
            return
        c = imaging_asset.c
        for fault in lost:
            with self._database.write() as connection:
                where = (c.id == fault.asset, c.state == READY)
                values = {"state": LOST, "updated_at": self._clock.now()}
                if connection.execute(update(imaging_asset).where(*where).values(values)).rowcount:
                    self._trail.record(AssetLost(entity_id=str(fault.asset), reason=fault.kind), caller, connection)
            report.mend(fault.kind)

    def _remove(self, unclaimed: list[Fault], report: Report, wish: Wish, caller: Caller) -> None:
        orphans = report.faults.get("orphan", 0)
        gone = unclaimed
        if orphans > max(A_FEW, report.objects // 10) and not wish.accept_loss:
            report.held_back.append(
                f"{orphans} of {report.objects} objects have lost their row: is this the right database? They "
                "were left; --accept-loss says that it is meant."
            )
            gone = [fault for fault in unclaimed if fault.kind != "orphan"]
        for fault in gone:
            self._objects.delete(fault.key)
            report.mend(fault.kind)
        if gone:
            self._trail.record(ObjectsSwept(objects=len(gone), bytes=sum(fault.size for fault in gone)), caller)
