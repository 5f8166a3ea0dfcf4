"""The cases' routes as students, staff and admins meet them."""

from __future__ import annotations

import uuid

import pytest
from readingroom.app import Room
from readingroom.audit.tables import events_of
from readingroom.cases import private_map
from readingroom.deidentify import Replacement
from sqlalchemy import select

from tests.factories import uid
from tests.fixtures.case_files import add_files
from tests.http.conftest import Person

CASES = "/api/bestof/cases"


def create(admin: Person, **fields: object) -> dict[str, object]:
    answer = admin.post(CASES, json={"examType": "MRI", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.get_json()
    return made


def actions_on(room: Room, case_id: str) -> list[str]:
    events = events_of(room.database.is_postgresql)
    with room.database.read() as connection:
        found = connection.scalars(select(events.c.action).where(events.c.entity_id == case_id).order_by(events.c.id))
        return list(found)


def test_a_created_case_has_exactly_the_fields_that_are_promised(admin: Person) -> None:
    made = create(admin, title="Torn meniscus", text="Twisted knee at football.")

    assert set(made) == {
        "id", "caseNumber", "examType", "title", "text", "published", "exists", "fileCount", "totalSizeBytes",
        "studyUids", "expectedPath", "withdrawn", "createdAt", "updatedAt", "identifiable",
    }  # fmt: skip
    assert made["examType"] == "MRI"
    assert made["expectedPath"] == f"bestof/MRI/{made['caseNumber']:04d}/"
    assert made["published"] is made["exists"] is made["withdrawn"] is False
    assert made["fileCount"] == made["totalSizeBytes"] == 0
    assert made["identifiable"] == {"patientNames": 0, "birthDates": 0, "burnedIn": 0}
    assert str(made["createdAt"]).endswith("Z")


def test_a_student_sees_a_published_case_without_the_admins_figures(room: Room, admin: Person, student: Person) -> None:
    made = create(admin, title="Scaphoid fracture")
    add_files(room.database, str(made["id"]), 3, size=500)
    admin.put(f"{CASES}/{made['id']}", json={"published": True})

    seen = student.get(f"{CASES}/{made['id']}").get_json()

    assert (seen["exists"], seen["fileCount"], seen["totalSizeBytes"]) == (True, 3, 1500)
    assert seen["studyUids"] == [uid("study", made["id"])]
    assert "identifiable" not in seen
    listed = student.get(f"{CASES}?q=scaphoid").get_json()
    assert listed == {"items": [seen], "total": 1}


@pytest.mark.parametrize("who", ["student", "staff"])
def test_an_unpublished_case_is_the_same_404_as_none_at_all(people: dict[str, Person], who: str) -> None:
    hidden = create(people["admin"], title="Still being written")
    person = people[who]

    there = person.get(f"{CASES}/{hidden['id']}")
    nowhere = person.get(f"{CASES}/{uuid.uuid4()}")

    assert there.status_code == nowhere.status_code == 404
    drop = ("request_id",)
    assert {k: v for k, v in there.get_json().items() if k not in drop} == {
        k: v for k, v in nowhere.get_json().items() if k not in drop
    }
    assert person.get(f"{CASES}?q=still+being&published=false").get_json() == {"items": [], "total": 0}


def test_the_next_number_is_the_one_that_the_next_case_gets(admin: Person) -> None:
    foretold = admin.get(f"{CASES}/next-number").get_json()["caseNumber"]

    assert create(admin)["caseNumber"] == foretold


def test_a_taken_number_is_a_conflict_that_names_the_next_free_one(admin: Person) -> None:
    taken = create(admin)["caseNumber"]

    answer = admin.post(CASES, json={"examType": "CT", "caseNumber": taken})

    assert answer.status_code == 409
    assert answer.get_json()["error"] == "case_number_taken"
    free = answer.get_json()["detail"]["nextNumber"]
    assert create(admin, caseNumber=free)["caseNumber"] == free


def test_a_withdrawn_number_is_never_given_again(admin: Person, student: Person) -> None:
    made = create(admin, published=True)
    assert admin.delete(f"{CASES}/{made['id']}").status_code == 204

    assert admin.post(CASES, json={"examType": "MRI", "caseNumber": made["caseNumber"]}).status_code == 409
    assert create(admin)["caseNumber"] != made["caseNumber"]
    assert student.get(f"{CASES}/{made['id']}").status_code == 404
    assert admin.get(f"{CASES}/{made['id']}").get_json()["withdrawn"] is True
    assert admin.put(f"{CASES}/{made['id']}", json={"title": "again"}).get_json()["error"] == "conflict"


def test_a_case_is_edited_field_by_field(admin: Person) -> None:
    made = create(admin, title="Before", text="Unchanged")
    number = admin.get(f"{CASES}/next-number").get_json()["caseNumber"] + 12_000

    edited = admin.put(
        f"{CASES}/{made['id']}", json={"title": "After", "examType": "CT", "caseNumber": number}
    ).get_json()

    assert (edited["title"], edited["text"]) == ("After", "Unchanged")
    assert edited["expectedPath"] == f"bestof/CT/{number}/"


@pytest.mark.parametrize("query", ["hämatom", "HAMATOM", "rechts", "hamatom subdural", "{number}", "{padded}"])
def test_a_case_is_found_by_words_of_its_title_text_and_number(admin: Person, query: str) -> None:
    made = create(admin, title="Subdurales Hämatom", text="Sturz auf die Schläfe rechts", examType="CT")
    asked = query.format(number=made["caseNumber"], padded=f"{made['caseNumber']:04d}")

    found = admin.get(CASES, query_string={"q": asked, "limit": 500}).get_json()

    assert made["id"] in [case["id"] for case in found["items"]]
    assert made["id"] not in [
        c["id"] for c in admin.get(CASES, query_string={"q": f"{asked} 100%"}).get_json()["items"]
    ]


def test_a_list_is_paged_by_number_and_narrowed(admin: Person) -> None:
    made = [create(admin, title="Paged echo", examType="Echo")["caseNumber"] for _ in range(5)]

    first = admin.get(f"{CASES}?q=paged&examType=Echo&limit=2").get_json()
    last = admin.get(f"{CASES}?q=paged&examType=Echo&limit=2&offset=4").get_json()

    assert [case["caseNumber"] for case in first["items"]] == made[:2]
    assert [case["caseNumber"] for case in last["items"]] == made[4:]
    assert first["total"] == last["total"] == 5
    assert admin.get(f"{CASES}?q=paged&examType=CT").get_json()["total"] == 0
    assert admin.get(f"{CASES}?q=paged&published=true").get_json()["total"] == 0


def test_a_filter_that_is_left_empty_narrows_nothing(admin: Person) -> None:
    everything = admin.get(CASES).get_json()["total"]

    assert admin.get(f"{CASES}?examType=&q=&published=&limit=1").get_json()["total"] == everything


def test_publishing_identifiable_headers_needs_an_explicit_word(room: Room, admin: Person, student: Person) -> None:
    made = create(admin)
    add_files(room.database, str(made["id"]), 2, has_patient_name=True, has_birth_date=True)

    refused = admin.put(f"{CASES}/{made['id']}", json={"published": True})

    assert refused.status_code == 409
    assert refused.get_json()["error"] == "case_identifiable"
    assert refused.get_json()["detail"] == {"patientNames": 2, "birthDates": 2, "burnedIn": 0}
    assert student.get(f"{CASES}/{made['id']}").status_code == 404

    shown = admin.put(f"{CASES}/{made['id']}", json={"published": True, "confirmIdentifiable": True})

    assert shown.status_code == 200
    assert student.get(f"{CASES}/{made['id']}").status_code == 200
    assert actions_on(room, str(made["id"])) == [
        "cases.case.create",
        "cases.case.publish",  # refused
        "cases.case.publish",
        "cases.case.view",
    ]


def test_every_act_leaves_an_event(room: Room, admin: Person) -> None:
    made = create(admin)
    place = f"{CASES}/{made['id']}"
    admin.put(place, json={"title": "New", "published": True})
    admin.put(place, json={"title": "New"})  # no change, no event
    admin.put(place, json={"published": False})
    admin.delete(place)
    admin.delete(place)

    assert actions_on(room, str(made["id"])) == [
        "cases.case.create",
        "cases.case.change",
        "cases.case.publish",
        "cases.case.unpublish",
        "cases.case.withdraw",
    ]


def test_exam_types_begin_with_three_and_more_can_be_added(admin: Person, student: Person) -> None:
    names = [kind["name"] for kind in student.get("/api/bestof/exam-types").get_json()["items"]]
    assert names[:3] == ["MRI", "CT", "Echo"]

    made = admin.post("/api/bestof/exam-types", json={"name": "X-Ray"})

    assert made.status_code == 201
    assert create(admin, examType="X-Ray")["expectedPath"].startswith("bestof/X-Ray/")  # type: ignore[attr-defined]
    assert admin.post("/api/bestof/exam-types", json={"name": "x-ray"}).status_code == 409


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "NUL", "tab\t", " CT ", "x" * 65, "C:", "dot."])
def test_an_exam_type_that_no_folder_can_carry_is_refused(admin: Person, name: str) -> None:
    assert admin.post("/api/bestof/exam-types", json={"name": name}).status_code == 400


def test_the_private_map_is_for_admins_and_looking_is_audited(room: Room, admin: Person, student: Person) -> None:
    made = create(admin, published=True)
    case_id = str(made["id"])
    pairs = [Replacement("PatientID", "4711", "ABC"), Replacement("PatientName", "Doe^Jane", "")]
    for _ in range(2):  # as a re-import does
        with room.database.write() as connection:
            private_map.remember(connection, case_id, pairs)

    assert student.get(f"{CASES}/{case_id}/deidentification").status_code == 403
    found = admin.get(f"{CASES}/{case_id}/deidentification").get_json()

    assert found["total"] == 2
    assert found["items"][1] == {"kind": "PatientName", "original": "Doe^Jane", "replacement": ""}
    assert "cases.deidentification.read" in actions_on(room, case_id)
    events = events_of(room.database.is_postgresql)
    with room.database.read() as connection:
        assert not [text for text in connection.scalars(select(events.c.payload)) if "Doe" in text]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"examType": "PET"},
        {"examType": "MRI", "caseNumber": 0},
        {"examType": "MRI", "caseNumber": 10**9},
        {"examType": "MRI", "title": "x" * 201},
        {"examType": "MRI", "title": "a\0b"},
        {"examType": "MRI", "colour": "red"},
    ],
)
def test_a_case_that_does_not_fit_is_refused_in_words(admin: Person, body: dict[str, object]) -> None:
    answer = admin.post(CASES, json=body)

    assert answer.status_code == 400
    assert answer.get_json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", CASES, {"examType": "MRI"}),
        ("put", f"{CASES}/x", {"title": "mine"}),
        ("delete", f"{CASES}/x", None),
        ("get", f"{CASES}/next-number", None),
        ("get", f"{CASES}/x/deidentification", None),
        ("post", "/api/bestof/exam-types", {"name": "PET"}),
    ],
)
def test_only_an_admin_changes_cases(people: dict[str, Person], method: str, path: str, body: object) -> None:
    options = {"json": body} if body is not None else {}
    assert getattr(people["nobody"], method)(path, **options).status_code == 401
    for who in ("student", "staff", "clinician"):
        assert getattr(people[who], method)(path, **options).status_code == 403
