"""Links of an account that is disabled: shut like any dead one as long as that is so, and told to admins of links."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.sharing import FILES, GATEWAY, Browser, SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create, signed_in
from tests.http.shares.test_holding import opened

PATHS = ("", "/info", "/zip", "/files", "/files/1", "/thumbnail")


@pytest.fixture
def staff(site: SharingSite, admin: Person) -> Iterator[Person]:
    """Makes links, and is enabled again afterwards; disabling ends sessions, so it signs in each time."""
    yield signed_in(site, "staff")
    admin.put("/api/users/staff", json={"disabled": False})


def disable(admin: Person) -> None:
    assert admin.put("/api/users/staff", json={"disabled": True}).status_code == 200


def refusal(browser: Browser, path: str) -> tuple[int, str]:
    answer = browser.ask(path)
    return answer.status_code, answer.get_json()["message"]


def test_it_opens_nothing_while_its_owner_is_disabled_and_all_after_that(
    site: SharingSite, create: Create, admin: Person
) -> None:
    made, locked = create(), create(password="123456")
    browser = site.browser("198.51.100.80")
    browser.visit(made["token"])
    assert browser.ask(f"/share/{made['id']}/zip").status_code == 200
    disable(admin)
    program = site.program("198.51.100.81")
    unknown = refusal(program, f"/share/{'x' * 43}/info")
    for path in PATHS:
        assert refusal(program, f"/share/{made['token']}{path}") == unknown, path
        assert refusal(browser, f"/share/{made['id']}{path}") == unknown, path
    resumed = browser.ask(f"/share/{made['id']}/zip", headers={"Range": "bytes=100-"})
    assert resumed.status_code == 404, "what was begun is not gone on with"
    assert browser.unlock(locked["token"], "123456") == 404
    assert site.browser().visit(made["token"]).headers["Location"] == "/shared/none"
    admin.put("/api/users/staff", json={"disabled": False})
    assert opened(program.ask(f"/share/{made['token']}/zip").data) == FILES
    assert browser.unlock(locked["token"], "123456") == 204


def test_a_download_under_way_ends_when_the_owner_is_disabled(site: SharingSite, create: Create, admin: Person) -> None:
    made = create()
    answer = site.browser().ask(f"/share/{made['token']}/zip")
    place = answer.headers["X-Accel-Redirect"].replace("/_zip/", "/api/zip/", 1)
    gateway = site.room.app.test_client()
    assert gateway.get(place, headers={"Range": "bytes=0-99", **GATEWAY}).status_code == 206
    disable(admin)
    site.later(seconds=1.1)
    assert gateway.get(place, headers={"Range": "bytes=100-199", **GATEWAY}).status_code == 404


def test_an_admin_of_links_sees_which_they_are_and_ends_them(
    site: SharingSite, create: Create, admin: Person, colleague: Person
) -> None:
    made = create(note="Of somebody who left")
    others = colleague.post("/share/create", json={"series_key": site.origin.put()}).get_json()
    disable(admin)
    listed = admin.get("/api/shares", query_string={"all": "true", "state": "owner_disabled"}).get_json()
    assert made["id"] in [item["id"] for item in listed["items"]]
    assert {item["created_by"] for item in listed["items"]} == {"staff"}
    assert {item["state"] for item in listed["items"]} == {"owner_disabled"}
    assert admin.get("/api/shares/statistics").get_json()["owner_disabled"] == listed["total"]
    by_user = {each["user"]: each for each in admin.get("/api/shares/statistics").get_json()["by_user"]}
    assert (by_user["staff"]["active"], by_user["colleague"]["active"] > 0) == (0, True)
    assert site.program().ask(f"/share/{others['token']}/info").status_code == 200
    assert admin.delete(f"/api/shares/{made['id']}").status_code == 204
    assert admin.get(f"/api/shares/{made['id']}").get_json()["state"] == "revoked"
