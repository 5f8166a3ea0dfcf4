"""The identity behind a link's cookie: its own series at routes that say `shared`, and nobody everywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from readingroom.door import Door
from readingroom.errors import NotFound
from readingroom.identity import PUBLIC, SHARED, SIGNED_IN, Identity, SharedSeries, or_shared
from readingroom.identity.model import is_shared
from readingroom.routing import Area, Body, Declared, identity, specification
from readingroom.shares.tables import shares
from sqlalchemy import update

from tests.fixtures.sharing import PASSWORD, UID, Browser, MemoryOrigin, SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create


class Seen(Body):
    """Who was let in."""

    user: str
    kind: str
    series: list[str]


@pytest.fixture
def viewer(site: SharingSite) -> Iterator[Flask]:
    """Routes as a viewer has them, behind the site's own door."""
    area = Area("viewer", "Viewer")

    def seen(series: str) -> Seen:
        who = identity()
        if not who.sees_series(series):
            raise NotFound("There is no such series.")
        return Seen(user=who.user, kind=who.kind, series=sorted(who.series))

    @area.get("/api/view/<series>", capability=or_shared("pacs.read"), answer=Seen)
    def view(series: str) -> Seen:
        """For staff, and for who holds a link to it."""
        return seen(series)

    @area.get("/api/only/<series>", capability=SHARED, answer=Seen)
    def only(series: str) -> Seen:
        """For who holds a link to it."""
        return seen(series)

    @area.get("/api/everybody/<series>", capability=or_shared(SIGNED_IN), answer=Seen)
    def everybody(series: str) -> Seen:
        """For who is signed in, and for who holds a link to it."""
        return seen(series)

    app = Flask("viewer")
    app.register_blueprint(area.blueprint(specification()))
    room = site.room
    door = Door(room.authenticator, room.share_cookies, room.forwarded, room.origins, site.clock, room.metrics)
    door.hang(app, area.declared)
    yield app


def at(browser: Browser, app: Flask) -> Browser:
    browser.client.application = app
    return browser


def holder(site: SharingSite, token: str, password: str = "") -> Browser:
    browser = site.browser()
    browser.visit(token)
    if password:
        assert browser.unlock(token, password) == 204
    return browser


def test_a_link_shows_its_series_and_no_other(site: SharingSite, viewer: Flask, create: Create) -> None:
    made = create()
    browser = at(holder(site, made["token"]), viewer)
    for path in ("view", "only", "everybody"):
        answer = browser.ask(f"/api/{path}/{UID}")
        assert answer.get_json() == {"user": f"share:{made['id']}", "kind": "share", "series": [UID]}
        assert browser.ask(f"/api/{path}/1.2.3").status_code == 404


def test_nobody_gets_401_there(site: SharingSite, viewer: Flask) -> None:
    assert at(site.browser(), viewer).ask(f"/api/view/{UID}").status_code == 401


def test_staff_see_every_series_and_somebody_else_signed_in_only_what_a_link_gives(
    site: SharingSite, viewer: Flask, create: Create, staff: Person
) -> None:
    made = create()
    browser = at(holder(site, made["token"]), viewer)
    as_staff = browser.ask("/api/view/1.2.3", headers=staff.headers).get_json()
    assert (as_staff["user"], as_staff["series"]) == ("staff", [UID])
    student = {"Authorization": f"Bearer {_token(site, 'student')}"}
    assert browser.ask(f"/api/view/{UID}", headers=student).get_json()["kind"] == "share"
    assert browser.ask("/api/view/1.2.3", headers=student).status_code == 404
    assert at(site.browser(), viewer).ask(f"/api/view/{UID}", headers=student).status_code == 403


def _token(site: SharingSite, name: str) -> str:
    answer = site.room.app.test_client().post("/api/token/", json={"username": name, "password": PASSWORD})
    return str(answer.get_json()["access"])


def test_a_link_that_has_ended_shows_nothing_at_once(
    site: SharingSite, viewer: Flask, create: Create, staff: Person
) -> None:
    revoked, expired = create(), create(expires_hours=1)
    first, second = (at(holder(site, each["token"]), viewer) for each in (revoked, expired))
    staff.delete(f"/api/shares/{revoked['id']}")
    assert first.ask(f"/api/view/{UID}").status_code == 401
    assert second.ask(f"/api/view/{UID}").status_code == 200
    site.later(hours=1)
    assert second.ask(f"/api/view/{UID}").status_code == 401
    site.later(hours=-1)


def test_a_link_with_a_passcode_shows_nothing_before_it_and_counts_on_while_it_is_looked_at(
    site: SharingSite, viewer: Flask, create: Create
) -> None:
    made = create(password="123456")
    assert at(holder(site, made["token"]), viewer).ask(f"/api/view/{UID}").status_code == 401
    browser = at(holder(site, made["token"], "123456"), viewer)
    for _ in range(3):
        assert browser.ask(f"/api/view/{UID}").status_code == 200
        site.later(minutes=25)
    site.later(minutes=10)
    assert browser.ask(f"/api/view/{UID}").status_code == 401
    site.later(minutes=-85)


def test_a_link_to_a_copy_shows_the_copy_and_never_what_it_was_made_of(
    site: SharingSite, viewer: Flask, create: Create
) -> None:
    made = create()
    with site.database.write() as connection:
        is_copy = {"deidentified": True, "copy_state": "ready"}
        connection.execute(update(shares).where(shares.c.id == made["id"]).values(is_copy))
    browser = holder(site, made["token"])
    assert at(browser, viewer).ask(f"/api/view/{UID}").status_code == 401, "there is no copy"
    copies = MemoryOrigin()
    copies.put("2.25.1", {"1.dcm": b"copy"}, PatientName="Anonymous", StudyDate="20200101")
    copy = replace(copies.find("2.25.1") or pytest.fail("it was put there"), origin="copy")
    copies.find = lambda key: copy if key == made["id"] else None  # type: ignore[method-assign]
    site.room.series.add("copy", copies)
    assert browser.ask("/api/view/2.25.1").get_json()["series"] == ["2.25.1"]
    assert browser.ask(f"/api/view/{UID}").status_code == 404
    browser.client.application = site.room.app
    info = browser.ask(f"/share/{made['id']}/info").get_json()
    assert (info["series"]["PatientName"], info["file_count"]) == ("Anonymous", 1)
    assert info["file_name"] == "CT_series_3.zip"
    assert info["series_uid"] == "2.25.1", "the copy, not what it was made of"
    assert browser.ask(f"/share/{made['id']}/files/1").data == b"copy"


@pytest.mark.parametrize(("state", "status"), [("queued", 409), ("preparing", 409), ("failed", 409)])
def test_a_copy_that_is_not_there_yet_is_told_to_its_holder_alone(
    site: SharingSite, create: Create, state: str, status: int
) -> None:
    made = create(password="123456")
    with site.database.write() as connection:
        values = {"deidentified": True, "copy_state": state}
        connection.execute(update(shares).where(shares.c.id == made["id"]).values(values))
    browser = site.browser()
    browser.visit(made["token"])
    assert browser.ask(f"/share/{made['id']}/zip").status_code == 404
    browser.unlock(made["id"], "123456")
    answer = browser.ask(f"/share/{made['id']}/zip")
    assert (answer.status_code, answer.get_json()["error"]) == (status, "share_not_ready")
    assert ("Retry-After" in answer.headers) == (state != "failed")
    info = browser.ask(f"/share/{made['id']}/info").get_json()
    assert info["state"] == ("failed" if state == "failed" else "preparing")
    assert "Mokoena" not in str(info)


def test_several_links_show_several_series(site: SharingSite, viewer: Flask, create: Create) -> None:
    site.origin.put("1.2.20")
    browser = holder(site, create()["token"])
    browser.visit(create("1.2.20")["token"])
    at(browser, viewer)
    assert browser.ask("/api/view/1.2.20").get_json()["series"] == ["1.2.20", UID]


def test_a_forged_cookie_is_none(site: SharingSite, viewer: Flask, create: Create) -> None:
    made = create()
    for forged in ("", "x", "a.b.c", _token(site, "admin")):
        browser = at(site.browser(), viewer)
        browser.client.set_cookie(f"readingroom_share_{made['id']}", forged, domain="localhost")
        assert browser.ask(f"/api/view/{UID}").status_code == 401


def test_with_a_links_cookie_everything_else_is_as_for_nobody(site: SharingSite, create: Create) -> None:
    """Not 403: a page whose own token ran out must be told to sign in, link or no link."""
    browser = holder(site, create()["token"])
    asked: list[Declared] = [
        route for route in site.room.declared if route.capability != PUBLIC and not is_shared(route.capability)
    ]
    assert len(asked) > 40
    for route in asked:
        path = re.sub(r"<[^>]+>", "x", route.path)
        body = {} if route.method in ("GET", "DELETE") else {"json": {}}
        answer = browser.ask(path, method=route.method, **body)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "unauthenticated"), route


def test_a_cookie_counts_for_nothing_in_the_header(site: SharingSite, create: Create) -> None:
    made = create()
    browser = site.browser()
    token = browser.visit(made["token"]).headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
    for shown in (token, made["token"]):
        answer = browser.ask("/api/me", headers={"Authorization": f"Bearer {shown}"})
        assert answer.status_code == 401


def test_a_share_can_do_nothing_but_what_says_shared() -> None:
    share = Identity("share:1", "share", shares=(SharedSeries("1", UID, "1.2"),))
    assert share.can(SHARED)
    assert share.can(or_shared("pacs.read"))
    assert share.can(PUBLIC)
    for capability in ("pacs.read", SIGNED_IN, "shared.x", "orthanc.admin", "share.create"):
        assert not share.can(capability)
    assert not Identity("", "anonymous").can(SHARED)
    assert not Identity("", "anonymous").can(or_shared(SIGNED_IN))
    assert not Identity("x", "user", frozenset({"cases.read"})).can(or_shared("pacs.read"))
    assert Identity("x", "user").can(or_shared(SIGNED_IN))
    assert not Identity("x", "user", frozenset({"pacs.read"})).can(SHARED)
