"""Killed at any step of an upload: no row without its object, no object without its row, and sent again it succeeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from readingroom.settings import Settings

from tests.fixtures.s3 import S3Server, client_of
from tests.http.imaging.dying import SEND, Order, store_of
from tests.http.imaging.pictures_drawn import noise_png, study
from tests.http.imaging.place import Place

REPOSITORY = Path(__file__).parents[3]

MOST_STEPS = 400
"""Far more than an upload has; a test that comes here goes in circles."""

LEASE, SOON, LATER = timedelta(minutes=3), timedelta(hours=23), timedelta(days=1, hours=2)


class Mortal:
    """The process that orders are given to."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.http.imaging.dying"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY / "plugins"), str(REPOSITORY)])},
            text=True,
        )

    def obey(self, order: Order) -> dict[str, Any]:
        """What became of it: `killed`, and `died` at a step or `asset`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "failed" not in told, told["failed"]
        return told

    def end(self) -> None:
        """No more."""
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def mortal() -> Iterator[Mortal]:
    process = Mortal()
    yield process
    process.end()


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """In memory, where there is such a place: much would wait for the disk otherwise, and a kill is no power cut."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite-nfs", "postgresql-s3"])
def ground(request: pytest.FixtureRequest, quick_folder: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """A room, and how its store is named to the process that dies."""
    tmp_path = quick_folder
    if request.param == "sqlite-nfs":
        (tmp_path / "objects").mkdir()
        url, said = "", {"folder": str(tmp_path / "objects")}
    else:
        server: S3Server = request.getfixturevalue("s3_rclone")
        url, said = request.getfixturevalue("postgres").new_database(), asdict(server.new_bucket())
    settings = Settings.load(READINGROOM_DATA=tmp_path / "data", DATABASE_URL=url, ACCESS_TOKEN_MINUTES=1_000_000)
    place = Place(settings, store_of(said))
    yield place, said
    place.room.stop()


def sound(place: Place) -> None:
    """Nothing that is shown lacks its bytes."""
    report = place.check(deep=True)
    assert report.faults == {}, report.told


def tidy(place: Place, asset: int) -> None:
    """The asset with its three objects is all that there is."""
    spool = place.settings.data / "spool" / "pictures"
    for left in spool.iterdir():  # its age is told by the machine's own clock
        os.utime(left, (0, 0))
    place.sweep(LATER)
    sound(place)
    row = place.row(asset)
    assert place.keys() == {row.storage_key, row.thumb_key, row.web_key}
    assert place.assets() == [asset]
    for folder in (spool, place.settings.data / "uploads"):
        assert not folder.exists() or list(folder.iterdir()) == []


@pytest.mark.timeout(900)  # some sixty rooms are built, one after the other
@pytest.mark.parametrize("kind", ["whole", "parts"])
def test_an_upload_that_is_killed_at_any_step_leaves_nothing_half_and_succeeds_when_it_is_sent_again(
    ground: tuple[Place, dict[str, Any]], mortal: Mortal, kind: str
) -> None:
    place, store = ground
    died = []
    for at in range(1, MOST_STEPS):
        here, key, size = study(place.anna), f"{kind}-{at}", 30_000
        order = Order(
            kind, at, str(place.settings.data), place.settings.database_url, store, place.anna.headers["Authorization"],
            here, key, size, at,
        )  # fmt: skip
        told = mortal.obey(order)
        sound(place)
        if at % 2:  # sometimes whoever sends is quicker than the sweeper
            place.clock.ahead = SOON  # its key and its parts are remembered for a day
            place.imaging.sweeper.sweep()
            sound(place)
        place.clock.ahead += LEASE  # a whole upload's key is its dead request's for two minutes
        asset = SEND[kind](place.anna, here, key, noise_png(size, at))
        assert told.get("asset", asset) == asset
        assert place.anna.get(f"/imaging/assets/{asset}?variant=original").data == noise_png(size, at)
        tidy(place, asset)
        place.empty(asset)
        place.clock.ahead = timedelta()
        if not told["killed"]:
            break
        died.append(told["died"])
    assert len(died) == len(told["steps"]) and len(died) > 20, died
    for word in ("transaction before its commit", "transaction after its commit", "a piece", "put", "done"):
        assert any(word in step for step in died), (word, died)


def test_a_kill_between_the_parts_that_s3_is_given_leaves_none_of_them(
    s3_moto: S3Server, mortal: Mortal, quick_folder: Path
) -> None:
    bucket, size = s3_moto.new_bucket(), 10_000_000  # two of S3's parts
    settings = Settings.load(READINGROOM_DATA=quick_folder / "data", ACCESS_TOKEN_MINUTES=1_000_000)
    place = Place(settings, store_of(asdict(bucket)))
    try:
        here, token = study(place.anna), place.anna.headers["Authorization"]
        begun = client_of(bucket).list_multipart_uploads

        def killed(at: int) -> dict[str, Any]:
            order = Order(
                "whole", at, str(settings.data), "", asdict(bucket), token, here, f"key-{at}", size, 1, "/originals/",
            )  # fmt: skip
            return mortal.obey(order)

        whole = killed(0)
        place.empty(whole["asset"])
        pieces = [step for step in whole["steps"] if step.endswith("a piece")]
        for at in range(len(pieces) - 2, len(pieces) + 1):  # S3 is given the first part where eight megabytes have come
            told = killed(at)
            if begun(Bucket=bucket.name).get("Uploads"):
                break
        assert told["killed"] and "a piece" in told["died"], told
        sound(place)
        place.clock.ahead = LATER
        place.imaging.sweeper.sweep()
        assert not begun(Bucket=bucket.name).get("Uploads")
        assert place.keys() == set() and place.assets() == []
        place.clock.ahead += LEASE
        tidy(place, SEND["whole"](place.anna, here, f"key-{at}", noise_png(size, 1)))
    finally:
        place.room.stop()
