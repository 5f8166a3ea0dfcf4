"""A full disk, a store or a database that is away: uploads are refused, leave nothing, and succeed later."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from readingroom.objects import NfsStore, ObjectStore
from readingroom.objects.s3 import S3Store
from readingroom.settings import Settings
from werkzeug.test import TestResponse

from tests.fixtures.postgres import Postgres
from tests.fixtures.s3 import S3Server, running_s3
from tests.fixtures.servers import running_postgres, server_folder
from tests.http.imaging.pictures_drawn import filed, noise_png, png, study, upload
from tests.http.imaging.place import Place
from tests.http.imaging.test_parts import begun, completed, put

LATER = timedelta(days=1, hours=2)


def settings_of(folder: Path, url: str = "") -> Settings:
    return Settings.load(READINGROOM_DATA=folder, DATABASE_URL=url, ACCESS_TOKEN_MINUTES=1_000_000)


def refused(answer: TestResponse, status: int, code: str) -> None:
    assert (answer.status_code, answer.get_json()["error"]) == (status, code), answer.text
    assert int(answer.headers["Retry-After"]) > 0


def nothing_left(place: Place, assets: list[int]) -> None:
    """These assets are whole, and are all there is, once it was swept."""
    place.clock.ahead += LATER
    place.imaging.sweeper.sweep()
    report = place.check(deep=True)
    assert report.faults == {}, report.told
    assert sorted(place.assets()) == sorted(assets)
    rows = [place.row(asset) for asset in assets]
    assert place.keys() == {key for row in rows for key in (row.storage_key, row.thumb_key, row.web_key)}
    assert list((place.settings.data / "uploads").glob("*")) == []


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of that size."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    with server_folder("small-disk") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_store_that_is_full_refuses_and_takes_it_when_there_is_room_again(tmp_path: Path) -> None:
    with small_disk(6) as disk:
        place = Place(settings_of(tmp_path), NfsStore(disk))
        try:
            here, first = study(place.anna), filed(place.anna, study(place.anna), png())
            filler = disk / "filler"
            filler.write_bytes(b"\0" * 4_000_000)
            data = noise_png(3_000_000)
            whole = upload(place.anna, here, data)
            refused(whole, 507, "storage_full")
            parts = begun(place.anna, data)
            for start in range(0, len(data), 1_000_000):
                assert put(place.anna, parts, start, data[start : start + 1_000_000]).status_code == 200
            refused(completed(place.anna, parts, data), 507, "storage_full")
            assert place.assets() == [first] and len(place.keys()) == 3
            assert list((disk / ".incoming").iterdir()) == []
            filler.unlink()
            again = completed(place.anna, parts, data)  # what had come was kept
            assert again.status_code == 200, again.text
            nothing_left(place, [first, again.get_json()["assetId"]])
        finally:
            place.room.stop()


def test_a_store_that_fills_up_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """There was room when the put began: somebody else took it."""
    with small_disk(6) as disk:
        store: Any = NfsStore(disk)
        place = Place(settings_of(tmp_path), store)
        try:
            first, data = filed(place.anna, study(place.anna), png()), noise_png(3_000_000)
            store._see_room = lambda size: None
            (disk / "filler").write_bytes(b"\0" * 4_000_000)
            refused(upload(place.anna, study(place.anna), data), 507, "storage_full")
            assert place.assets() == [first] and list((disk / ".incoming").iterdir()) == []
            (disk / "filler").unlink()
            nothing_left(place, [first, filed(place.anna, study(place.anna), data)])
        finally:
            place.room.stop()


def test_a_data_folder_that_is_full_takes_no_parts_before_they_come(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    with small_disk(40) as disk:
        place = Place(settings_of(disk), NfsStore(tmp_path / "objects"))
        try:
            data = noise_png(3_000_000)
            parts = begun(place.anna, data)
            put(place.anna, parts, 0, data[:1_000_000])
            free = os.statvfs(disk)
            (disk / "filler").write_bytes(b"\0" * (free.f_bavail * free.f_frsize - 2_500_000))
            refused(put(place.anna, parts, 1_000_000, data[1_000_000:2_500_000]), 507, "storage_full")
            wish = {"patientId": 345, "studyId": study(place.anna), "modality": "XRAY", "mimeType": "image/png"}
            refused(place.anna.post("/imaging/assets/upload-init", json=wish | {"totalBytes": 3_000_000}),
                    507, "storage_full")  # fmt: skip
            refused(upload(place.anna, study(place.anna), data), 507, "storage_full")
            (disk / "filler").unlink()
            put(place.anna, parts, 1_000_000, data[1_000_000:])
            asset = completed(place.anna, parts, data).get_json()["assetId"]
            nothing_left(place, [asset])
        finally:
            place.room.stop()


def test_a_data_folder_that_is_full_says_so_where_an_original_is_fetched(tmp_path: Path) -> None:
    """Pictures that are missing, and DICOM, are made of a copy of it."""
    (tmp_path / "objects").mkdir()
    with small_disk(40) as disk:
        place = Place(settings_of(disk), NfsStore(tmp_path / "objects"))
        try:
            asset = filed(place.anna, study(place.anna), noise_png(3_000_000))
            row = place.row(asset)
            place.objects.delete(row.web_key)
            free = os.statvfs(disk)
            (disk / "filler").write_bytes(b"\0" * (free.f_bavail * free.f_frsize - 1_500_000))
            refused(place.anna.get(f"/imaging/assets/{asset}?variant=web"), 507, "storage_full")
            refused(place.anna.post(f"/imaging/assets/{asset}/dicom", json={}), 507, "storage_full")
            (disk / "filler").unlink()
            assert place.anna.get(f"/imaging/assets/{asset}?variant=web").status_code == 200
            nothing_left(place, [asset])
        finally:
            place.room.stop()


def test_parts_of_all_uploads_under_way_have_room_before_another_is_begun(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    with small_disk(60) as disk:
        place = Place(settings_of(disk), NfsStore(tmp_path / "objects"))
        try:
            here = study(place.anna)
            wish = {"patientId": 345, "studyId": here, "modality": "XRAY", "mimeType": "image/png"}

            def begin() -> TestResponse:
                return place.anna.post("/imaging/assets/upload-init", json=wish | {"totalBytes": 20_000_000})

            assert [begin().status_code, begin().status_code] == [201, 201]
            refused(begin(), 507, "storage_full")
        finally:
            place.room.stop()


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[tuple[Place, S3Server]]:
    with running_s3("rclone") as server:
        store: ObjectStore = S3Store(server.new_bucket())
        place = Place(settings_of(tmp_path), store)
        yield place, server
        place.room.stop()


def test_s3_that_is_away_refuses_and_takes_the_same_upload_when_it_is_back(s3: tuple[Place, S3Server]) -> None:
    place, server = s3
    data, here = noise_png(400_000), study(place.anna)
    parts = begun(place.anna, data)
    put(place.anna, parts, 0, data)
    server.stop()
    refused(upload(place.anna, here, data), 503, "storage_unavailable")
    refused(completed(place.anna, parts, data), 503, "storage_unavailable")
    place.imaging.sweeper.sweep()  # finds nobody there, and takes nothing out
    server.start()
    asset = completed(place.anna, parts, data).get_json()["assetId"]
    nothing_left(place, [asset, filed(place.anna, here, data)])


def test_s3_that_goes_in_the_middle_of_an_upload_leaves_what_the_sweeper_finds(s3: tuple[Place, S3Server]) -> None:
    place, server = s3
    data = noise_png(18_000_000)  # three parts of S3's
    parts = begun(place.anna, data)
    for start in range(0, len(data), 8 << 20):
        put(place.anna, parts, start, data[start : start + (8 << 20)])
    objects: Any = place.objects
    real, sent = objects.put, 0

    def put_and_go(key: str, chunks: Iterator[bytes], **options: Any) -> Any:
        def going() -> Iterator[bytes]:
            nonlocal sent
            for chunk in chunks:
                sent += len(chunk)
                if sent > 12 << 20:
                    server.stop()
                yield chunk

        return real(key, going(), **options)

    objects.put = put_and_go
    refused(completed(place.anna, parts, data), 503, "storage_unavailable")
    objects.put = real
    server.start()
    place.imaging.sweeper.sweep()
    asset = completed(place.anna, parts, data).get_json()["assetId"]
    nothing_left(place, [asset])


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[tuple[Place, Postgres]]:
    (tmp_path / "objects").mkdir()
    with running_postgres() as server:
        place = Place(settings_of(tmp_path / "data", server.new_database()), NfsStore(tmp_path / "objects"))
        yield place, server
        place.room.stop()


@pytest.mark.parametrize("when", ["before", "at a piece", "after all pieces"])
def test_a_database_that_goes_leaves_nothing_that_is_shown_and_the_same_upload_succeeds_later(
    postgresql: tuple[Place, Postgres], when: str
) -> None:
    place, server = postgresql
    data = noise_png(400_000)
    parts = begun(place.anna, data)
    put(place.anna, parts, 0, data)
    objects: Any = place.objects
    real = objects.put

    def put_and_go(key: str, chunks: Iterator[bytes], **options: Any) -> Any:
        if when == "at a piece":
            server.cut()
        done = real(key, chunks, **options)
        if when == "after all pieces":
            server.cut()
        return done

    if when == "before":
        server.cut()
    else:
        objects.put = put_and_go
    refused(completed(place.anna, parts, data), 503, "database_unavailable")
    objects.put = real
    refused(place.anna.get(f"/imaging/uploads/{parts}"), 503, "database_unavailable")
    place.imaging.sweeper.sweep()
    server.start()
    place.clock.ahead += timedelta(hours=2)
    place.imaging.sweeper.sweep()
    assert place.check(deep=True).faults == {}
    asset = completed(place.anna, parts, data).get_json()["assetId"]
    nothing_left(place, [asset])
