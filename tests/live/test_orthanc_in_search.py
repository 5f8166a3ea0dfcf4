"""What Orthanc has is found by the same search as what lies on the NAS: at once, counted right, gone when it is."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from tests.factories import ct_series, ct_slices
from tests.fixtures.instance import LiveInstance, NewInstance, running
from tests.fixtures.live_cases import store
from tests.fixtures.postgres import Postgres

PATIENCE = 90.0


class Finding:
    """An instance that may index a folder, and what its search says."""

    def __init__(self, live: LiveInstance, root: Path, role: str = "staff") -> None:
        self.live = live
        self.root = root
        self.staff = live.client(role)
        self.orthanc = live.orthanc()

    def search(self, words: str, **more: str) -> list[dict[str, Any]]:
        """What is found."""
        answer = self.staff.get("/api/search", params={"q": words, **more})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])

    def until(self, words: str, true: Callable[[list[dict[str, Any]]], bool], **more: str) -> list[dict[str, Any]]:
        """The same as soon as it is so."""
        end = time.monotonic() + PATIENCE
        while not true(found := self.search(words, **more)):
            assert time.monotonic() < end, found
            time.sleep(0.2)
        return found

    def one(self, words: str, files: int) -> dict[str, Any]:
        """The one series that is found, with so many files."""
        (found,) = self.until(words, lambda some: [each["file_count"] for each in some] == [files])
        return found

    def index(self) -> None:
        """Index the folder, to the end."""
        assert self.staff.post("/api/index/start", json={"path": str(self.root)}).status_code == 202
        end = time.monotonic() + PATIENCE
        while (status := self.staff.get("/api/index/status").json())["running"]:
            assert time.monotonic() < end, status
            time.sleep(0.2)
        assert status["state"] == "done", status


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def finding(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[Finding]:
    root = tmp_path_factory.mktemp("nas")
    url = postgres.new_database() if request.param == "postgresql" else ""
    with running(tmp_path_factory.mktemp("instance") / "data", NAS_ALLOWED_ROOTS=str(root), DATABASE_URL=url) as live:
        yield Finding(live, root)


def numbered(files: list[bytes]) -> list[tuple[str, bytes]]:
    return [(str(number), file) for number, file in enumerate(files)]


def uid(file: bytes) -> str:
    return str(pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True).SeriesInstanceUID)


def test_a_series_that_arrives_is_found_and_counted_as_it_grows(finding: Finding) -> None:
    files = list(
        ct_slices(
            5, 16, 16, name="arrives", PatientName="Müller^Ängela", PatientID="ARR-1", InstitutionName="Netcare Milpark"
        )
    )
    first, second, *others = numbered(files)
    store(finding.live, [first, numbered(files)[2]], workers=1)
    found = finding.one("angela MULLER", 2)
    assert found["source"] == "Orthanc"
    assert found["in_orthanc"] is True
    assert found["source_online"] is True
    assert found["PatientName"] == "Müller^Ängela"
    assert found["SeriesInstanceUID"] == uid(files[0])
    assert found["hospital_group"] == "Netcare", "the site's profile reads it as it reads the NAS"
    assert found["integrity"] == "gaps", "the second image is missing"

    store(finding.live, [second, *others[1:]], workers=1)
    found = finding.one(uid(files[0]), 5)
    finding.until(uid(files[0]), lambda some: some[0]["integrity"] == "complete")
    assert found["size_bytes"] == sum(map(len, files))
    detail = finding.staff.get(f"/api/series/{found['SeriesKey']}").json()
    assert [each["instance_number"] for each in detail["files"]] == [1, 2, 3, 4, 5]
    assert finding.search("ARR-1", source="Orthanc") == finding.search("ARR-1")
    assert finding.search("ARR-1", source="nowhere") == []

    link = finding.staff.post("/share/create", json={"series_key": found["SeriesKey"]})
    assert link.status_code in (200, 201), link.text


def test_what_orthanc_deletes_is_found_no_more(finding: Finding) -> None:
    files = list(ct_slices(4, 16, 16, name="goes", PatientName="Leaving^Soon"))
    stored = store(finding.live, numbered(files), workers=1)
    finding.one("leaving", 4)
    assert finding.orthanc.delete(f"/instances/{stored[0]['orthanc_id']}").status_code == 200
    finding.one("leaving", 3)
    series = finding.orthanc.get(f"/instances/{stored[1]['orthanc_id']}/series").json()["ID"]
    assert finding.orthanc.delete(f"/series/{series}").status_code == 200
    finding.until("leaving", lambda some: some == [])
    # And it may come again.
    store(finding.live, numbered(files), workers=1)
    finding.one("leaving", 4)


def test_a_series_that_lies_on_the_nas_too_is_listed_once(finding: Finding) -> None:
    ct_series(finding.root / "ct", 3, 16, 16, name="both", PatientName="Twice^There")
    files = [each.read_bytes() for each in sorted((finding.root / "ct").iterdir())]
    store(finding.live, numbered(files), workers=1)
    assert finding.one("twice", 3)["source"] == "Orthanc"
    finding.index()
    (found,) = finding.until("twice", lambda some: [each["source"] for each in some] == [str(finding.root)])
    assert (found["in_orthanc"], found["also_on"]) == (True, [])
    (here,) = finding.search("twice", source="Orthanc")
    assert here["also_on"] == [str(finding.root)]
    names = [each["name"] for each in finding.staff.get("/api/index/sources").json()["items"]]
    assert "Orthanc" not in names, "it is nothing that can be indexed"

    series = finding.orthanc.post("/tools/lookup", data=found["SeriesInstanceUID"]).json()[0]["ID"]
    assert finding.orthanc.delete(f"/series/{series}").status_code == 200
    finding.until("twice", lambda some: [each["in_orthanc"] for each in some] == [False])
    finding.until("twice", lambda some: some == [], source="Orthanc")
    assert finding.one("twice", 3)["source"] == str(finding.root)


def test_a_catalogue_that_knows_nothing_learns_what_is_there(new_instance: NewInstance, tmp_path: Path) -> None:
    live = new_instance()
    store(live, numbered(list(ct_slices(3, 16, 16, name="before", PatientName="Early^Bird"))), workers=1)
    Finding(live, tmp_path, "admin").one("early", 3)
    live.stop()
    for each in live.data.glob("readingroom.db*"):
        each.unlink()
    live.start()
    Finding(live, tmp_path, "admin").one("early", 3)


def test_no_source_of_the_nas_is_called_as_orthanc_is(finding: Finding) -> None:
    wish = {"sources": [{"name": "orthanc", "type": "local", "path": str(finding.root)}]}
    answer = finding.live.admin.put("/api/nas/config", json=wish)
    assert answer.status_code == 400, answer.text
    assert "Orthanc is the name" in answer.text
