"""How a page comes by OHIF's cookie, through the whole application, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from readingroom import app as application
from readingroom.app import Room
from readingroom.identity.dicomweb_cookie import LIFETIME, NAME
from readingroom.identity.sessions import GRACE
from readingroom.identity.standing import FRESH_SECONDS
from werkzeug.test import TestResponse

from tests.fixtures.identity import PASSWORD, House

PAGE = {"X-Requested-With": "readingroom"}


class NoPacs:
    """Nothing here asks Orthanc."""


@pytest.fixture
def room(house: House) -> Room:
    for name, role in (("alice", "staff"), ("stu", "student"), ("clara", "clinician")):
        house.account(name, role, clinic="12" if role == "clinician" else None)
    return application.build(house.settings, NoPacs(), house.clock, house.database)  # type: ignore[arg-type]


@pytest.fixture
def client(room: Room) -> Iterator[FlaskClient]:
    with room.app.test_client() as made:
        yield made


def sign_in(client: FlaskClient, name: str = "alice") -> TestResponse:
    answer = client.post("/api/token/", json={"username": name, "password": PASSWORD}, headers=PAGE)
    assert answer.status_code == 200
    return answer


def ask(client: FlaskClient, **headers: str) -> TestResponse:
    return client.post("/api/token/dicomweb/", headers={**PAGE, **headers})


def line_of(response: TestResponse) -> str:
    (line,) = [each for each in response.headers.getlist("Set-Cookie") if each.startswith(f"{NAME}=")]
    return line


def good(room: Room, line: str) -> bool:
    value = line.split(";", maxsplit=1)[0].partition("=")[2]
    return room.dicomweb_cookies.identity({NAME: value}).kind == "user"


def test_the_page_s_session_gives_one(client: FlaskClient, room: Room) -> None:
    sign_in(client)
    answer = ask(client)
    assert answer.status_code == 200, answer.text
    assert answer.json == {"expiresIn": int(LIFETIME.total_seconds()), "studyList": True}
    line = line_of(answer)
    assert {"HttpOnly", "SameSite=Strict", "Path=/dicom-web"} <= set(line.split("; "))
    assert "Secure" not in line, "this was plain HTTP"
    who = room.dicomweb_cookies.identity({NAME: line.split(";")[0].partition("=")[2]})
    assert (who.user, who.capabilities) == ("alice", {"pacs.read", "cases.read"})


def test_over_tls_it_is_for_tls_alone(client: FlaskClient) -> None:
    sign_in(client)
    assert "Secure" in line_of(client.post("/api/token/dicomweb/", headers=PAGE, base_url="https://localhost")).split(
        "; "
    )


def test_it_tells_no_token_and_renews_no_session(client: FlaskClient) -> None:
    sign_in(client)
    before = client.get_cookie("readingroom_refresh", path="/api/token/")
    answer = ask(client)
    assert "access" not in answer.text
    assert client.get_cookie("readingroom_refresh", path="/api/token/") == before


def test_a_student_is_told_that_there_is_no_list_for_them(client: FlaskClient) -> None:
    sign_in(client, "stu")
    assert ask(client).json["studyList"] is False


def test_who_may_see_no_images_gets_none(client: FlaskClient) -> None:
    sign_in(client, "clara")
    answer = ask(client)
    assert (answer.status_code, answer.json["error"]) == (403, "forbidden")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [{"X-Requested-With": ""}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
def test_another_site_s_page_gets_none(client: FlaskClient, headers: dict[str, str]) -> None:
    sign_in(client)
    answer = ask(client, **headers)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert ask(client, Origin="https://evil.example").status_code == 403


def test_neither_a_token_nor_basic_stands_for_the_page_s_session(client: FlaskClient) -> None:
    tokens = client.post("/api/token/", json={"username": "alice", "password": PASSWORD}).json
    assert ask(client, Authorization=f"Bearer {tokens['access']}").status_code == 401
    client.set_cookie("readingroom_refresh", tokens["refresh"], path="/api/token/")
    assert ask(client).status_code == 401, "a script's refresh token is no browser's session"


def test_a_refresh_token_that_had_its_time_gives_none(client: FlaskClient, house: House) -> None:
    sign_in(client)
    old = client.get_cookie("readingroom_refresh", path="/api/token/")
    assert old is not None
    assert client.post("/api/token/refresh/", headers=PAGE).status_code == 200
    new = client.get_cookie("readingroom_refresh", path="/api/token/")
    assert new is not None and new != old
    client.set_cookie("readingroom_refresh", old.value, path="/api/token/")
    assert ask(client).status_code == 200, "another tab has just renewed it"
    house.clock.advance(GRACE + timedelta(seconds=1))
    assert ask(client).status_code == 401
    client.set_cookie("readingroom_refresh", new.value, path="/api/token/")
    assert ask(client).status_code == 200


def test_signing_out_ends_it_and_takes_it_out_of_the_browser(client: FlaskClient, room: Room, house: House) -> None:
    sign_in(client)
    line = line_of(ask(client))
    assert good(room, line)
    out = client.post("/api/token/sign-out/", headers=PAGE)
    assert line_of(out).startswith(f"{NAME}=;")
    assert "Path=/dicom-web" in line_of(out)
    assert not good(room, line)
    assert ask(client).status_code == 401


def test_disabling_the_account_and_another_password_end_it(client: FlaskClient, room: Room, house: House) -> None:
    sign_in(client)
    line = line_of(ask(client))
    house.parts.accounts.disable("alice", house.by)  # by another process
    house.clock.advance(timedelta(seconds=FRESH_SECONDS))
    assert not good(room, line)
    assert ask(client).status_code == 401

    sign_in(client, "stu")
    line = line_of(ask(client))
    house.parts.accounts.set_password("stu", PASSWORD + " anew", house.by)
    house.clock.advance(timedelta(seconds=FRESH_SECONDS))
    assert not good(room, line)


def test_it_never_outlives_its_session(client: FlaskClient, room: Room, house: House) -> None:
    sign_in(client)
    house.clock.advance(timedelta(days=14) - timedelta(minutes=3))
    answer = ask(client)
    assert answer.json["expiresIn"] == 180
    assert good(room, line_of(answer))
    house.clock.advance(timedelta(minutes=3))
    assert not good(room, line_of(answer))
    assert ask(client).status_code == 401
