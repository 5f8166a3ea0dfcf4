"""A room of one test's own, whose clock can be set forward, with its sweeper and its check."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from readingroom.app import Room, build
from readingroom.audit import Trail
from readingroom.db import migrate, open_database
from readingroom.identity import ANONYMOUS, Caller
from readingroom.imaging import building
from readingroom.imaging.building import Imaging
from readingroom.imaging.checking import Report, Wish
from readingroom.imaging.tables import imaging_asset, imaging_upload
from readingroom.metrics import Metrics
from readingroom.objects import ObjectStore
from readingroom.settings import Settings
from sqlalchemy import delete, select, update

from tests.http.conftest import PASSWORD, Person, SilentPacs
from tests.http.imaging.moved_clock import MovedClock
from tests.http.imaging.stand_ins import PicturesOnDemand

BY = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")


class Place:
    """A room of one test's own, with a clock that can be set forward and one member of clinic 12."""

    def __init__(self, settings: Settings, objects: ObjectStore, folder: Path = Path()) -> None:
        """`folder`: of a store that is one."""
        self.settings = settings
        self.folder = folder
        self.clock = MovedClock()
        self.objects = objects
        self.database = open_database(settings.database_url)
        migrate(self.database)
        self.trail = Trail(self.database, self.clock)
        self.room: Room = build(
            settings, SilentPacs(), self.clock, self.database, self.objects, PicturesOnDemand()
        )  # fmt: skip
        self.imaging = self.parts(settings)
        self.room.accounts.create("anna", PASSWORD, ("clinician", "admin"), "12", BY)
        client = self.room.app.test_client()
        token = client.post("/api/token/", json={"username": "anna", "password": PASSWORD}).get_json()["access"]
        self.anna = Person(client, "anna", {"Authorization": f"Bearer {token}"})

    def parts(self, settings: Settings) -> Imaging:
        """Imaging alone, on the same database and store."""
        return building.build(
            settings, self.database, self.clock, self.trail, Metrics(), self.objects, PicturesOnDemand()
        )  # fmt: skip

    def sweep(self, ahead: timedelta = timedelta()) -> None:
        """Once, so much later."""
        self.clock.ahead += ahead
        self.imaging.sweeper.sweep()

    def check(self, **wishes: bool) -> Report:
        """By the operator's command."""
        return self.imaging.checking.check(Wish(**wishes), BY)

    def keys(self) -> set[str]:
        """All that is stored."""
        return {stat.key for stat in self.objects.walk()}

    def row(self, asset: int) -> Any:
        """Its row, or None."""
        with self.database.read() as connection:
            return connection.execute(select(imaging_asset).where(imaging_asset.c.id == asset)).first()

    def set(self, asset: int, **values: Any) -> None:
        """Change its row."""
        with self.database.write() as connection:
            connection.execute(update(imaging_asset).where(imaging_asset.c.id == asset).values(**values))

    def forget(self, asset: int) -> None:
        """Take its row out."""
        with self.database.write() as connection:
            connection.execute(delete(imaging_asset).where(imaging_asset.c.id == asset))

    def uploads(self) -> int:
        """Rows of uploads."""
        with self.database.read() as connection:
            return len(connection.execute(select(imaging_upload.c.id)).all())

    def events(self, action: str) -> list[dict[str, Any]]:
        """Of that kind."""
        found: list[dict[str, Any]] = self.anna.get(f"/api/audit?action={action}&limit=500").get_json()["items"]
        return found

    def original(self, asset: int) -> int:
        """Status of asking for it."""
        return self.anna.get(f"/imaging/assets/{asset}?variant=original").status_code

    def assets(self) -> list[int]:
        """Ids of all rows of assets."""
        with self.database.read() as connection:
            return list(connection.scalars(select(imaging_asset.c.id)))

    def empty(self, asset: int) -> None:
        """Take an asset out as if it had never been."""
        row = self.row(asset)
        for key in (row.storage_key, row.thumb_key, row.web_key):
            self.objects.delete(key)
        self.forget(asset)
