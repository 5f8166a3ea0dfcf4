"""Who sees what by the viewer's routes in a real instance: staff, students, holders of links and of copies."""

from __future__ import annotations

import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pydicom
import pytest
import requests

from tests.factories import ct_slices
from tests.fixtures.live_cases import store
from tests.fixtures.viewing import COUNT, Viewing, pixels, series_of, study_of

HTML = {"Accept": "text/html,*/*;q=0.8", "User-Agent": "Mozilla/5.0 (X11; Linux) Test"}


def addresses(viewing: Viewing, name: str, study: str = "mixed") -> list[str]:
    one = viewing.series(name, study)
    return [f"{one}/manifest", f"{one}/images/bulk", f"{one}/thumbnail"]


def test_a_student_sees_the_series_of_a_published_case_and_no_others(viewing: Viewing) -> None:
    listed = viewing.student.get(f"/api/pacs/studies/{viewing.case_study}/series/")
    assert [each["seriesNumber"] for each in listed.json()["series"]] == [1]
    for path in addresses(viewing, "case", "case"):
        assert viewing.student.get(path).status_code == 200
    told = viewing.student.get(f"{viewing.series('case', 'case')}/manifest").json()
    handle = told["instances"]["handle"][0]
    assert viewing.student.get(f"/api/pacs/instances/{handle}/file").status_code == 200
    assert told["patient"]["name"] == ""
    # Never imported, or of a study that is nobody's case: not there.
    hidden = viewing.manifest("far")["instances"]["handle"][0]
    strange = viewing.manifest("here")["instances"]["handle"][0]
    for path in (
        *addresses(viewing, "kept back", "case"),
        *addresses(viewing, "here"),
        *addresses(viewing, "far"),
        f"/api/pacs/instances/{hidden}/file",
        f"/api/pacs/instances/{strange}/frames/1",
        f"/api/pacs/studies/{viewing.study}/series/",
        f"/api/pacs/studies/{viewing.study}/image-ids/",
    ):
        answer = viewing.student.get(path)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), path
    listed = viewing.staff.get(f"/api/pacs/studies/{viewing.case_study}/series/")
    assert [each["seriesNumber"] for each in listed.json()["series"]] == [1, 7]


def test_no_answer_tells_what_is_not_yours_from_what_is_not_there(viewing: Viewing) -> None:
    def said(path: str) -> tuple[int, dict[str, object]]:
        answer = viewing.student.get(path)
        return answer.status_code, {k: v for k, v in answer.json().items() if k != "request_id"}

    strange = viewing.manifest("here")["instances"]["handle"][0]
    unknown = re.sub(r"^.{8}", "00000000", strange)
    assert said(f"/api/pacs/instances/{strange}/file") == said(f"/api/pacs/instances/{unknown}/file")
    assert said(f"{viewing.series('here')}/manifest") == said("/api/pacs/studies/1.2/series/1.2.3/manifest")
    assert said(f"/api/pacs/studies/{viewing.study}/series/") == said("/api/pacs/studies/1.2/series/")


@pytest.mark.parametrize("name", ["here", "far"])
def test_a_link_s_holder_sees_its_series_alone(viewing: Viewing, name: str) -> None:
    uid = series_of(name, "mixed")
    link = viewing.staff.post("/share/create", json={"series_key": uid}).json()
    guest = requests.Session()
    guest.trust_env = False
    base = viewing.live.url
    assert guest.get(f"{base}{addresses(viewing, name)[0]}", timeout=60).status_code == 401
    guest.get(f"{base}/share/{link['token']}", headers=HTML, timeout=60, allow_redirects=False)
    for path in addresses(viewing, name):
        assert guest.get(f"{base}{path}", timeout=60).status_code == 200, path
    listed = guest.get(f"{base}/api/pacs/studies/{viewing.study}/series/", timeout=60).json()["series"]
    assert [each["seriesUid"] for each in listed] == [uid]
    assert listed[0]["source"] == ""
    assert guest.get(f"{base}{listed[0]['firstImageUrl']}", timeout=60).status_code == 200
    ids = guest.get(f"{base}/api/pacs/studies/{viewing.study}/image-ids/", timeout=60).json()
    assert ids["total"] == COUNT
    other = "far" if name == "here" else "here"
    foreign = viewing.manifest(other)["instances"]["handle"][0]
    for path in (*addresses(viewing, other), f"/api/pacs/instances/{foreign}/file"):
        assert guest.get(f"{base}{path}", timeout=60).status_code == 404, path
    viewing.staff.delete(f"/api/shares/{link['id']}")
    assert guest.get(f"{base}{addresses(viewing, name)[0]}", timeout=60).status_code == 401


def test_the_holder_of_a_de_identified_copy_sees_the_copy_and_not_what_it_was_made_of(viewing: Viewing) -> None:
    wish = {"series_key": series_of("here", "mixed"), "deidentified": True}
    link = viewing.staff.post("/share/create", json=wish).json()
    base, guest = viewing.live.url, requests.Session()
    guest.trust_env = False
    end = time.monotonic() + 120
    while (made := state_of(viewing, link["id"])) != "ready":
        assert made != "failed" and time.monotonic() < end, made
        time.sleep(0.3)
    guest.get(f"{base}/share/{link['token']}", headers=HTML, timeout=60, allow_redirects=False)
    copy = pydicom.dcmread(viewing.live.data / "shares" / link["id"] / "0001.dcm")
    one = f"/api/pacs/studies/{copy.StudyInstanceUID}/series/{copy.SeriesInstanceUID}"
    told = guest.get(f"{base}{one}/manifest", timeout=60).json()
    assert (told["place"], told["frameCount"]) == ("copy", COUNT)
    assert told["patient"]["name"] != "Doe^Jane" and told["studyUid"] != viewing.study
    handle = told["instances"]["handle"][told["frames"]["instance"][0]]
    assert handle.startswith("copy-")
    frame = guest.get(f"{base}/api/pacs/instances/{handle}/frames/1", timeout=60)
    assert frame.content == pixels(viewing.files["here"][0])
    assert guest.get(f"{base}{viewing.series('here')}/manifest", timeout=60).status_code == 404
    listed = guest.get(f"{base}/api/pacs/studies/{copy.StudyInstanceUID}/series/", timeout=60).json()["series"]
    assert [each["seriesUid"] for each in listed] == [str(copy.SeriesInstanceUID)]


def state_of(viewing: Viewing, link: str) -> str:
    listed = viewing.staff.get("/api/shares").json()["items"]
    return str(next(each["copy_state"] for each in listed if each["id"] == link))


def test_what_was_looked_at_is_in_the_trail_once(viewing: Viewing) -> None:
    for _ in range(5):
        viewing.manifest("both")
        viewing.staff.get(f"{viewing.series('both')}/images/bulk")
    with sqlite3.connect(viewing.live.data / "readingroom.db") as database:
        asked = (
            "SELECT action, count(*) FROM audit_event WHERE action LIKE 'viewer.%' GROUP BY action, entity_id, actor"
        )
        found = database.execute(asked).fetchall()
    assert {action for action, _ in found} >= {"viewer.study.list", "viewer.series.view", "viewer.file.read"}
    assert all(count == 1 for _, count in found)


def test_thirty_who_open_a_series_each_at_once_are_all_answered(viewing: Viewing) -> None:
    files = [file for n in range(30) for file in ct_slices(5, 16, 16, name=f"crowd {n}", study="crowd")]
    store(viewing.live, ((f"{at}", file) for at, file in enumerate(files)))
    # Signed in once: who signs in thirty times within a minute is told to wait.
    clients = [viewing.live.client() for _ in range(30)]
    token = viewing.live.client("staff").token()
    for each in clients:
        each.headers["Authorization"] = f"Bearer {token}"

    def opened(n: int) -> tuple[int, int]:
        one = f"/api/pacs/studies/{study_of('crowd')}/series/{series_of(f'crowd {n}', 'crowd')}"
        answer = clients[n].get(f"{one}/manifest")
        return answer.status_code, answer.json().get("frameCount")

    with ThreadPoolExecutor(30) as crew:
        assert list(crew.map(opened, range(30))) == [(200, 5)] * 30
