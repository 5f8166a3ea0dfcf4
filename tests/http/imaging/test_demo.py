"""The sample clinic: there after the first time, untouched by the second, absent where a clinic works already."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from readingroom.audit import Trail
from readingroom.clock import SystemClock
from readingroom.db import Database
from readingroom.identity import ANONYMOUS, Caller
from readingroom.imaging.clinics import Patients
from readingroom.imaging.demo import Demo
from readingroom.imaging.demo_files import SAMPLES, bitewing, photograph
from readingroom.imaging.studies import NewStudy, Studies
from readingroom.imaging.tables import imaging_asset, imaging_study
from readingroom.settings import Settings
from sqlalchemy import func, select, update

COUNT = sum(len(sample.files) for sample in SAMPLES)


@pytest.fixture
def site(database: Database, database_url: str, tmp_path: Path) -> Settings:
    return Settings.load(READINGROOM_DATA=tmp_path, DATABASE_URL=database_url)


def rows(database: Database) -> tuple[int, int]:
    with database.read() as connection:
        studies = connection.scalar(select(func.count()).select_from(imaging_study)) or 0
        return studies, connection.scalar(select(func.count()).select_from(imaging_asset)) or 0


def test_pictures_of_each_kind_are_there_and_a_second_time_changes_nothing(site: Settings, database: Database) -> None:
    told = Demo(site, database).fill()
    password = (site.data / "secrets" / "demo_clinician_password").read_text()
    assert any(password in line for line in told)
    assert rows(database) == (len(SAMPLES), COUNT)
    with database.read() as connection:
        found = connection.execute(select(imaging_asset)).all()
    assert {row.modality for row in found} == {"XRAY", "PHOTO", "DOC"}
    assert all(row.state == "ready" and row.thumb_key and row.web_key for row in found)
    with database.write() as connection:
        connection.execute(update(imaging_asset).where(imaging_asset.c.id == found[0].id).values(is_active=False))
    assert not any(password in line for line in Demo(site, database).fill())
    assert rows(database) == (len(SAMPLES), COUNT)


def test_a_clinic_that_works_here_already_gets_no_samples(site: Settings, database: Database) -> None:
    clock = SystemClock()
    studies = Studies(database, clock, Trail(database, clock), Patients(database, ""))
    studies.create(12, NewStudy(345, "PHOTO"), Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", ""))
    assert "not added" in Demo(site, database).fill()[0]
    assert rows(database) == (1, 0)
    assert not (site.data / "secrets" / "demo_clinician_password").exists()


def test_the_bitewings_are_deep_and_everything_is_small() -> None:
    image = Image.open(io.BytesIO(bitewing("left", 1)))
    assert image.mode == "I;16"
    low, high = image.getextrema()
    assert high - low > 8000  # type: ignore[operator]  # a grey picture has one pair
    assert bitewing("left", 1) == bitewing("left", 1)
    assert len(photograph()) < 100_000
    assert sum(len(each.data()) for sample in SAMPLES for each in sample.files) < 2_000_000
