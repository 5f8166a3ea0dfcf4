"""The record of runs on SQLite and PostgreSQL: one run for a source, and no run outlives its process."""

from __future__ import annotations

import fcntl
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from readingroom.cases.import_records import Item, Records
from readingroom.cases.import_runs import REPORT_KEPT, Figures, Runs, Wish
from readingroom.cases.import_schedule import Scheduler
from readingroom.cases.import_start import Imports
from readingroom.errors import ImportRunning, NotFound, SettingsError
from readingroom.procedures.lifeline import DEAD_AFTER
from readingroom.settings import Settings

from tests.fixtures.identity import House

WISH = Wish("/mnt/bestof")


@pytest.fixture
def runs(house: House) -> Runs:
    return Runs(house.database, house.clock, house.settings.data / "run")


def lock_of(house: House, run_id: str) -> Path:
    return house.settings.data / "run" / f"import-{run_id}.lock"


def test_a_source_has_one_run_at_a_time_and_another_source_its_own(runs: Runs) -> None:
    first = runs.begin(WISH, "alice")
    with pytest.raises(ImportRunning) as refused:
        runs.begin(WISH, "bob")
    assert refused.value.detail == {"runId": first}
    runs.begin(Wish("sftp://nas/bestof"), "bob")
    runs.cancel(first)
    runs.begin(WISH, "bob")


def test_of_many_that_start_at_once_one_wins(runs: Runs) -> None:
    begun: list[str] = []
    refused: list[ImportRunning] = []

    def start() -> None:
        try:
            begun.append(runs.begin(WISH, "somebody"))
        except ImportRunning as error:
            refused.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), len(refused)) == (1, 7)


def test_a_run_lives_as_long_as_its_process_holds_its_lock(runs: Runs, house: House) -> None:
    run_id = runs.begin(WISH, "alice")
    with runs.alive(run_id) as wish:
        assert wish == WISH
        house.clock.advance(10 * DEAD_AFTER)
        assert runs.get(run_id).state == "running"
        with pytest.raises(NotFound), runs.alive(run_id):
            pass
    assert not lock_of(house, run_id).exists()


def test_a_run_whose_process_was_killed_is_interrupted_at_once(runs: Runs, house: House) -> None:
    run_id = runs.begin(WISH, "alice")
    process = runs.alive(run_id)
    process.__enter__()
    kept = lock_of(house, run_id)
    with kept.open("r+") as again, pytest.raises(BlockingIOError):
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    kept.unlink()
    kept.touch()  # as it lies there when nobody holds it any more

    run = runs.get(run_id)

    assert run.state == "interrupted" and run.finished_at is not None
    runs.begin(WISH, "bob")


def test_a_run_of_another_machine_is_judged_by_its_heart(runs: Runs, house: House) -> None:
    run_id = runs.begin(WISH, "alice")
    house.clock.advance(DEAD_AFTER)
    assert runs.get(run_id).state == "queued"
    with house.database.write() as connection:
        assert not runs.beat(connection, run_id, Figures(files_seen=7))
    house.clock.advance(DEAD_AFTER)
    assert runs.get(run_id).state == "queued"
    house.clock.advance(timedelta(seconds=1))
    assert runs.get(run_id).state == "interrupted"


def test_what_old_runs_said_of_single_files_goes_and_their_figures_stay(runs: Runs, house: House) -> None:
    def ran() -> str:
        run_id = runs.begin(WISH, "alice")
        with runs.alive(run_id), house.database.write() as connection:
            Records.report(connection, run_id, [Item("CT/0001/a.txt", "not_dicom", "empty file")] * 3)
            runs.end(connection, run_id, "done", Figures(not_dicom=3), "")
        return run_id

    old = ran()
    house.clock.advance(REPORT_KEPT - timedelta(minutes=1))
    young = ran()
    assert runs.items(old, None, 10, 0)[1] == 3
    house.clock.advance(timedelta(minutes=2))
    ran()
    assert (runs.items(old, None, 10, 0), runs.get(old).not_dicom) == (([], 0), 3)
    assert runs.items(young, None, 10, 0)[1] == 3


def test_logs_of_old_imports_go(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = house.settings.data / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for name in ("import-old.log", "import-new.log", "orthanc.log"):
        (logs / name).touch()
    for name in ("import-old.log", "orthanc.log"):
        os.utime(logs / name, (0, 0))
    monkeypatch.setattr("readingroom.cases.import_start.start_process", lambda *_: None)
    settings = Settings.load(READINGROOM_DATA=house.settings.data, IMPORT_SOURCE=str(tmp_path))

    Imports(settings, house.database, house.clock, house.trail).start(house.by)

    assert sorted(place.name for place in logs.iterdir()) == ["import-new.log", "orthanc.log"]


def test_a_run_hears_that_it_is_to_stop(runs: Runs, house: House) -> None:
    run_id = runs.begin(WISH, "alice")
    with runs.alive(run_id):
        assert runs.cancel(run_id).state == "running"
        with house.database.write() as connection:
            assert runs.beat(connection, run_id, Figures())
            runs.end(connection, run_id, "cancelled", Figures(added=3), "stopped")
    run = runs.cancel(run_id)
    assert (run.state, run.added, run.message) == ("cancelled", 3, "stopped")


@pytest.fixture
def imports(house: House, monkeypatch: pytest.MonkeyPatch) -> Imports:
    """Imports whose processes are not started: who is asked to, and when, is the question here."""
    settings = Settings.load(
        READINGROOM_DATA=house.settings.data, DATABASE_URL=house.settings.database_url, IMPORT_SOURCE="/mnt/bestof"
    )
    monkeypatch.setattr(Imports, "_spawn", lambda self, run_id: None)
    return Imports(settings, house.database, house.clock, house.trail)


def test_of_two_servers_one_starts_what_is_due(imports: Imports, house: House) -> None:
    one, other = (Scheduler(imports, "every 6h", house.clock) for _ in range(2))
    run_id = one.look()
    assert run_id and other.look() is None
    run = imports.runs.get(run_id)
    assert (run.started_by, run.source) == ("schedule", "/mnt/bestof")
    imports.runs.abandon(run_id, "over at once")
    assert other.look() is None
    house.clock.advance(timedelta(hours=6))
    assert other.look()


def test_a_schedule_without_a_source_is_refused_at_start(house: House) -> None:
    nowhere = Imports(house.settings, house.database, house.clock, house.trail)
    Scheduler(nowhere, "", house.clock)
    with pytest.raises(SettingsError, match="IMPORT_SOURCE"):
        Scheduler(nowhere, "02:30", house.clock)


def test_a_server_that_looked_too_early_starts_nothing_twice(imports: Imports, house: House) -> None:
    """Both saw that it is due; the first one's import is over when the second one comes to start its own."""
    due = house.clock.now() - timedelta(minutes=1)
    imports.runs.abandon(imports.runs.begin(WISH, "schedule", due), "over at once")
    with pytest.raises(ImportRunning):
        imports.runs.begin(WISH, "schedule", due)
    assert imports.runs.page(10, 0)[1] == 1
