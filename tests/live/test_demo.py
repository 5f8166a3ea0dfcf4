"""`scripts/serve --demo` on a real instance: the first look shows something, and a second run changes nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.instance import Client, LiveInstance, running


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    with running(tmp_path_factory.mktemp("demo") / "data", "--demo") as filled:
        yield filled


def person(live: LiveInstance, name: str) -> Client:
    return Client(live.url, name, (live.data / "secrets" / f"demo_{name}_password").read_text().strip())


def cases_of(client: Client) -> dict[int, dict[str, object]]:
    answer = client.get("/api/bestof/cases")
    assert answer.status_code == 200, answer.text
    return {case["caseNumber"]: case for case in answer.json()["items"]}


def test_a_student_finds_cases_worth_opening(live: LiveInstance) -> None:
    found = cases_of(person(live, "student"))

    assert len(found) == 6
    assert all(case["title"] and case["text"] for case in found.values())
    assert found[1]["fileCount"] == 107
    assert [number for number, case in found.items() if not case["exists"]] == [7]


def test_an_admin_sees_one_more_that_waits_for_a_word(live: LiveInstance) -> None:
    found = cases_of(live.admin)

    waiting = [case for case in found.values() if not case["published"]]
    assert [case["identifiable"]["patientNames"] for case in waiting] == [2]  # type: ignore[index]
    answer = live.admin.put(f"/api/bestof/cases/{waiting[0]['id']}", json={"published": True})
    assert (answer.status_code, answer.json()["error"]) == (409, "case_identifiable")


def test_staff_finds_patients_of_the_sample_nas_in_any_script(live: LiveInstance) -> None:
    staff = person(live, "staff")
    for words, name in (("tarou yamada", "Yamada"), ("анна", "Иванова"), ("milpark", "van der Merwe"), ("حسن", "حسن")):
        (found,) = staff.get(f"/api/search?q={words}").json()["results"]
        assert found["PatientName"].startswith(name), found
        assert (found["integrity"], found["source"]) == ("complete", "demo")


def test_a_clinic_finds_pictures_of_its_patient_in_each_kind(live: LiveInstance) -> None:
    clinician = person(live, "clinician")
    found = clinician.get("/imaging/studies?patientId=1").json()["items"]

    assert [study["kind"] for study in found] == ["DOCUMENT", "PHOTO", "XRAY_BWX"]
    for asset in [asset for study in found for asset in study["assets"]]:
        thumb = clinician.get(asset["thumbUrl"])
        assert (thumb.status_code, thumb.headers["Content-Type"]) == (200, "image/webp")


def test_deidentified_samples_keep_their_way_back_for_admins(live: LiveInstance) -> None:
    vertebra = cases_of(live.admin)[4]

    answer = live.admin.get(f"/api/bestof/cases/{vertebra['id']}/deidentification")

    names = [entry["original"] for entry in answer.json()["items"] if entry["kind"] == "PatientName"]
    assert names == ["CompressedSamples^CT1"]


def test_a_sample_case_can_be_downloaded(live: LiveInstance) -> None:
    student = person(live, "student")
    first = cases_of(student)[1]

    answer = student.get(f"/api/bestof/dicoms/download?caseId={first['id']}")

    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == first["fileCount"]


def test_a_second_run_leaves_everything_as_people_left_it(live: LiveInstance) -> None:
    second = cases_of(live.admin)[2]
    hidden = {"title": "Edited by an admin", "published": False}
    live.admin.put(f"/api/bestof/cases/{second['id']}", json=hidden)
    secrets = {path.name: path.read_text() for path in (live.data / "secrets").iterdir()}

    live.restart()  # with --demo, as it was started

    assert {path.name: path.read_text() for path in (live.data / "secrets").iterdir()} == secrets
    found = cases_of(live.admin)
    assert len(found) == 7
    assert {name: found[2][name] for name in hidden} == hidden


def test_no_demo_password_lies_open(live: LiveInstance) -> None:
    for name in ("student", "staff", "clinician"):
        place: Path = live.data / "secrets" / f"demo_{name}_password"
        assert place.stat().st_mode & 0o777 == 0o600
        assert len(place.read_text().strip()) >= 16
