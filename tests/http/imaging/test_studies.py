"""Studies are made, listed and looked at within their clinic, and every act leaves its event."""

from __future__ import annotations

from typing import Any

import pytest
from readingroom.app import Room, build
from readingroom.clock import SystemClock
from readingroom.db import open_database
from readingroom.errors import SettingsError
from readingroom.imaging.clinics import Patients
from readingroom.settings import Settings
from sqlalchemy import text

from tests.http.conftest import Person, SilentPacs

BITEWING = {
    "patientId": 345,
    "kind": "XRAY_BWX",
    "title": "BWX",
    "capturedAt": "2026-02-09T15:30:12Z",
    "source": "schick-bridge",
}


def made(person: Person, **fields: Any) -> int:
    answer = person.post("/imaging/studies", json=BITEWING | fields)
    assert answer.status_code == 201, answer.text
    assert list(answer.get_json()) == ["studyId"]
    return int(answer.get_json()["studyId"])


def events(admin: Person, action: str, entity: object = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = admin.get(f"/api/audit?action={action}&limit=500").get_json()["items"]
    return [each for each in found if entity is None or each["entityId"] == str(entity)]


def test_a_study_is_made_and_told_as_it_was_sent(anna: Person, admin: Person) -> None:
    study = made(anna)
    answer = anna.get(f"/imaging/studies/{study}").get_json()
    assert answer == {
        "id": study,
        "patientId": 345,
        "kind": "XRAY_BWX",
        "title": "BWX",
        "capturedAt": "2026-02-09T15:30:12.000Z",
        "source": "schick-bridge",
        "createdAt": answer["createdAt"],
        "assets": [],
    }
    (event,) = events(admin, "imaging.study.create", study)
    assert (event["actor"], event["clinic"], event["payload"]) == (
        "anna",
        "12",
        {"kind": "XRAY_BWX", "patient_id": 345},
    )
    assert len(events(admin, "imaging.study.view", study)) == 1


def test_a_study_without_a_moment_was_captured_now(anna: Person) -> None:
    study = made(anna, capturedAt=None, title=None, source=None)
    answer = anna.get(f"/imaging/studies/{study}").get_json()
    assert (answer["capturedAt"], answer["title"]) == (answer["createdAt"], None)


def test_a_patient_s_studies_come_last_captured_first_page_by_page(anna: Person, admin: Person) -> None:
    ids = [made(anna, patientId=700, capturedAt=f"2026-03-0{day}T08:00:00+02:00") for day in (2, 1, 3)]
    answer = anna.get("/imaging/studies?patientId=700").get_json()
    assert (answer["total"], [each["id"] for each in answer["items"]]) == (3, [ids[2], ids[0], ids[1]])
    assert answer["items"][0]["capturedAt"] == "2026-03-03T06:00:00.000Z"
    page = anna.get("/imaging/studies?patientId=700&limit=1&offset=1").get_json()
    assert (page["total"], [each["id"] for each in page["items"]]) == (3, [ids[0]])
    assert anna.get("/imaging/studies?patientId=701").get_json() == {"items": [], "total": 0}
    everybodys = anna.get("/imaging/studies?limit=500").get_json()
    assert [each["id"] for each in everybodys["items"]][:3] == ids[::-1]  # the last made first
    assert len(events(admin, "imaging.study.list", 700)) == 1  # folded: it was listed twice


def test_another_clinic_s_studies_are_not_there(anna: Person, adam: Person, ben: Person) -> None:
    study = made(anna)
    assert adam.get(f"/imaging/studies/{study}").status_code == 200
    not_mine, not_there = ben.get(f"/imaging/studies/{study}"), ben.get("/imaging/studies/99999999")
    assert not_mine.status_code == not_there.status_code == 404
    assert {**not_mine.get_json(), "request_id": ""} == {**not_there.get_json(), "request_id": ""}
    assert study not in {each["id"] for each in ben.get("/imaging/studies?patientId=345").get_json()["items"]}


def test_who_belongs_to_no_clinic_is_told_so(clinicless: Person, admin: Person) -> None:
    for person in (clinicless, admin):
        for answer in (
            person.post("/imaging/studies", json=BITEWING),
            person.get("/imaging/studies"),
            person.get("/imaging/studies/1"),
        ):
            assert (answer.status_code, answer.get_json()["error"]) == (403, "no_clinic")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("patientId", 0),
        ("patientId", -3),
        ("patientId", "Anna"),
        ("patientId", 1 << 63),
        ("patientId", None),
        ("kind", "bite wing"),
        ("kind", ""),
        ("kind", "X" * 65),
        ("title", "x" * 201),
        ("title", "a\x00b"),
        ("title", "a\nb"),
        ("capturedAt", "yesterday"),
        ("capturedAt", "2026-02-09T15:30:12"),
        ("capturedAt", "0001-01-01T00:00:00+14:00"),
        ("capturedAt", "9999-12-31T23:59:59-14:00"),
        ("clinicId", 13),
        ("source", "\ud800"),
    ],
)
def test_a_study_that_cannot_be_is_a_400_that_names_the_field(anna: Person, field: str, value: object) -> None:
    answer = anna.post("/imaging/studies", json=BITEWING | {field: value})
    assert answer.status_code == 400, answer.text
    if value != "\ud800":  # no JSON at all, to whoever reads it strictly
        assert field in answer.get_json()["message"]


@pytest.mark.parametrize("path", ["x", "0", "-1", "1.5", "1e3", "٣", "9" * 30, str(1 << 63)])
def test_what_can_be_no_number_of_a_study_is_not_there(anna: Person, path: str) -> None:
    assert anna.get(f"/imaging/studies/{path}").status_code == 404


def test_a_site_s_table_of_patients_says_whose_a_patient_is(room: Room, anna: Person, ben: Person) -> None:
    schema = "public." if room.database.is_postgresql else ""
    with room.database.write() as connection:
        connection.execute(text(f"CREATE TABLE {schema}patient (id bigint PRIMARY KEY, clinic_id bigint, name text)"))
        connection.execute(text(f"INSERT INTO {schema}patient VALUES (1, 12, 'x'), (2, 13, 'y')"))
    settings = Settings.load(
        READINGROOM_DATA="/nowhere", DATABASE_URL=str(room.database.engine.url.render_as_string(hide_password=False)),
        JWT_SECRET="s" * 32, READINGROOM_GATEWAY_SECRET="g", IMAGING_PATIENT_TABLE=f"{schema}patient",
    )  # fmt: skip
    other = build(settings, SilentPacs(), SystemClock(), open_database(settings.database_url))
    try:
        client = other.app.test_client()
        for name, own, foreign in (("anna", 1, 2), ("ben", 2, 1)):
            token = client.post("/api/token/", json={"username": name, "password": "a long enough passphrase"})
            person = Person(client, name, {"Authorization": f"Bearer {token.get_json()['access']}"})
            assert made(person, patientId=own)
            assert person.get(f"/imaging/studies?patientId={own}").status_code == 200
            for patient in (foreign, 3):
                answer = person.post("/imaging/studies", json=BITEWING | {"patientId": patient})
                assert (answer.status_code, answer.get_json()["message"]) == (404, "There is no such patient.")
                assert person.get(f"/imaging/studies?patientId={patient}").status_code == 404
    finally:
        other.stop()


@pytest.mark.parametrize("name", ["no_such_table", "patient; DROP TABLE x", "a.b.c", "account"])
def test_a_table_of_patients_that_cannot_be_asked_is_told_at_the_start(room: Room, name: str) -> None:
    with pytest.raises(SettingsError, match="IMAGING_PATIENT_TABLE"):
        Patients(room.database, name)
