"""Bringing a series into Orthanc: its bytes as they are, again without harm, and told what went wrong."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from readingroom.app import Room, build
from readingroom.audit.tables import events_of
from readingroom.clock import FakeClock, SystemClock
from readingroom.db import migrate, open_database
from readingroom.errors import PacsError, PacsNotFound, PacsUnreachable
from readingroom.identity import ANONYMOUS, Caller
from readingroom.nas_index.import_jobs import Figures
from readingroom.nas_index.import_worker import ImportWork
from readingroom.nas_index.in_orthanc import InOrthanc
from readingroom.nas_index.series import find
from readingroom.nas_index.series_files import SeriesFiles
from readingroom.pacs import Pacs
from readingroom.settings import Settings
from readingroom.sources import open_source
from sqlalchemy import select

from tests.fixtures.catalogued import SERIES, catalogue_source, configure, write_series
from tests.fixtures.nas import PATIENCE
from tests.fixtures.small_pacs import SmallPacs
from tests.http.conftest import PASSWORD, Person, SilentPacs

BY = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")


class SeriesPacs(SmallPacs):
    """Knows its instances by series too; `delay` seconds pass before it takes a file."""

    def __init__(self) -> None:
        super().__init__()
        self.series: dict[str, dict[str, str]] = {}
        self.delay = 0.0

    def get(self, path: str) -> bytes:
        """The instances of a series, beside what a small PACS knows."""
        if path.startswith("/series/"):
            uid = path.split("/")[2].removeprefix("id-")
            return json.dumps(
                [{"ID": i, "MainDicomTags": {"SOPInstanceUID": u}} for u, i in self.series[uid].items()]
            ).encode()
        return super().get(path)

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Store a file, or look series up."""
        if path == "/tools/lookup":
            self._note("POST /tools/lookup")
            uid = body.decode()
            return json.dumps([{"ID": f"id-{uid}", "Type": "Series"}] if uid in self.series else []).encode()
        if path == "/tools/find":
            self._note("POST /tools/find")
            uids = json.loads(body)["Query"]["SeriesInstanceUID"].split("\\")
            return json.dumps(
                [{"ID": f"id-{u}", "MainDicomTags": {"SeriesInstanceUID": u}} for u in uids if u in self.series]
            ).encode()
        time.sleep(self.delay)
        said = json.loads(super().post(path, body, headers))
        from readingroom.nas_index.header import read_header

        header = read_header(lambda offset, size: body[offset : offset + size], len(body))
        self.series.setdefault(header.SeriesInstanceUID, {})[header.SOPInstanceUID] = said["ID"]
        return json.dumps(said | {"ParentSeries": f"id-{header.SeriesInstanceUID}"}).encode()

    def bytes_of(self, series: str) -> dict[str, bytes]:
        """What it keeps of a series."""
        return {uid: self.instances[i]["dicom"] for uid, i in self.series.get(series, {}).items()}


class Served:
    """A PACS over HTTP, for processes of their own."""

    def __init__(self, pacs: Pacs) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(lambda: pacs.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                tokens.append(self.headers.get("Authorization", ""))
                self._answer(lambda: pacs.post(self.path, body))

            def _answer(self, ask: Any) -> None:
                try:
                    status, said = 200, ask()
                except PacsNotFound:
                    status, said = 404, b"{}"
                except PacsError as error:
                    status, said = 500, json.dumps({"Message": error.message}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        tokens: list[str] = []
        self.tokens = tokens
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Site:
    """An application, a catalogued folder, and an Orthanc that a worker reaches by HTTP."""

    def __init__(self, folder: Path, url: str) -> None:
        self.nas = folder / "nas"
        self.pacs = SeriesPacs()
        self.served = Served(self.pacs)
        self.made = write_series(self.nas / "x", 12)
        self.settings = Settings.load(
            READINGROOM_DATA=folder / "data", DATABASE_URL=url, READINGROOM_ORTHANC_URL=self.served.url
        )
        configure(self.settings, {"name": "archive", "type": "local", "path": str(self.nas)})
        self.database = open_database(self.settings.database_url)
        migrate(self.database)
        self.index()
        self.room: Room = build(self.settings, SilentPacs(), SystemClock(), self.database)
        for role in ("staff", "student"):
            self.room.accounts.create(role, PASSWORD, (role,), None, BY)
        self.staff, self.student = self.person("staff"), self.person("student")

    def person(self, name: str) -> Person:
        client = self.room.app.test_client()
        token = client.post("/api/token/", json={"username": name, "password": PASSWORD}).get_json()["access"]
        return Person(client, name, {"Authorization": f"Bearer {token}"})

    def index(self) -> None:
        with open_source(str(self.nas)) as source:
            catalogue_source(self.database, "archive", "local", source)

    def work(self, pacs: Pacs | None = None) -> ImportWork:
        stopping = threading.Event()
        return ImportWork(self.settings, self.database, SystemClock(), pacs or self.pacs, stopping)

    def done_here(self, pacs: Pacs | None = None, stopping: bool = False) -> dict[str, Any]:
        """Import the series in this process."""
        work = self.work(pacs)
        job = work.jobs.begin(find(self.database, SERIES), "somebody")
        if stopping:
            work._stopping.set()
        files = SeriesFiles(self.settings, self.database)
        try:
            work.do(job, files)
        finally:
            files.close()
        return self.status()

    def status(self) -> dict[str, Any]:
        answer = self.staff.get(f"/api/series/{SERIES}/import")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def ended(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while (status := self.status())["state"] in ("queued", "running"):
            assert time.monotonic() < end, status
            time.sleep(0.1)
        return status

    def actions(self) -> list[str]:
        with self.database.read() as connection:
            events = events_of(self.database.is_postgresql)
            found = connection.scalars(select(events.c.action).order_by(events.c.id))
            return [each for each in found if each.startswith("index.series.import")]


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = Site(tmp_path, database_url)
    yield made
    made.served.server.shutdown()
    made.room.stop()


def test_a_series_is_brought_in_byte_for_byte_by_a_process_of_its_own(site: Site) -> None:
    assert site.status()["state"] == "none"
    answer = site.staff.post(f"/api/series/{SERIES}/import")
    assert answer.status_code == 202, answer.text
    status = site.ended()
    log = site.settings.data / "logs" / "series-import.log"
    assert status["state"] == "done", (status, log.read_text())
    assert status["jobId"] == answer.get_json()["jobId"]
    assert (status["done"], status["total"], status["failed"], status["alreadyThere"]) == (12, 12, 0, 0)
    assert status["bytes"] == status["bytesTotal"] == sum(map(len, site.made.values()))
    assert status["orthancSeriesId"] == f"id-{SERIES}"
    assert site.pacs.bytes_of(SERIES) == site.made
    assert all(token.startswith("Bearer ") for token in site.served.tokens)
    assert site.actions() == ["index.series.import.start", "index.series.import.finish"]


def test_two_imports_of_one_series_do_not_meet_and_one_can_be_called_off(site: Site) -> None:
    site.pacs.delay = 1.5  # so that it is under way for some seconds
    first = site.staff.post(f"/api/series/{SERIES}/import").get_json()["jobId"]
    again = site.staff.post(f"/api/series/{SERIES}/import")
    assert (again.status_code, again.get_json()["error"]) == (409, "import_running")
    assert again.get_json()["detail"] == {"jobId": first}
    end = time.monotonic() + PATIENCE
    while site.status()["state"] == "queued" and time.monotonic() < end:
        time.sleep(0.1)
    assert site.staff.post(f"/api/series/{SERIES}/import/cancel").status_code == 200
    status = site.ended()
    assert status["state"] == "cancelled"
    assert status["done"] < 12
    assert site.staff.post(f"/api/series/{SERIES}/import/cancel").status_code == 409


def test_what_is_there_already_is_not_read_again(site: Site) -> None:
    assert site.done_here()["state"] == "done"
    uploads = site.pacs.uploads()
    del site.pacs.series[SERIES][f"{SERIES}.5"]
    status = site.done_here()
    assert (status["state"], status["done"], status["alreadyThere"]) == ("done", 12, 12)
    assert site.pacs.uploads() == uploads + 1, "only what is missing is brought"


def test_each_file_that_cannot_be_brought_in_is_told_and_the_others_are_there(site: Site) -> None:
    places = sorted((site.nas / "x").iterdir())
    places[0].unlink()
    places[1].write_bytes(b"another file altogether")
    status = site.done_here()
    assert (status["state"], status["done"], status["failed"]) == ("done", 12, 2)
    assert {each["code"] for each in status["errors"]} == {"source_not_found", "source_changed"}
    assert status["message"] == "2 of 12 files could not be brought in."
    assert len(site.pacs.bytes_of(SERIES)) == 10


def test_a_copy_of_a_lost_file_takes_its_place(site: Site) -> None:
    write_series(site.nas / "y", 12)
    site.index()
    sorted((site.nas / "x").iterdir())[3].unlink()
    status = site.done_here()
    assert (status["state"], status["total"], status["failed"]) == ("done", 12, 0)
    assert site.pacs.bytes_of(SERIES) == site.made


def test_an_orthanc_in_trouble_ends_the_import_instead_of_failing_each_file(site: Site) -> None:
    def full(request: str) -> None:
        if request == "POST /instances":
            raise PacsError("Orthanc: the disk is full", detail={"orthancStatus": 507})

    site.pacs.mood = full
    status = site.done_here()
    assert (status["state"], status["message"]) == ("failed", "Orthanc: the disk is full")
    assert status["done"] < 12


def test_an_orthanc_that_goes_away_leaves_an_import_that_can_be_started_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readingroom.procedures.patience.PatientPacs.__init__.__defaults__", (0.2,))

    def away(request: str) -> None:
        if len(site.pacs.instances) >= 5:
            raise PacsUnreachable("Orthanc does not answer.")

    site.pacs.mood = away
    status = site.done_here()
    assert status["state"] == "interrupted"
    assert status["done"] >= 5
    site.pacs.mood = lambda _: None
    assert site.done_here()["state"] == "done"
    assert site.pacs.bytes_of(SERIES) == site.made


def test_a_source_that_is_away_says_so(site: Site) -> None:
    site.nas.rename(site.nas.with_name("unplugged"))
    status = site.done_here()
    assert status["state"] == "failed"
    assert site.pacs.uploads() == 0


def test_an_import_whose_process_was_killed_is_interrupted_and_free_again(site: Site) -> None:
    work = site.work()
    job = work.jobs.begin(find(site.database, SERIES), "somebody")
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        held = work.jobs._lifeline.held(job)
        held.__enter__()
        os.write(writing, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(reading, 1)
    with site.database.write() as connection:
        from readingroom.nas_index.import_tables import nas_import
        from sqlalchemy import update

        connection.execute(update(nas_import).values(state="running"))
    assert site.status()["state"] == "running"
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert site.status()["state"] == "interrupted"
    assert site.done_here()["state"] == "done"


def test_imports_that_waited_are_done_after_a_start(site: Site) -> None:
    site.work().jobs.begin(find(site.database, SERIES), "somebody")
    site.room.start()
    assert site.ended()["state"] == "done"


def test_who_may_not_run_the_index_may_not_import(site: Site) -> None:
    assert site.student.post(f"/api/series/{SERIES}/import").status_code == 403
    assert site.student.get(f"/api/series/{SERIES}/import").status_code == 403
    assert site.staff.post("/api/series/1.2.3/import").status_code == 404
    assert site.staff.get("/api/series/1.2.3/import").status_code == 404


def test_figures_keep_a_bounded_number_of_errors() -> None:
    figures = Figures(errors=[{"path": str(n), "code": "", "message": ""} for n in range(500)])
    assert len(json.loads(figures.columns()["errors"])) == 100


def test_a_page_of_series_is_one_question_and_changes_are_seen_at_once() -> None:
    pacs, clock = SeriesPacs(), FakeClock()
    there = InOrthanc(pacs, clock)
    uids = [f"1.2.{n}" for n in range(50)]
    pacs.series["1.2.7"] = {}
    assert there(uids) == {"1.2.7"}
    assert there(uids) == {"1.2.7"}
    assert pacs.asked == ["POST /tools/find"]
    pacs.series["1.2.8"] = {}
    there.arrived("id-1.2.8")
    assert there(uids) == {"1.2.7", "1.2.8"}
    del pacs.series["1.2.7"]
    there.deleted("id-1.2.7")
    assert there(uids) == {"1.2.8"}
    assert len(pacs.asked) == 3


def test_what_is_no_uid_is_never_a_wildcard_in_a_question() -> None:
    pacs = SeriesPacs()
    pacs.series["1.2"] = {}
    there = InOrthanc(pacs, FakeClock())
    assert there(["*", "1.2\\1.3", "1.?", "", "1.2.3\n"]) == set()
    assert pacs.asked == []


def test_search_goes_on_without_orthanc() -> None:
    assert InOrthanc(SilentPacs(), FakeClock())(["1.2.3"]) == set()
