"""The imports' routes as an admin meets them; the imports themselves run against a real Orthanc in tests/live."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from readingroom.app import Room, build
from readingroom.audit.tables import events_of
from readingroom.cases.import_records import Item, Records
from readingroom.cases.import_runs import Figures, Runs, Wish
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.identity import ANONYMOUS, Caller
from readingroom.settings import Settings
from sqlalchemy import select

from tests.fixtures.processes import free_port
from tests.http.conftest import PASSWORD, Person, SilentPacs

IMPORTS = "/api/bestof/imports"


class Place:
    """An application with a configured source, and its record of runs."""

    def __init__(self, folder: Path, url: str) -> None:
        self.source = folder / "bestof"
        (self.source / "MRI" / "0001").mkdir(parents=True)
        self.settings = Settings.load(
            READINGROOM_DATA=folder / "data",
            DATABASE_URL=url,
            IMPORT_SOURCE=str(self.source),
            IMPORT_ALLOWED_ROOTS=f"sftp://nas/teaching, {folder / 'other'}",
            READINGROOM_ORTHANC_URL=f"http://127.0.0.1:{free_port()}",
        )
        database = open_database(self.settings.database_url)
        migrate(database)
        self.room: Room = build(self.settings, SilentPacs(), SystemClock(), database)
        self.room.accounts.create("admin", PASSWORD, ("admin",), None, Caller(ANONYMOUS, str(uuid.uuid4()), ""))
        self.runs = Runs(database, SystemClock(), self.settings.data / "run")
        client = self.room.app.test_client()
        token = client.post("/api/token/", json={"username": "admin", "password": PASSWORD}).get_json()["access"]
        self.admin = Person(client, "admin", {"Authorization": f"Bearer {token}"})

    def run(self, source: str = "/mnt/earlier", state: str = "done", **figures: int) -> str:
        """A run that is over."""
        run_id = self.runs.begin(Wish(source), "alice")
        with self.room.database.write() as connection:
            self.runs.end(connection, run_id, state, Figures(**figures), "")  # type: ignore[arg-type]  # a State
        return run_id


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    made = Place(tmp_path, url)
    yield made
    made.room.stop()


def wait_for_end(place: Place, run_id: str) -> dict[str, object]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        run: dict[str, object] = place.admin.get(f"{IMPORTS}/{run_id}").get_json()
        if run["finishedAt"]:
            return run
        time.sleep(0.1)
    raise AssertionError(f"the import did not end: {run}")


def test_an_import_runs_in_a_process_of_its_own_and_says_what_stopped_it(place: Place) -> None:
    begun = place.admin.post(IMPORTS, json={"dryRun": True, "workers": 2})
    assert begun.status_code == 202, begun.text

    run = wait_for_end(place, begun.get_json()["runId"])

    assert set(run) == {
        "runId", "state", "source", "dryRun", "deidentify", "startedBy", "startedAt", "finishedAt", "phase",
        "filesSeen", "filesDone", "bytesDone", "added", "unchanged", "changed", "missing", "notDicom", "failed",
        "filesPerSecond", "etaSeconds", "message",
    }  # fmt: skip
    assert (run["state"], run["source"], run["startedBy"]) == ("failed", str(place.source), "admin")
    assert run["dryRun"] is True and "Orthanc does not answer" in str(run["message"])
    log, end = place.settings.data / "logs" / f"import-{run['runId']}.log", time.monotonic() + 30
    while not log.read_text():  # its summary follows the end of its record
        assert time.monotonic() < end
        time.sleep(0.1)
    events = events_of(place.room.database.is_postgresql)
    with place.room.database.read() as connection:
        told = connection.execute(
            select(events.c.action, events.c.actor).where(events.c.entity_id == run["runId"]).order_by(events.c.id)
        ).all()
    assert [tuple(event) for event in told] == [("cases.import.start", "admin"), ("cases.import.finish", "admin")]


def test_a_process_that_cannot_even_begin_leaves_no_run_behind(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORT_WORKERS", "no number at all")
    run = wait_for_end(place, place.admin.post(IMPORTS, json={}).get_json()["runId"])
    assert run["state"] == "interrupted" and "status 1" in str(run["message"])
    assert place.admin.post(IMPORTS, json={}).status_code == 202


def test_a_source_that_is_being_imported_is_a_409_that_names_the_run(place: Place) -> None:
    run_id = place.runs.begin(Wish(str(place.source)), "alice")
    answer = place.admin.post(IMPORTS, json={})
    assert (answer.status_code, answer.get_json()["error"]) == (409, "import_running")
    assert answer.get_json()["detail"] == {"runId": run_id}


@pytest.mark.parametrize(
    "source",
    [
        "/etc",
        "{source}/../other2",
        "{source}2",
        "sftp://elsewhere/teaching",
        "sftp://nas/teaching2",
        "smb://nas/teaching",
    ],
)
def test_the_web_reads_nothing_but_what_was_configured(place: Place, source: str) -> None:
    answer = place.admin.post(IMPORTS, json={"source": source.format(source=place.source)})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request")
    assert place.runs.page(10, 0)[1] == 0


def test_a_link_out_of_the_source_is_not_below_it(place: Place) -> None:
    (place.source / "out").symlink_to("/etc")
    assert place.admin.post(IMPORTS, json={"source": f"{place.source}/out"}).status_code == 400


def test_a_password_in_an_address_is_refused_and_not_repeated(place: Place) -> None:
    answer = place.admin.post(IMPORTS, json={"source": "sftp://me:hunter22@nas/teaching"})
    assert answer.status_code == 400 and "hunter22" not in answer.text


@pytest.mark.parametrize("wish", [{"workers": 0}, {"workers": 65}, {"dryRun": "perhaps"}, {"what": 1}])
def test_a_wish_that_makes_no_sense_is_a_400(place: Place, wish: dict[str, object]) -> None:
    assert place.admin.post(IMPORTS, json=wish).status_code == 400


def test_runs_are_listed_newest_first_a_page_at_a_time(place: Place) -> None:
    made = [place.run(added=number) for number in range(3)]
    first = place.admin.get(f"{IMPORTS}?limit=2").get_json()
    rest = place.admin.get(f"{IMPORTS}?limit=2&offset=2").get_json()
    assert [run["runId"] for run in first["items"] + rest["items"]] == made[::-1]
    assert first["total"] == 3


def test_a_runs_report_is_read_by_outcome(place: Place) -> None:
    run_id = place.run(failed=1)
    lines = [Item("CT/0001/a", "failed", "cut short"), Item("CT/0001/b", "not_dicom", "no DICM marker")]
    with place.room.database.write() as connection:
        Records.report(connection, run_id, lines)
    assert place.admin.get(f"{IMPORTS}/{run_id}/items").get_json()["total"] == 2
    failed = place.admin.get(f"{IMPORTS}/{run_id}/items?outcome=failed").get_json()
    assert failed == {"items": [{"path": "CT/0001/a", "outcome": "failed", "reason": "cut short"}], "total": 1}
    assert place.admin.get(f"{IMPORTS}/{run_id}/items?outcome=odd").status_code == 400


def test_a_waiting_run_is_cancelled_at_once_and_one_that_is_over_stays_as_it_is(place: Place) -> None:
    waiting = place.runs.begin(Wish("/mnt/x"), "alice")
    assert place.admin.post(f"{IMPORTS}/{waiting}/cancel").get_json()["state"] == "cancelled"
    over = place.run()
    assert place.admin.post(f"{IMPORTS}/{over}/cancel").get_json()["state"] == "done"


@pytest.mark.parametrize("rest", ["", "/items"])
def test_an_import_that_is_not_there_is_a_404(place: Place, rest: str) -> None:
    assert place.admin.get(f"{IMPORTS}/{uuid.uuid4()}{rest}").status_code == 404
    assert place.admin.post(f"{IMPORTS}/{uuid.uuid4()}/cancel").status_code == 404
