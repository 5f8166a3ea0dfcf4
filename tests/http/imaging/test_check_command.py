"""`scripts/admin assets check`: what it prints, and with which status it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from readingroom.admin_cli import app
from readingroom.objects import NfsStore
from readingroom.settings import Settings
from typer.testing import CliRunner, Result

from tests.http.imaging.pictures_drawn import filed, png, study
from tests.http.imaging.place import Place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An instance in its data folder's own store, as the command finds it."""
    monkeypatch.setenv("READINGROOM_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings = Settings.load()
    made = Place(settings, NfsStore(tmp_path / "imaging", tmp_path), tmp_path / "imaging")
    yield made
    made.room.stop()


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["assets", "check", *arguments])


def test_all_is_well(place: Place) -> None:
    filed(place.anna, study(place.anna), png())
    said = command("--deep")
    assert (said.exit_code, said.stdout) == (0, said.stdout)
    assert said.stdout.startswith("All is well: 1 assets, 3 objects of ")


def test_a_lost_original_is_told_mended_and_well_again(place: Place) -> None:
    here = study(place.anna)
    asset = filed(place.anna, here, png())
    filed(place.anna, here, png(seed=2))
    file = place.folder / place.row(asset).storage_key
    data = file.read_bytes()
    file.unlink()
    said = command()
    assert said.exit_code == 1
    assert said.stdout.splitlines()[0].split("\t")[:2] == ["missing", f"asset {asset}"]
    assert "1 fault; --repair mends" in said.stdout
    said = command("--repair", "--json")
    told = json.loads(said.stdout)
    assert said.exit_code == 0 and told["faults"] == told["mended"] == {"missing": 1} and told["left"] == 0
    assert told["told"] == [
        {"kind": "missing", "asset": asset, "key": place.row(asset).storage_key, "size": 0,
         "said": "the original is not there"}
    ]  # fmt: skip
    assert command().exit_code == 0
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    assert command("--repair", "--deep").exit_code == 0
    assert place.original(asset) == 200


def test_a_store_that_is_not_there_is_one_sentence_and_no_repair(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = filed(place.anna, study(place.anna), png())
    monkeypatch.setenv("IMAGING_NFS_BASE_DIR", "/nowhere/at/all")
    said = command("--repair")
    assert said.exit_code == 1 and "mounted" in said.output
    assert place.row(asset).state == "ready"
