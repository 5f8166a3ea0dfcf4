"""Every route with no, a wrong and a right identity: deny by default, whatever an area declares."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Response
from flask.testing import FlaskClient
from readingroom.app import Room, build
from readingroom.clock import SystemClock
from readingroom.db import open_database
from readingroom.db.migrate import migrate
from readingroom.errors import PacsUnreachable
from readingroom.identity import ANONYMOUS, CAPABILITIES, PUBLIC, ROLES, SHARED, SIGNED_IN, Caller, SharedSeries
from readingroom.identity.model import OR, is_shared
from readingroom.identity.share_cookies import new_visit
from readingroom.routing import Declared
from readingroom.settings import Settings

PASSWORD = "a long enough passphrase"


class SilentPacs:
    """An Orthanc that never answers: whoever gets as far as asking it has passed the door."""

    def get(self, path: str) -> bytes:
        raise PacsUnreachable("Orthanc does not answer.")

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        raise PacsUnreachable("Orthanc does not answer.")

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        raise PacsUnreachable("Orthanc does not answer.")

    def delete(self, path: str) -> None:
        raise PacsUnreachable("Orthanc does not answer.")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    data: Path = tmp_path_factory.mktemp("matrix")
    settings = Settings.load(READINGROOM_DATA=data)
    database = open_database(settings.database_url)
    migrate(database)
    room = build(settings, SilentPacs(), SystemClock(), database)
    by = Caller(ANONYMOUS, "test", "")
    for role in ROLES:
        room.accounts.create(role, PASSWORD, (role,), "12" if role == "clinician" else None, by)
    yield room
    room.stop()


@pytest.fixture(scope="module")
def bearer(room: Room) -> dict[str, dict[str, str]]:
    client = room.app.test_client()
    found = {}
    for role in ROLES:
        answer = client.post("/api/token/", json={"username": role, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        found[role] = {"Authorization": f"Bearer {answer.json['access']}"}  # type: ignore[index]
    return found


def ask(client: FlaskClient, method: str, rule: str, headers: Mapping[str, str] = {}) -> tuple[int, dict[str, object]]:
    path = re.sub(r"<[^>]+>", "x", rule)
    body = None if method in ("GET", "DELETE") else "{}"
    answer = client.open(path, method=method, data=body, headers={"Content-Type": "application/json", **headers})
    is_json = answer.mimetype == "application/json"
    return answer.status_code, json.loads(answer.data) if is_json and answer.data.startswith(b"{") else {}


def test_every_declared_capability_exists(room: Room) -> None:
    bare = {each for route in room.declared for each in route.capability.split(OR)}
    assert bare <= CAPABILITIES | {PUBLIC, SIGNED_IN, SHARED}


def test_every_route_of_the_application_is_declared(room: Room) -> None:
    assert {rule.endpoint for rule in room.app.url_map.iter_rules()} == {route.endpoint for route in room.declared}


def test_the_public_routes_are_these_and_no_others(room: Room) -> None:
    """A route becomes public by being written down here too."""
    public = {f"{route.method} {route.path}" for route in room.declared if route.capability == PUBLIC}
    assert public == {
        "GET /health",
        "GET /api/openapi.json",
        "POST /api/token/",
        "POST /api/token/refresh/",
        "POST /api/token/sign-out/",
        "POST /api/token/dicomweb/",  # by the cookie of the page's session
        "GET /api/refusal",
        "GET /api/bestof/dicoms/download",  # by ticket, or with cases.read
        "GET /api/bestof/dicoms/download-batch",  # by ticket alone
        "GET /api/zip/<key>",  # by the gateway, with a signed plan
        # By a link: each of them asks for token or cookie itself, and refuses with one 404.
        "GET /share/<handle>",
        "GET /share/<handle>/info",
        "POST /share/<handle>/unlock",
        "GET /share/<handle>/zip",
        "GET /share/<handle>/files",
        "GET /share/<handle>/files/<n>",
        "GET /share/<handle>/thumbnail",
    }


def test_nobody_gets_401_from_every_route_that_is_not_public(room: Room) -> None:
    client = room.app.test_client()
    for route in room.declared:
        if route.capability == PUBLIC:
            continue
        status, body = ask(client, route.method, route.path)
        assert (status, body.get("error")) == (401, "unauthenticated"), route


@pytest.mark.parametrize(
    "authorization",
    ["Bearer nonsense", "Bearer a.b.c", "Basic bm9ib2R5Ondyb25n", "Basic ???", "Digest x", "Bearer"],
)
def test_a_credential_that_is_not_good_gets_401(room: Room, authorization: str) -> None:
    client = room.app.test_client()
    for route in room.declared:
        if route.capability == PUBLIC:
            continue
        status, _ = ask(client, route.method, route.path, {"Authorization": authorization})
        assert status in (401, 429), route  # 429: somebody tries passwords too fast


def test_a_role_without_the_capability_gets_403_and_one_with_it_gets_through(
    room: Room, bearer: dict[str, dict[str, str]]
) -> None:
    client = room.app.test_client()
    for route in room.declared:
        if route.capability in (PUBLIC, SIGNED_IN):
            continue
        for role, held in ROLES.items():
            has_it = not held.isdisjoint(route.capability.split(OR))
            status, body = ask(client, route.method, route.path, bearer[role])
            if has_it and role == "admin" and body.get("error") == "no_clinic":
                assert route.path.startswith("/imaging/"), route  # the capability is there, a clinic is not
            elif has_it:
                assert status not in (401, 403) and status != 500, (route, role, status, body)
            else:
                assert (status, body.get("error")) == (403, "forbidden"), (route, role, status, body)


def test_a_link_s_cookie_opens_no_route_that_does_not_say_so(room: Room) -> None:
    """Nor is it a 403: a signed-in page whose token ran out must be told to sign in."""
    client = room.app.test_client()
    now = datetime.now(UTC)
    visit = new_visit("0" * 36, now, now + timedelta(hours=1)).unlock(now)
    room.share_cookies.ask(lambda visits: [SharedSeries(each.link, "1.2", "1") for each in visits])
    with room.app.test_request_context():
        response = Response()
        room.share_cookies.leave(response, visit, {}, secure=False)
    name, value = response.headers["Set-Cookie"].split(";")[0].split("=", 1)
    client.set_cookie(name, value, domain="localhost")
    assert room.share_cookies.identity({name: value}).kind == "share"
    for route in room.declared:
        if route.capability != PUBLIC:
            status, body = ask(client, route.method, route.path)
            opens = is_shared(route.capability)
            assert (status not in (401, 403)) if opens else (status, body.get("error")) == (401, "unauthenticated"), (
                route
            )


def test_the_cookie_for_dicomweb_opens_no_route_of_ours(room: Room) -> None:
    """Whoever holds one: an administrator's is worth no more. A browser would not even send it there."""
    client = room.app.test_client()
    page = {"X-Requested-With": "readingroom"}
    assert client.post("/api/token/", json={"username": "admin", "password": PASSWORD}, headers=page).status_code == 200
    given = client.post("/api/token/dicomweb/", headers=page)
    assert given.status_code == 200, given.text
    name, value = given.headers["Set-Cookie"].split(";")[0].split("=", 1)
    strange = room.app.test_client()
    strange.set_cookie(name, value, domain="localhost")
    assert room.dicomweb_cookies.identity({name: value}).user == "admin"
    for route in room.declared:
        status, body = ask(strange, route.method, route.path)
        if route.capability != PUBLIC:
            assert (status, body.get("error")) == (401, "unauthenticated"), route
        elif route.path == "/api/refusal":
            assert (status, body.get("error")) == (403, "forbidden"), "all it does here is to choose between two words"
        else:
            assert (status, body.get("error")) == without_cookie(room, route), route


def without_cookie(room: Room, route: Declared) -> tuple[int, object]:
    status, body = ask(room.app.test_client(), route.method, route.path)
    return status, body.get("error")


def test_every_error_has_the_one_shape(room: Room) -> None:
    client = room.app.test_client()
    for route in room.declared:
        status, body = ask(client, route.method, route.path)
        if status >= 400:
            assert {"error", "message", "request_id"} <= set(body) <= {"error", "message", "detail", "request_id"}, (
                route
            )


def test_an_address_that_is_not_there_is_our_own_404_and_a_method_that_is_not_is_a_405(room: Room) -> None:
    client = room.app.test_client()
    assert ask(client, "GET", "/api/nothing/here")[0] == 404
    answer = client.put("/health")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_the_openapi_document_tells_of_every_route_and_of_no_other(room: Room) -> None:
    document = room.app.test_client().get("/api/openapi.json").json
    assert document is not None
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    there = {(route.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)) for route in room.declared}
    assert told == there
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)


def test_a_forwarded_address_counts_only_from_the_gateway(room: Room, bearer: dict[str, dict[str, str]]) -> None:
    client = room.app.test_client()
    asked = "11111111-2222-3333-4444-555555555555"
    forged = client.get("/api/me", headers={**bearer["admin"], "X-Request-Id": asked, "X-Forwarded-For": "192.0.2.1"})
    assert forged.headers["X-Request-Id"] != asked


def test_a_page_of_another_site_cannot_change_anything_with_the_browser_s_own_credentials(room: Room) -> None:
    client = room.app.test_client()
    basic = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    for route in room.declared:
        if route.method == "GET":
            continue
        status, body = ask(client, route.method, route.path, {"Authorization": basic, "Origin": "https://evil.example"})
        assert (status, body.get("error")) == (403, "cross_site"), route
