"""Assets move from a folder to a bucket and back, under the same keys, and no kill or damage on the way loses one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from readingroom.audit import Reading, Trail
from readingroom.audit.reading import Filter
from readingroom.clock import SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.errors import StorageUnavailable
from readingroom.identity import ANONYMOUS, Caller
from readingroom.imaging.moving import Moving, Report, Wish
from readingroom.imaging.tables import imaging_asset, imaging_study
from readingroom.objects import NfsStore, ObjectStore, Put, original_key, thumb_key, web_key
from readingroom.objects.s3 import Bucket, S3Store
from sqlalchemy import insert, select, update

BY = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
MOMENT = datetime(2026, 2, 9, tzinfo=UTC)


class Twin(NfsStore):
    """A second folder, under the other name: for what does not depend on S3."""

    name = "s3"


def content(asset: int) -> bytes:
    return hashlib.sha256(str(asset).encode()).digest() * 400


class Place:
    """A database with `assets` in the store `source`, each with both pictures."""

    def __init__(self, database: Database, source: ObjectStore, target: ObjectStore, assets: int = 5) -> None:
        self.database, self.source, self.target = database, source, target
        self.trail = Trail(database, SystemClock())
        with database.write() as connection:
            connection.execute(
                insert(imaging_study).values(id=78, clinic_id=12, patient_id=345, kind="PHOTO", captured_at=MOMENT)
            )
        for asset in range(1, assets + 1):
            self.file(asset)

    def file(self, asset: int, **values: Any) -> None:
        data = content(asset)
        row = {
            "id": asset, "clinic_id": 12, "patient_id": 345, "study_id": 78, "modality": "PHOTO",
            "mime_type": "image/png", "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
            "storage_backend": self.source.name, "storage_key": key(asset), "captured_at": MOMENT,
            "thumb_key": thumb_key(12, 345, 78, asset), "web_key": web_key(12, 345, 78, asset),
        }  # fmt: skip
        with self.database.write() as connection:
            connection.execute(insert(imaging_asset).values(row | values))
        self.source.put(key(asset), [data], content_type="image/png")
        for picture in (thumb_key(12, 345, 78, asset), web_key(12, 345, 78, asset)):
            self.source.put(picture, [picture.encode()], content_type="image/webp")

    def move(self, **wishes: bool) -> Report:
        return Moving(self.database, self.trail, self.source, self.target).move(Wish(**wishes), BY)

    def backends(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.scalars(select(imaging_asset.c.storage_backend).order_by(imaging_asset.c.id)))

    def set(self, asset: int, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(update(imaging_asset).where(imaging_asset.c.id == asset).values(**values))


def key(asset: int) -> str:
    return original_key(12, 345, 78, asset, MOMENT, "png")


def keys(store: ObjectStore) -> list[str]:
    return [stat.key for stat in store.walk()]


def told(database: Database) -> int:
    """How often the trail names a move."""
    return sum(1 for _ in Reading(database).all(Filter(action="imaging.assets.move")))


def held(store: ObjectStore, name: str) -> bytes:
    with store.open(name) as blob:
        return b"".join(blob.read_range())


@pytest.fixture
def folder(tmp_path: Path) -> NfsStore:
    (tmp_path / "share").mkdir()
    return NfsStore(tmp_path / "share")


@pytest.fixture
def twin(tmp_path: Path) -> Twin:
    (tmp_path / "twin").mkdir()
    return Twin(tmp_path / "twin")


@pytest.mark.parametrize("to", ["s3", "nfs"])
def test_everything_is_in_the_other_store_under_the_same_keys(
    database: Database, folder: NfsStore, s3_bucket: Bucket, to: str
) -> None:
    bucket = S3Store(s3_bucket)
    place = Place(database, *((folder, bucket) if to == "s3" else (bucket, folder)))
    before = keys(place.source)
    report = place.move()
    assert (report.total, report.moved, report.copied, report.failed) == (5, 5, 15, 0)
    assert keys(place.target) == keys(place.source) == before
    assert place.backends() == [to] * 5
    for asset in range(1, 6):
        assert held(place.target, key(asset)) == content(asset)
        with place.target.open(thumb_key(12, 345, 78, asset)) as blob:
            assert blob.content_type == "image/webp"
    again = place.move()
    assert (again.total, again.copied) == (0, 0)


@pytest.mark.parametrize("to", ["s3", "nfs"])
def test_the_old_store_is_emptied_only_when_that_is_said(
    database: Database, folder: NfsStore, s3_bucket: Bucket, to: str
) -> None:
    bucket = S3Store(s3_bucket)
    place = Place(database, *((folder, bucket) if to == "s3" else (bucket, folder)), assets=2)
    place.move()
    place.file(3)  # came while the old store was still the one that the settings name
    report = place.move(delete_source=True)
    assert (report.total, report.moved, report.copied, report.deleted, report.failed) == (3, 1, 3, 9, 0)
    assert keys(place.source) == []
    assert len(keys(place.target)) == 9


def test_a_dry_run_counts_and_touches_nothing(database: Database, folder: NfsStore, twin: Twin) -> None:
    place = Place(database, folder, twin)
    report = place.move(dry=True, delete_source=True)
    assert (report.total, report.moved, report.copied, report.deleted) == (5, 5, 15, 0)
    assert report.bytes == sum(stat.size for stat in folder.walk())
    assert keys(twin) == []
    assert place.backends() == ["nfs"] * 5
    assert told(database) == 0


def test_the_move_stands_in_the_trail(database: Database, folder: NfsStore, twin: Twin) -> None:
    Place(database, folder, twin).move()
    assert told(database) == 1


def damaged(place: Place, base: Path) -> None:
    (base / key(2)).write_bytes(b"x" * len(content(2)))


def cut(place: Place, base: Path) -> None:
    (base / key(2)).write_bytes(content(2)[:-1])


def gone(place: Place, base: Path) -> None:
    (base / key(2)).unlink()


def taken(place: Place, base: Path) -> None:
    place.target.put(key(2), [b"other bytes"])


def misnamed(place: Place, base: Path) -> None:
    place.set(2, storage_key="../../etc/passwd")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(damaged, "damaged"), (cut, "damaged"), (gone, "missing"), (taken, "conflict"), (misnamed, "key")],
)
def test_what_is_not_right_stays_and_is_named_and_the_rest_goes_on(
    database: Database, folder: NfsStore, twin: Twin, tmp_path: Path, spoil: Callable[[Place, Path], None], why: str
) -> None:
    place = Place(database, folder, twin)
    spoil(place, tmp_path / "share")
    before = keys(twin)
    report = place.move(delete_source=True)
    assert [(failure.asset, failure.why) for failure in report.told] == [(2, why)]
    assert (report.moved, report.failed) == (4, 1)
    assert place.backends() == ["s3", "nfs", "s3", "s3", "s3"]
    assert [name for name in keys(twin) if "/2_" in name] == before
    # What stays behind keeps all that it has.
    assert set(keys(folder)) >= {thumb_key(12, 345, 78, 2), web_key(12, 345, 78, 2)}


def test_a_copy_that_does_not_come_out_as_it_went_in_is_not_trusted(
    database: Database, folder: NfsStore, tmp_path: Path
) -> None:
    class Lying(Twin):
        def put(self, key: str, chunks: Iterable[bytes], **given: Any) -> Put:
            put = super().put(key, chunks, **given)
            if "/2_" in key:
                place = tmp_path / "twin" / key
                place.write_bytes(b"\0" * put.size)
            return put

    (tmp_path / "twin").mkdir()
    target = Lying(tmp_path / "twin")
    place = Place(database, folder, target)
    report = place.move(delete_source=True)
    assert [(failure.asset, failure.why) for failure in report.told] == [(2, "damaged")]
    assert [name for name in keys(target) if "/2_" in name] == []
    assert held(folder, key(2)) == content(2)


def test_a_missing_picture_is_no_reason_to_stay(database: Database, folder: NfsStore, twin: Twin) -> None:
    place = Place(database, folder, twin, assets=1)
    folder.delete(thumb_key(12, 345, 78, 1))
    assert place.move().moved == 1
    assert keys(twin) == [key(1), web_key(12, 345, 78, 1)]


def test_uploads_under_way_and_what_is_erased_are_left_alone(database: Database, folder: NfsStore, twin: Twin) -> None:
    place = Place(database, folder, twin, assets=3)
    place.set(1, state="receiving")
    place.set(2, state="erased")
    assert place.move(delete_source=True).total == 1
    assert place.backends() == ["nfs", "nfs", "s3"]
    assert len(keys(folder)) == 6


def test_a_deleted_asset_moves_too_and_its_time_runs_on(database: Database, folder: NfsStore, twin: Twin) -> None:
    place = Place(database, folder, twin, assets=1)
    place.set(1, is_active=False, updated_at=MOMENT)
    place.move()
    with database.read() as connection:
        row = connection.execute(select(imaging_asset)).one()
    assert (row.storage_backend, row.is_active, row.updated_at) == ("s3", False, MOMENT)


def test_a_row_that_changes_meanwhile_is_done_in_the_next_run(
    database: Database, folder: NfsStore, tmp_path: Path
) -> None:
    class Slow(Twin):
        def put(self, key: str, chunks: Iterable[bytes], **given: Any) -> Put:
            if "/1_" in key:
                place.set(1, web_key=None)
            return super().put(key, chunks, **given)

    (tmp_path / "twin").mkdir()
    place = Place(database, folder, Slow(tmp_path / "twin"), assets=2)
    assert [failure.why for failure in place.move().told] == ["changed"]
    assert place.backends() == ["nfs", "s3"]
    assert place.move().moved == 1


def test_a_store_that_goes_away_ends_the_move_and_the_next_goes_on(
    database: Database, folder: NfsStore, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(database, folder, twin)
    put = Twin.put

    def failing(self: Twin, name: str, chunks: Iterable[bytes], **given: Any) -> Put:
        if "/4_" in name:
            raise StorageUnavailable("away")
        return put(self, name, chunks, **given)

    monkeypatch.setattr(Twin, "put", failing)
    with pytest.raises(StorageUnavailable):
        place.move()
    monkeypatch.undo()
    assert place.move().failed == 0
    assert place.backends() == ["s3"] * 5


KILLED = """
import os, signal, sys
from pathlib import Path
from readingroom.audit import Trail
from readingroom.clock import SystemClock
from readingroom.db import open_database
from readingroom.identity import ANONYMOUS, Caller
from readingroom.imaging import moving
from readingroom.imaging.moving import Moving, Wish
from readingroom.objects import NfsStore

folder, url, where, left = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

def counted(*_given, **_named):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

class Twin(NfsStore):
    name = "s3"
    def put(self, key, chunks, **given):
        if where != "put":
            return super().put(key, chunks, **given)
        def cut():
            for chunk in chunks:
                counted()
                yield chunk
        return super().put(key, cut(), **given)

def first(act):
    def wrapped(*given, **named):
        counted()
        return act(*given, **named)
    return wrapped

if where == "switch":
    Moving._switch = first(Moving._switch)
if where == "delete":
    NfsStore.delete = first(NfsStore.delete)
moving.WORKERS = 2
database = open_database(url)
Moving(database, Trail(database, SystemClock()), NfsStore(folder / "share"), Twin(folder / "twin")).move(
    Wish(delete_source=True), Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", ""))
"""


@pytest.mark.parametrize("where", ["put", "switch", "delete"])
def test_a_move_that_is_killed_anywhere_is_taken_up_again(
    tmp_path: Path, folder: NfsStore, twin: Twin, where: str
) -> None:
    url = f"sqlite:///{tmp_path / 'reading.db'}"
    opened = open_database(url)
    migrate(opened)
    place = Place(opened, folder, twin)
    everything = keys(folder)
    kills = 0
    for left in (0, 1, 2, 4, 7, 50):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", KILLED, str(tmp_path), url, where, str(left)]
        code = subprocess.run(command, env=environment, check=False).returncode
        kills += code == -9
        # Whatever happened: the store that a row names holds its original.
        for asset, backend in enumerate(place.backends(), start=1):
            assert held(folder if backend == "nfs" else twin, key(asset)) == content(asset)
    assert kills >= 3
    report = place.move(delete_source=True)
    assert report.failed == 0
    assert keys(twin) == everything
    assert keys(folder) == []
    assert place.backends() == ["s3"] * 5
    opened.close()
