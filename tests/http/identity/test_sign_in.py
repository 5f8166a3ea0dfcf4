"""Signing in, staying in, signing out, through the whole application, on SQLite and PostgreSQL."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from readingroom import app as application
from readingroom.audit import Reading
from readingroom.audit.tables import audit_head
from readingroom.errors import Conflict, Unauthenticated
from readingroom.identity.sessions import GRACE
from readingroom.identity.standing import FRESH_SECONDS
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from tests.fixtures.identity import PASSWORD, House

PAGE = {"X-Requested-With": "readingroom"}


class NoPacs:
    """Nothing here asks Orthanc."""


def app_of(house: House) -> Flask:
    return application.build(house.settings, NoPacs(), house.clock, house.database).app  # type: ignore[arg-type]


@pytest.fixture
def app(house: House) -> Flask:
    house.account("alice", "staff", clinic="12")
    return app_of(house)


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as made:
        yield made


def sign_in(client: FlaskClient, password: str = PASSWORD, name: str = "alice", **more: Any) -> TestResponse:
    return client.post("/api/token/", json={"username": name, "password": password}, **more)


def bearer(access: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access}"}


def basic(name: str = "alice", password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def cookie_of(response: TestResponse) -> str:
    (line,) = [each for each in response.headers.getlist("Set-Cookie") if each.startswith("readingroom_refresh=")]
    found = re.match(r"readingroom_refresh=([^;]*);", line)
    assert found
    return found[1]


def refresh(client: FlaskClient, cookie: str, **headers: str) -> TestResponse:
    """As a tab that still holds that cookie."""
    client.set_cookie("readingroom_refresh", cookie, path="/api/token/")
    return client.post("/api/token/refresh/", headers={**PAGE, **headers})


def test_name_and_password_give_two_tokens(client: FlaskClient) -> None:
    answer = sign_in(client)
    assert answer.status_code == 200
    assert set(answer.json) == {"access", "refresh"}
    assert "Set-Cookie" not in answer.headers
    me = client.get("/api/me", headers=bearer(answer.json["access"])).json
    assert (me["user"], me["roles"], me["clinic"]) == ("alice", ["staff"], "12")
    assert "pacs.read" in me["capabilities"]


def test_the_trailing_slash_may_be_missing(client: FlaskClient) -> None:
    assert client.post("/api/token", json={"username": "alice", "password": PASSWORD}).status_code == 200


def test_upper_case_and_spaces_around_a_name_do_not_matter(client: FlaskClient) -> None:
    assert sign_in(client, name=" ALICE ").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong password!"),
        ("nobody", PASSWORD),
        ("", ""),
        ("alice", ""),
        ("alice\x00", PASSWORD),
        ("a" * 900, "x" * 900),
    ],
)
def test_a_wrong_sign_in_is_one_and_the_same_refusal(client: FlaskClient, name: str, password: str) -> None:
    answer = sign_in(client, password, name)
    assert answer.status_code == 401
    assert answer.json["message"] == "Name or password is wrong."


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"username": 3}', b"\xff", b'{"username":"a","password":"b","role":"admin"}']
)
def test_a_body_that_does_not_fit_is_a_400_that_does_not_repeat_it(client: FlaskClient, body: bytes) -> None:
    assert client.post("/api/token/", data=body, content_type="application/json").status_code == 400


def test_a_disabled_account_gets_the_same_refusal(client: FlaskClient, house: House) -> None:
    house.parts.accounts.create("boss", PASSWORD, ["admin"], None, house.by)
    house.parts.accounts.disable("alice", house.by)
    answer = sign_in(client)
    assert (answer.status_code, answer.json["message"]) == (401, "Name or password is wrong.")


def test_guessing_becomes_slow_for_known_and_unknown_names_alike(client: FlaskClient, house: House) -> None:
    for name in ("alice", "nobody"):
        for _ in range(5):
            assert sign_in(client, "wrong password!", name).status_code == 401
        answer = sign_in(client, PASSWORD, name)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
    house.clock.advance(timedelta(seconds=2))
    assert sign_in(client).status_code == 200


def test_what_was_tried_is_in_the_trail_without_what_was_typed(client: FlaskClient, house: House) -> None:
    sign_in(client, "my secret guess")
    sign_in(client, PASSWORD, "my-password-typed-as-name")
    sign_in(client)
    rows = [row for row in Reading(house.database).all() if row.action.startswith("identity.sign_in")]
    assert [row.action for row in rows] == ["identity.sign_in_refused"] * 2 + ["identity.sign_in"]
    assert [row.outcome for row in rows] == ["refused", "refused", "ok"]
    text = str([tuple(row) for row in rows])
    assert '"name":"alice"' in text
    for secret in ("my secret guess", "my-password-typed-as-name", PASSWORD):
        assert secret not in text


def test_an_access_token_ends(client: FlaskClient, house: House) -> None:
    access = sign_in(client).json["access"]
    house.clock.advance(timedelta(minutes=house.settings.access_minutes))
    answer = client.get("/api/me", headers=bearer(access))
    assert (answer.status_code, answer.json["error"]) == (401, "token_expired")
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_scripts_refresh_token_gives_access_alone_again_and_again(client: FlaskClient, house: House) -> None:
    token = sign_in(client).json["refresh"]
    for _ in range(3):
        house.clock.advance(timedelta(hours=1))
        answer = client.post("/api/token/refresh/", json={"refresh": token})
        assert set(answer.json) == {"access"}
        assert client.get("/api/me", headers=bearer(answer.json["access"])).status_code == 200
    house.clock.advance(timedelta(days=house.settings.refresh_days))
    assert client.post("/api/token/refresh/", json={"refresh": token}).status_code == 401


def test_access_never_outlives_its_session(client: FlaskClient, house: House) -> None:
    token = sign_in(client).json["refresh"]
    house.clock.advance(timedelta(days=house.settings.refresh_days) - timedelta(minutes=1))
    access = client.post("/api/token/refresh/", json={"refresh": token}).json["access"]
    house.clock.advance(timedelta(minutes=2))
    assert client.get("/api/me", headers=bearer(access)).status_code == 401


def test_a_page_gets_its_refresh_token_as_a_cookie(client: FlaskClient) -> None:
    answer = sign_in(client, headers=PAGE)
    assert set(answer.json) == {"access"}
    (line,) = answer.headers.getlist("Set-Cookie")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/api/token/", "Expires="):
        assert part in line
    assert "Secure" not in line


def test_the_cookie_is_secure_when_the_gateway_says_tls(client: FlaskClient, house: House) -> None:
    secret = house.settings.gateway_secret.get_secret_value()
    tls = {**PAGE, "X-Forwarded-Proto": "https", "X-Readingroom-Gateway": secret}
    assert "Secure" in sign_in(client, headers=tls).headers["Set-Cookie"]
    liar = {**PAGE, "X-Forwarded-Proto": "https", "X-Readingroom-Gateway": "guess"}
    assert "Secure" not in sign_in(client, headers=liar).headers["Set-Cookie"]


def test_the_cookie_counts_only_on_our_own_pages(client: FlaskClient) -> None:
    cookie = cookie_of(sign_in(client, headers=PAGE))
    client.set_cookie("readingroom_refresh", cookie, path="/api/token/")
    assert client.post("/api/token/refresh/").status_code == 401
    for site in ("cross-site", "same-site"):
        assert refresh(client, cookie, **{"Sec-Fetch-Site": site}).status_code == 401
    assert refresh(client, cookie, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_cookies_token_is_no_good_in_a_body_nor_a_scripts_in_a_cookie(client: FlaskClient) -> None:
    cookie = cookie_of(sign_in(client, headers=PAGE))
    assert client.post("/api/token/refresh/", json={"refresh": cookie}).status_code == 401
    token = sign_in(client).json["refresh"]
    assert refresh(client, token).status_code == 401


def test_the_cookie_is_replaced_at_each_refresh(client: FlaskClient, house: House) -> None:
    cookies = [cookie_of(sign_in(client, headers=PAGE))]
    for _ in range(4):
        house.clock.advance(timedelta(minutes=10))
        answer = refresh(client, cookies[-1])
        assert client.get("/api/me", headers=bearer(answer.json["access"])).status_code == 200
        cookies.append(cookie_of(answer))
    assert len(set(cookies)) == 5


def test_two_tabs_that_refresh_at_once_both_go_on(client: FlaskClient, house: House) -> None:
    first = cookie_of(sign_in(client, headers=PAGE))
    one, two = refresh(client, first), refresh(client, first)
    assert one.status_code == two.status_code == 200
    house.clock.advance(timedelta(minutes=10))
    assert refresh(client, cookie_of(two)).status_code == 200
    assert refresh(client, cookie_of(one)).status_code == 200  # the same token, once more within the grace


def test_many_tabs_at_the_same_moment_end_with_one_token(app: Flask, client: FlaskClient) -> None:
    first = cookie_of(sign_in(client, headers=PAGE))

    def tab(_: int) -> TestResponse:
        return refresh(app.test_client(), first)

    with ThreadPoolExecutor(8) as tabs:
        answers = list(tabs.map(tab, range(8)))
    assert [a.status_code for a in answers] == [200] * 8
    ids = {jwt.decode(cookie_of(a), options={"verify_signature": False})["jti"] for a in answers}
    assert len(ids) == 1


def test_a_token_that_comes_back_late_is_a_copy_and_ends_the_session(client: FlaskClient, house: House) -> None:
    stolen = cookie_of(sign_in(client, headers=PAGE))
    answer = refresh(client, stolen)
    own, access = cookie_of(answer), answer.json["access"]
    house.clock.advance(GRACE + timedelta(seconds=1))
    assert refresh(client, stolen).status_code == 401
    assert refresh(client, own).status_code == 401
    assert client.get("/api/me", headers=bearer(access)).status_code == 401
    assert "identity.refresh_reused" in house.actions()


def test_a_very_old_token_is_a_copy_too(client: FlaskClient, house: House) -> None:
    stolen = latest = cookie_of(sign_in(client, headers=PAGE))
    for _ in range(5):
        house.clock.advance(timedelta(minutes=10))
        latest = cookie_of(refresh(client, latest))
    assert refresh(client, stolen).status_code == 401
    assert refresh(client, latest).status_code == 401


def test_signing_out_ends_the_session_and_the_cookie(client: FlaskClient, house: House) -> None:
    answer = sign_in(client, headers=PAGE)
    cookie, access = cookie_of(answer), answer.json["access"]
    out = client.post("/api/token/sign-out/", headers=PAGE)
    assert out.status_code == 204
    assert cookie_of(out) == ""
    assert refresh(client, cookie).status_code == 401
    house.clock.advance(timedelta(seconds=FRESH_SECONDS))
    assert client.get("/api/me", headers=bearer(access)).status_code == 401
    assert house.actions()[-1] == "identity.sign_out"


def test_a_script_signs_out_by_either_token(client: FlaskClient) -> None:
    tokens = sign_in(client).json
    assert client.post("/api/token/sign-out/", json={"refresh": tokens["refresh"]}).status_code == 204
    assert client.post("/api/token/refresh/", json={"refresh": tokens["refresh"]}).status_code == 401
    tokens = sign_in(client).json
    assert client.post("/api/token/sign-out/", headers=bearer(tokens["access"])).status_code == 204
    assert client.get("/api/me", headers=bearer(tokens["access"])).status_code == 401


def test_signing_out_twice_or_with_nonsense_is_no_error(client: FlaskClient) -> None:
    for _ in range(2):
        assert client.post("/api/token/sign-out/", json={"refresh": "nonsense"}).status_code == 204


def test_another_site_cannot_sign_a_page_out(client: FlaskClient) -> None:
    cookie = cookie_of(sign_in(client, headers=PAGE))
    client.set_cookie("readingroom_refresh", cookie, path="/api/token/")
    client.post("/api/token/sign-out/")  # without the header that only our pages can send
    assert refresh(client, cookie).status_code == 200


@pytest.mark.parametrize("change", ["password", "disable"])
def test_every_token_ends_with_the_password_and_with_the_account(
    client: FlaskClient, house: House, change: str
) -> None:
    """The change comes from another process, as `scripts/admin` makes it: five seconds may pass."""
    house.account("boss", "admin")
    answer, page = sign_in(client), sign_in(client, headers=PAGE)
    assert client.get("/api/me", headers=bearer(answer.json["access"])).status_code == 200
    assert client.get("/api/me", headers=basic()).status_code == 200
    if change == "password":
        house.parts.accounts.set_password("alice", "another passphrase", house.by)
    else:
        house.parts.accounts.disable("alice", house.by)
    assert client.post("/api/token/refresh/", json={"refresh": answer.json["refresh"]}).status_code == 401
    assert refresh(client, cookie_of(page)).status_code == 401
    house.clock.advance(timedelta(seconds=FRESH_SECONDS))
    assert client.get("/api/me", headers=bearer(answer.json["access"])).status_code == 401
    assert client.get("/api/me", headers=basic()).status_code == 401


def test_who_was_signing_in_while_the_password_changed_or_the_account_was_shut_gets_no_session(house: House) -> None:
    house.account("alice", "staff")
    parts = house.parts
    for change in (
        lambda: parts.accounts.set_password("alice", "another long passphrase", house.by),
        lambda: parts.accounts.disable("alice", house.by),
    ):
        who = parts.sign_in.check("alice", PASSWORD, "form", house.by)
        change()
        with pytest.raises(Unauthenticated):
            parts.sessions.open(who, True, house.by)
        parts.accounts.enable("alice", house.by)
        parts.accounts.set_password("alice", PASSWORD, house.by)


def test_a_change_with_a_password_that_will_not_do_changes_nothing(client: FlaskClient, house: House) -> None:
    house.account("ada", "admin")
    wanted = {"roles": ["student"], "clinic": "7", "disabled": True, "password": "short"}
    answer = client.put("/api/users/alice", json=wanted, headers=basic("ada"))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request")
    stands = house.parts.accounts.find("alice")
    assert (stands.roles, stands.clinic, stands.disabled) == (("staff",), "12", False)


def test_two_admins_who_shut_each_other_at_once_leave_one(house: House) -> None:
    for name in ("ada", "eve"):
        house.account(name, "admin")

    def shut(name: str) -> bool:
        try:
            house.parts.accounts.disable(name, house.by)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as both:
        with house.database.write() as connection:  # both have looked and changed before either may write its event
            connection.execute(select(audit_head).with_for_update())
            done = [both.submit(shut, name) for name in ("ada", "eve")]
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            end = time.monotonic() + 60
            while house.database.is_postgresql and time.monotonic() < end:
                with house.database.read() as other:
                    if other.scalar(text(waits)) == 2:
                        break
                time.sleep(0.05)
        assert sorted(each.result() for each in done) == [False, True]


def test_in_the_same_process_a_change_counts_at_once(house: House) -> None:
    house.account("alice", "staff")
    room = application.build(house.settings, NoPacs(), house.clock, house.database)  # type: ignore[arg-type]
    client = room.app.test_client()
    access = sign_in(client).json["access"]
    assert "pacs.read" in client.get("/api/me", headers=bearer(access)).json["capabilities"]
    room.accounts.set_roles("alice", ["student"], None, house.by)
    assert client.get("/api/me", headers=bearer(access)).json["roles"] == ["student"]
    room.accounts.set_password("alice", "another passphrase", house.by)
    assert client.get("/api/me", headers=bearer(access)).status_code == 401


def test_refresh_and_service_tokens_open_no_route_as_access(client: FlaskClient, house: House) -> None:
    assert client.get("/api/me", headers=bearer(sign_in(client).json["refresh"])).status_code == 401
    assert (
        client.get("/api/me", headers=bearer(house.parts.signer.sign("ticket", {}, timedelta(hours=1)))).status_code
        == 401
    )
    service = client.get("/api/me", headers=bearer(house.parts.signer.service_token("import"))).json
    assert (service["user"], service["kind"]) == ("service:import", "service")
    assert "users.admin" not in service["capabilities"]
    assert client.get("/api/me", headers=bearer(house.parts.signer.service_token("invented"))).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer x", "Basic", "Basic !!!", "Basic YWxpY2U=", "Digest x", "x", "Basic " + "A" * 20000],
)
def test_an_odd_authorization_header_is_a_401(client: FlaskClient, header: str) -> None:
    assert client.get("/api/me", headers={"Authorization": header}).status_code == 401


def test_basic_is_checked_once_and_then_remembered(
    client: FlaskClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from readingroom.identity.passwords import Passwords

    checks: list[int] = []
    fits = Passwords.fits
    monkeypatch.setattr(Passwords, "fits", lambda *a: checks.append(1) or fits(*a))
    for _ in range(20):
        assert client.get("/api/me", headers=basic()).json["user"] == "alice"
    assert len(checks) == 1
    house.clock.advance(timedelta(seconds=61))
    client.get("/api/me", headers=basic())
    assert len(checks) == 2


def test_many_scripts_with_the_same_name_and_password_cost_one_check(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from readingroom.identity.passwords import Passwords

    checks: list[int] = []
    fits = Passwords.fits
    monkeypatch.setattr(Passwords, "fits", lambda *a: checks.append(1) or fits(*a))
    with ThreadPoolExecutor(30) as scripts:
        codes = list(scripts.map(lambda _: app.test_client().get("/api/me", headers=basic()).status_code, range(30)))
    assert codes == [200] * 30
    assert len(checks) == 1


def test_guessing_by_basic_becomes_slow_too(client: FlaskClient) -> None:
    codes = [client.get("/api/me", headers=basic(password=f"wrong guess {n}")).status_code for n in range(7)]
    assert codes == [401] * 5 + [429] * 2


def test_a_password_with_colons_and_umlauts_works_by_basic(client: FlaskClient, house: House) -> None:
    house.parts.accounts.create("jörg", "über:alles:passt", ["student"], None, house.by)
    assert client.get("/api/me", headers=basic("Jörg", "über:alles:passt")).json["user"] == "jörg"


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        ({}, True), ({"User-Agent": "curl/8"}, True), ({"User-Agent": "Mozilla/5.0", "Accept": "text/html,*/*"}, True),
        ({"User-Agent": "Mozilla/5.0", "Accept": "*/*"}, False), ({"X-Requested-With": "readingroom"}, False),
        ({"User-Agent": "Mozilla/5.0", "X-Requested-With": "XMLHttpRequest", "Referer": "http://x:1/app/explorer.html"},
         True),
        ({"User-Agent": "Mozilla/5.0", "Referer": "http://x:1/cases?next=/app/"}, False),
    ],
)  # fmt: skip
def test_a_refusal_offers_basic_except_to_a_pages_own_fetch(
    client: FlaskClient, headers: dict[str, str], offered: bool
) -> None:
    answer = client.get("/api/refusal", headers=headers)
    assert answer.status_code == 401
    said = answer.headers["WWW-Authenticate"]
    assert "Bearer" in said
    assert ("Basic" in said) is offered


def test_a_refusal_tells_nobody_from_somebody(client: FlaskClient) -> None:
    access = sign_in(client).json["access"]
    assert client.get("/api/refusal", headers=bearer(access)).status_code == 403
    assert client.get("/api/refusal", headers=bearer("stale")).status_code == 401
    assert client.get("/api/refusal", headers=basic()).status_code == 403


def outside(house: House, **claims: Any) -> dict[str, str]:
    now = int(house.clock.now().timestamp())
    frame = {"iss": house.settings.jwt_issuer, "aud": house.settings.jwt_audience, "exp": now + 60}
    return bearer(jwt.encode({**frame, **claims}, house.settings.jwt_secret.get_secret_value(), algorithm="HS256"))


def test_an_outside_identity_may_do_what_it_was_granted_in_that_clinic(client: FlaskClient, house: House) -> None:
    house.parts.accounts.grant("u-7", ["clinician"], "12", house.by)
    here = {"x-hasura-user-id": "u-7", "x-hasura-clinic-id": "12", "x-hasura-default-role": "admin", "roles": ["admin"]}
    me = client.get("/api/me", headers=outside(house, **here)).json
    assert (me["user"], me["kind"], me["clinic"], me["roles"]) == ("u-7", "outside", "12", ["clinician"])
    assert me["capabilities"] == ["imaging.read", "imaging.write"]
    for claims in (
        {"x-hasura-user-id": "u-7", "x-hasura-clinic-id": "13"},
        {"x-hasura-user-id": "u-7"},
        {"sub": "u-8"},
    ):
        assert client.get("/api/me", headers=outside(house, **claims)).json["capabilities"] == []
        assert client.get("/api/bestof/cases", headers=outside(house, **claims)).status_code == 403


def test_one_may_ask_what_one_may_do_before_sending_a_large_body(client: FlaskClient, house: House) -> None:
    house.parts.accounts.grant("u-7", ["clinician"], "12", house.by)
    here = outside(house, **{"x-hasura-user-id": "u-7", "x-hasura-clinic-id": "12"})
    elsewhere = outside(house, **{"x-hasura-user-id": "u-7", "x-hasura-clinic-id": "13"})
    asked = "/api/me/may/imaging.write"
    assert [client.get(asked, headers=who).status_code for who in (here, elsewhere, {})] == [204, 403, 401]
    assert client.get("/api/me/may/fly", headers=here).status_code == 404


def test_an_outside_token_that_bears_an_accounts_name_is_not_that_account(client: FlaskClient, house: House) -> None:
    me = client.get("/api/me", headers=outside(house, sub="alice")).json
    assert (me["kind"], me["capabilities"]) == ("outside", [])


def test_a_role_claim_counts_where_the_settings_map_it(house: House) -> None:
    other = house.again(JWT_TRUSTED_ROLES={"radiologist": "staff"})
    client = app_of(other).test_client()
    me = client.get("/api/me", headers=outside(other, sub="dr", role="radiologist")).json
    assert me["roles"] == ["staff"]
    assert client.get("/api/me", headers=outside(other, sub="dr", role="staff")).json["capabilities"] == []


def test_grants_that_are_taken_away_end(client: FlaskClient, house: House) -> None:
    house.parts.accounts.grant("u-7", ["staff", "student"], None, house.by)
    assert client.get("/api/me", headers=outside(house, sub="u-7")).json["roles"] == ["staff", "student"]
    assert house.parts.accounts.revoke("u-7", house.by) == 2
    house.clock.advance(timedelta(seconds=FRESH_SECONDS))
    assert client.get("/api/me", headers=outside(house, sub="u-7")).json["roles"] == []
    assert house.actions().count("identity.grant.remove") == 2


@pytest.mark.parametrize("wrong", [{"iss": "x"}, {"aud": "x"}, {"exp": 1}, {"nbf": 99999999999}])
def test_an_outside_token_that_does_not_fit_is_a_401(client: FlaskClient, house: House, wrong: dict[str, Any]) -> None:
    assert client.get("/api/me", headers=outside(house, sub="u-7", **wrong)).status_code == 401
