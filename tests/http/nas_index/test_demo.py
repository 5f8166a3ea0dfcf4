"""The sample NAS: there after the first time, untouched by the second, absent where a site has sources of its own."""

from __future__ import annotations

from pathlib import Path

from readingroom.clock import SystemClock
from readingroom.db import Database
from readingroom.nas_index.demo import fill
from readingroom.nas_index.demo_files import PATIENTS
from readingroom.nas_index.nas_config import ConfigFile, NasConfig, SourceConfig
from readingroom.nas_index.runs import Runs
from readingroom.nas_index.tables import nas_series
from readingroom.settings import Settings
from sqlalchemy import select


def test_the_sample_nas_is_indexed_and_a_second_time_changes_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    settings = Settings.load(READINGROOM_DATA=tmp_path, DATABASE_URL=database_url)
    assert f"{len(PATIENTS)} sample patients" in fill(settings, database)
    with database.read() as connection:
        found = connection.execute(select(nas_series)).all()
    assert {each.patient_name for each in found} == {patient.name for patient in PATIENTS}
    assert {each.integrity for each in found} == {"complete"}
    of_africa = [each for each in found if each.patient_id.startswith("SA-")]
    assert all(each.hospital and each.hospital_group and each.medical_aid for each in of_africa)
    fill(settings, database)
    last = Runs(database, SystemClock(), tmp_path / "run").latest()
    assert last is not None
    assert (last.added, last.changed, last.gone) == (0, 0, 0)
    assert last.unchanged == last.enumerated_files


def test_a_site_with_sources_of_its_own_gets_no_samples(database: Database, tmp_path: Path) -> None:
    settings = Settings.load(READINGROOM_DATA=tmp_path)
    ConfigFile(settings).write(NasConfig(sources=[SourceConfig(name="archive", path="/mnt/nas")]))
    assert "not added" in fill(settings, database)
    assert not (tmp_path / "demo").exists()
