"""A clinic's rows are not there for another clinic: every route, with every id of theirs, on both databases."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from readingroom.app import Room, build
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.identity import ANONYMOUS, Caller
from readingroom.imaging.tables import imaging_asset, imaging_study, imaging_upload
from readingroom.objects import NfsStore
from readingroom.settings import Settings
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from tests.http.conftest import Person, SilentPacs
from tests.http.imaging.pictures_drawn import filed, form, png, study
from tests.http.imaging.stand_ins import PicturesOnDemand

NOT_THERE = {"study_id": "99999999", "asset_id": "99999999", "upload_id": "00000000-0000-4000-8000-000000000000"}

BEGIN = {"patientId": 345, "modality": "XRAY", "mimeType": "image/png", "totalBytes": 1000}

SENT: dict[str, dict[str, Any]] = {
    "PUT /imaging/uploads/<upload_id>/chunks": {"query_string": {"offset": 0}, "data": png()[:500]},
    "POST /imaging/uploads/<upload_id>/complete": {"json": {"totalBytes": 1000}},
    "POST /imaging/assets/<asset_id>/dicom": {"json": {}},
}
"""What goes along with a request whose address names a row."""

IN_BODIES = {
    "POST /imaging/studies",  # makes a row of the caller's own clinic
    "POST /imaging/assets/upload",
    "PUT /imaging/assets/upload",
    "POST /imaging/assets/upload-init",
}
"""Routes that name rows in what is sent; tried one by one below."""

ROWLESS = {"GET /imaging/studies", "GET /imaging/limits"}
"""Routes that name no row."""


@pytest.fixture(scope="module")
def annas(room: Room, anna: Person, ben: Person) -> dict[str, str]:
    """A study, an asset and an upload under way, of clinic 12; clinic 13 has some too."""
    for person in (ben, anna):
        study_id = study(person)
        asset_id = filed(person, study_id, png())
        begun = person.post("/imaging/assets/upload-init", json=BEGIN | {"studyId": study_id})
        assert begun.status_code == 201, begun.text
    return {"study_id": str(study_id), "asset_id": str(asset_id), "upload_id": begun.get_json()["uploadId"]}


def imaging_routes(room: Room) -> list[str]:
    return [f"{each.method} {each.path}" for each in room.declared if each.path.startswith("/imaging/")]


def ask(person: Person, route: str, ids: dict[str, str], **more: Any) -> TestResponse:
    method, path = route.split(" ")
    filled = re.sub(r"<(\w+)>", lambda match: ids[match[1]], path)
    verbs = {"GET": person.get, "POST": person.post, "PUT": person.put, "DELETE": person.delete}
    return verbs[method](filled, **SENT.get(route, {}), **more)


def said(answer: TestResponse) -> tuple[int, dict[str, Any]]:
    body = answer.get_json()
    return answer.status_code, {key: value for key, value in body.items() if key != "request_id"}


def everything(room: Room, objects: NfsStore) -> list[Any]:
    with room.database.read() as connection:
        tables = (imaging_study, imaging_asset, imaging_upload)
        rows = [connection.execute(select(table).order_by(table.c.id)).all() for table in tables]
    return [*rows, list(objects.walk())]


def test_every_route_of_imaging_is_tried_here(room: Room) -> None:
    """A new route is written down here, or this fails."""
    by_id = {route for route in imaging_routes(room) if "<" in route}
    assert set(imaging_routes(room)) == by_id | IN_BODIES | ROWLESS
    assert {name for route in by_id for name in re.findall(r"<(\w+)>", route)} == set(NOT_THERE)
    assert set(SENT) <= by_id


def test_a_row_of_another_clinic_is_answered_as_one_that_is_not_there(
    room: Room, objects: NfsStore, annas: dict[str, str], ben: Person
) -> None:
    before = everything(room, objects)
    for route in imaging_routes(room):
        if "<" in route:
            not_mine, not_there = said(ask(ben, route, annas)), said(ask(ben, route, NOT_THERE))
            assert not_mine == not_there, route
            assert not_mine[0] == 404, (route, not_mine)
    for variant in ("original", "web", "thumb"):
        for headers in ({}, {"Range": "bytes=0-0"}, {"If-None-Match": "*"}):
            answer = ben.get(f"/imaging/assets/{annas['asset_id']}?variant={variant}", headers=headers)
            assert answer.status_code == 404 and "ETag" not in answer.headers
    assert everything(room, objects) == before


@pytest.mark.parametrize("patient", [345, 346])
def test_nothing_is_filed_into_another_clinic_s_study(
    room: Room, objects: NfsStore, annas: dict[str, str], ben: Person, patient: int
) -> None:
    before = everything(room, objects)
    for study_id in (annas["study_id"], NOT_THERE["study_id"]):
        fields = form(int(study_id), png(), patientId=patient)
        whole = [(ben.put, fields), (ben.post, form(int(study_id), png(), patientId=patient))]
        answers = [said(verb("/imaging/assets/upload", data=sent)) for verb, sent in whole]
        begin = BEGIN | {"studyId": int(study_id), "patientId": patient}
        answers.append(said(ben.post("/imaging/assets/upload-init", json=begin)))
        assert [status for status, _ in answers] == [404] * 3
        assert {body["message"] for _, body in answers} == {"There is no such study."}
    assert everything(room, objects) == before


def test_lists_hold_the_own_clinic_s_rows_alone(annas: dict[str, str], anna: Person, ben: Person) -> None:
    def studies(person: Person, query: str = "") -> set[str]:
        items = person.get(f"/imaging/studies?limit=500{query}").get_json()["items"]
        return {str(each["id"]) for each in items}

    for query in ("", "&patientId=345"):  # both clinics have a patient 345: two people
        assert annas["study_id"] in studies(anna, query)
        assert not studies(anna, query) & studies(ben, query)


def test_the_clinic_is_the_token_s_whatever_else_is_said(
    room: Room, objects: NfsStore, annas: dict[str, str], ben: Person
) -> None:
    before = everything(room, objects)
    path = f"/imaging/assets/{annas['asset_id']}"
    for name in ("X-Hasura-Clinic-Id", "x-hasura-clinic-id", "X-Clinic-Id", "Clinic-Id", "X-Hasura-Role"):
        assert ben.get(path, headers={name: "12"}).status_code == 404
    for query in ("clinicId=12", "clinic_id=12", "x-hasura-clinic-id=12"):
        assert ben.get(f"{path}?{query}").status_code in (400, 404)
        assert ben.get(f"/imaging/studies?{query}").status_code == 400
    for field in ("clinicId", "clinic_id", "clinic"):
        assert ben.post("/imaging/studies", json={"patientId": 1, "kind": "PHOTO", field: 12}).status_code == 400
        fields = form(int(annas["study_id"]), png()) | {field: "12"}
        assert ben.put("/imaging/assets/upload", data=fields).status_code == 400
    assert everything(room, objects) == before


def test_a_colleague_sees_the_clinic_s_rows(annas: dict[str, str], adam: Person) -> None:
    assert adam.get(f"/imaging/studies/{annas['study_id']}").status_code == 200
    assert adam.get(f"/imaging/assets/{annas['asset_id']}").status_code == 200


def test_nobody_and_who_lacks_the_capability_learn_nothing(
    room: Room, annas: dict[str, str], nobody: Person, student: Person, staff: Person, clinicless: Person
) -> None:
    for route in imaging_routes(room):
        for ids in (annas, NOT_THERE):
            assert said(ask(nobody, route, ids))[0] == 401, route
            for person in (student, staff):
                assert said(ask(person, route, ids))[1]["error"] == "forbidden", route
            if "<" in route:
                status, body = said(ask(clinicless, route, ids))
                assert (status, body["error"]) == (403, "no_clinic"), route


# Tokens of the clinic's own Hasura


SECRET = "a secret of the clinics' own issuer, long enough"
HASURA = "https://hasura.io/jwt/claims"
ZOE = "6f1f64a4-5f5a-4c65-9a59-5d0e3f6f7a01"


def token(clinic: object, *, nested: bool = False, user: str = ZOE, **more: Any) -> dict[str, str]:
    names = {"x-hasura-user-id": user, "x-hasura-clinic-id": clinic}
    names = {name: value for name, value in names.items() if value is not None}
    claims = {"iss": "clinics", "aud": "imaging", "exp": datetime.now(UTC) + timedelta(minutes=5)} | more
    claims |= {HASURA: names} if nested else names
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}


def hasura_room(database_url: str, settings: Settings, objects: NfsStore) -> Room:
    chosen = Settings.load(
        READINGROOM_DATA=settings.data, DATABASE_URL=database_url, JWT_OUTSIDE_ISSUER="clinics",
        JWT_OUTSIDE_AUDIENCE="imaging", JWT_OUTSIDE_SECRET=SECRET,
    )  # fmt: skip
    return build(chosen, SilentPacs(), SystemClock(), open_database(database_url), objects, PicturesOnDemand())


@pytest.fixture
def hasura(room: Room, settings: Settings, objects: NfsStore) -> Iterator[Room]:
    """The same database, where tokens of the clinics' issuer are taken and ZOE is a clinician of clinic 12."""
    built = hasura_room(settings.database_url, settings, objects)
    by = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
    if not any(grant.user == ZOE for grant in built.accounts.grants()):
        built.accounts.grant(ZOE, ("clinician",), "12", by)
    yield built
    built.database.close()


@pytest.mark.parametrize("nested", [False, True])
def test_a_hasura_token_is_good_in_its_clinic_alone(
    hasura: Room, annas: dict[str, str], ben: Person, *, nested: bool
) -> None:
    client = hasura.app.test_client()

    def status(clinic: object, path: str, **more: Any) -> int:
        return client.get(path, headers=token(clinic, nested=nested, **more)).status_code

    own = f"/imaging/studies/{annas['study_id']}"
    assert status("12", own) == status(12, own) == 200
    assert status("13", own) == 403  # she is granted nothing there, whatever clinic her token names
    assert status("12", "/imaging/studies/99999999") == 404
    bens = ben.get("/imaging/studies").get_json()["items"][0]["id"]
    assert status("12", f"/imaging/studies/{bens}") == 404
    for clinic in (None, "", "0", "-12", "012", "12 OR 1=1", "１２", "9" * 25):
        assert status(clinic, own) == 403, clinic
    assert status("12", own, user="somebody-else") == 403
    made = client.post("/imaging/studies", json={"patientId": 9, "kind": "PHOTO"}, headers=token("12", nested=nested))
    with hasura.database.read() as connection:
        row = connection.execute(select(imaging_study).where(imaging_study.c.id == made.get_json()["studyId"])).one()
    assert (row.clinic_id, row.created_by_id) == (12, ZOE)


def test_a_token_that_names_two_clinics_is_none(hasura: Room, annas: dict[str, str]) -> None:
    claims = {HASURA: {"x-hasura-clinic-id": "13"}}
    headers = token("12", **claims)
    assert hasura.app.test_client().get(f"/imaging/studies/{annas['study_id']}", headers=headers).status_code == 401


def test_a_site_s_own_function_says_who_may_what(postgres_database: str, settings: Settings, objects: NfsStore) -> None:
    database = open_database(postgres_database)
    with database.write() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION public.fn_has_capability(clinic_id bigint, user_id uuid, capability_key text)"
                " RETURNS boolean LANGUAGE sql AS"
                f" $$ SELECT clinic_id = 12 AND user_id = '{ZOE}' AND capability_key = 'imaging.read' $$"
            )
        )
    migrate(database)
    database.close()
    site = hasura_room(postgres_database, settings, objects)
    try:
        client = site.app.test_client()
        assert client.get("/imaging/studies", headers=token("12")).status_code == 200
        assert client.get("/imaging/studies", headers=token("13")).status_code == 403
        new = {"patientId": 1, "kind": "PHOTO"}
        assert client.post("/imaging/studies", json=new, headers=token("12")).status_code == 403
        assert (
            client.put("/imaging/assets/upload", data={"file": (io.BytesIO(b""), "x")}, headers=token("12")).status_code
            == 403
        )
    finally:
        site.database.close()
