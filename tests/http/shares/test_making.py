"""Links as whoever makes them meets them: create, list, extend, revoke, the log, the figures."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from readingroom.clock import iso
from readingroom.shares.links import hashed
from readingroom.shares.tables import shares
from sqlalchemy import select

from tests.fixtures.sharing import FILES, KEY, UID, SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create


def test_a_link_is_told_once_with_its_end_and_lasts_a_day_unless_said(site: SharingSite, create: Create) -> None:
    made = create()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made["token"])
    assert made["url"] == f"http://localhost/share/{made['token']}"
    assert made["expires_at"] == iso(site.clock.now() + timedelta(hours=24))


def test_a_series_is_named_by_its_key_or_its_uid(create: Create, staff: Person) -> None:
    links = [create(KEY), create(UID)]
    found = [staff.get(f"/api/shares/{link['id']}").get_json() for link in links]
    assert {each["series_key"] for each in found} == {KEY}
    assert {each["series_uid"] for each in found} == {UID}, "for the viewer"


def test_only_a_hash_of_the_token_is_kept(site: SharingSite, create: Create) -> None:
    made = create(password="a passcode for the log")
    with site.database.read() as connection:
        row = connection.execute(select(shares).where(shares.c.id == made["id"])).one()
    assert row.token_hash == hashed(made["token"])
    assert made["token"] not in repr(row)
    assert "a passcode" not in repr(row)
    assert row.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"series_key": ""},
        {"series_key": KEY, "expires_hours": 0},
        {"series_key": KEY, "expires_hours": 721},
        {"series_key": KEY, "password": "short"},
        {"series_key": KEY, "password": "x" * 257},
        {"series_key": KEY, "max_downloads": 0},
        {"series_key": KEY, "note": "nul \x00"},
        {"series_key": KEY, "seriesKey": KEY},
    ],
)
def test_a_wish_that_does_not_fit_is_a_bad_request(staff: Person, wish: dict[str, object]) -> None:
    answer = staff.post("/share/create", json=wish)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request")


def test_a_series_that_is_nowhere_cannot_be_shared(staff: Person) -> None:
    answer = staff.post("/share/create", json={"series_key": "0" * 40})
    assert (answer.status_code, answer.get_json()["error"]) == (404, "not_found")


def test_a_link_is_listed_with_its_series_and_without_its_token(create: Create, staff: Person) -> None:
    made = create(password="123456", max_downloads=3, note="for Dr Nkosi")
    item = next(i for i in staff.get("/api/shares").get_json()["items"] if i["id"] == made["id"])
    assert made["token"] not in str(item)
    assert item["series"]["PatientName"] == "Mokoena^Thandi"
    told = {k: item[k] for k in ("has_password", "max_downloads", "download_count", "note", "state", "file_count")}
    assert told == {
        "has_password": True, "max_downloads": 3, "download_count": 0, "note": "for Dr Nkosi", "state": "active",
        "file_count": len(FILES),
    }  # fmt: skip
    assert (item["origin"], item["source"], item["size_bytes"]) == ("nas", "archive", sum(map(len, FILES.values())))


def test_a_link_is_found_by_words_of_note_and_series(site: SharingSite, create: Create, staff: Person) -> None:
    site.origin.put("1.2.3", PatientName="Ndlovu^Zoë")
    made = create("1.2.3", note="second opinion")
    for words in ("zoe ndlovu", "NDLOVU", "opinion", "1.2.3"):
        found = staff.get("/api/shares", query_string={"q": words}).get_json()
        assert [item["id"] for item in found["items"]] == [made["id"]], words
    assert staff.get("/api/shares?q=nobody%25").get_json() == {"items": [], "total": 0}


def test_others_see_nothing_of_my_links_and_an_admin_of_links_sees_all(
    create: Create, staff: Person, colleague: Person, admin: Person
) -> None:
    made = create()
    path = f"/api/shares/{made['id']}"
    assert made["id"] in str(staff.get("/api/shares?limit=500").get_json())
    assert made["id"] not in str(colleague.get("/api/shares?limit=500&all=true").get_json())
    assert made["id"] not in str(admin.get("/api/shares?limit=500").get_json())
    assert made["id"] in str(admin.get("/api/shares?limit=500&all=true").get_json())
    nowhere = "/api/shares/00000000-0000-0000-0000-000000000000"
    for method, address, body in (("get", path, None), ("get", f"{path}/log", None), ("put", path, {}),
                                  ("delete", path, None)):  # fmt: skip
        hidden = getattr(colleague, method)(address, json=body)
        missing = getattr(colleague, method)(address.replace(path, nowhere), json=body)
        assert hidden.status_code == missing.status_code == 404
        assert hidden.get_json()["message"] == missing.get_json()["message"]
    assert admin.put(path, json={"note": "seen"}).get_json()["note"] == "seen"


def test_states_narrow_the_list(site: SharingSite, create: Create, staff: Person) -> None:
    site.origin.put("1.2.4")
    wishes: dict[str, dict[str, object]] = {
        "active": {"expires_hours": 100},
        "expired": {"expires_hours": 1},
        "revoked": {},
        "used_up": {"max_downloads": 1},
    }
    links = {name: create("1.2.4", **wish) for name, wish in wishes.items()}
    staff.delete(f"/api/shares/{links['revoked']['id']}")
    assert site.program().ask(f"/share/{links['used_up']['token']}").status_code == 200
    site.later(hours=2)
    for state, link in links.items():
        found = staff.get("/api/shares", query_string={"state": state, "q": "1.2.4"}).get_json()
        assert [item["id"] for item in found["items"]] == [link["id"]], state
        assert found["items"][0]["state"] == state
    figures = staff.get("/api/shares/statistics").get_json()
    assert all(figures[state] >= 1 for state in links)
    site.later(hours=-2)


def test_extending_sets_what_is_named_and_leaves_the_rest(site: SharingSite, create: Create, staff: Person) -> None:
    made = create(max_downloads=1, note="first")
    path = f"/api/shares/{made['id']}"
    longer = staff.put(path, json={"expires_hours": 48}).get_json()
    assert longer["expires_at"] == iso(site.clock.now() + timedelta(hours=48))
    assert (longer["max_downloads"], longer["note"]) == (1, "first")
    assert staff.put(path, json={"max_downloads": None}).get_json()["max_downloads"] is None
    assert staff.put(path, json={"expires_hours": 1000}).status_code == 400
    assert site.events("share.extend")[-1]["entity_id"] == made["id"]


def test_an_expired_link_lives_again_when_it_is_extended_and_a_revoked_one_does_not(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create(expires_hours=1)
    site.later(hours=2)
    assert site.program().ask(f"/share/{made['token']}/zip").status_code == 404
    staff.put(f"/api/shares/{made['id']}", json={"expires_hours": 1})
    assert site.program().ask(f"/share/{made['token']}/zip").status_code == 200
    assert staff.delete(f"/api/shares/{made['id']}").status_code == 204
    assert staff.delete(f"/api/shares/{made['id']}").status_code == 204
    assert staff.put(f"/api/shares/{made['id']}", json={"expires_hours": 1}).status_code == 409
    assert site.program().ask(f"/share/{made['token']}/zip").status_code == 404
    assert len([e for e in site.events("share.revoke") if e["entity_id"] == made["id"]]) == 1


def test_the_log_tells_who_did_what_from_where(site: SharingSite, create: Create, staff: Person) -> None:
    made = create()
    program = site.program("198.51.100.4")
    program.ask(f"/share/{made['token']}/zip", headers={"User-Agent": "curl/8.5\x7f" + "x" * 400})
    site.later(seconds=1)
    program.ask(f"/share/{made['token']}/files/2")
    site.later(seconds=1)
    staff.delete(f"/api/shares/{made['id']}")
    program.ask(f"/share/{made['token']}/zip")
    log = staff.get(f"/api/shares/{made['id']}/log").get_json()
    assert log["total"] == 3
    assert [(i["what"], i["success"], i["ip"]) for i in log["items"]] == [
        ("refused", False, "198.51.100.4"), ("file", True, "198.51.100.4"), ("zip", True, "198.51.100.4"),
    ]  # fmt: skip
    assert log["items"][1]["bytes"] == len(FILES["IM0002.dcm"])
    assert log["items"][2]["bytes"] > sum(map(len, FILES.values()))
    assert len(log["items"][2]["user_agent"]) < 300
    assert log["items"][2]["user_agent"].startswith("curl/8.5xxx")
    seen = staff.get(f"/api/shares/{made['id']}").get_json()
    assert (seen["access_count"], seen["last_accessed"] is not None) == (2, True)


def test_figures_are_ones_own_and_an_admins_are_of_all(
    site: SharingSite, create: Create, staff: Person, colleague: Person, admin: Person
) -> None:
    before = staff.get("/api/shares/statistics").get_json()
    made = create()
    site.program().ask(f"/share/{made['token']}/zip")
    after = staff.get("/api/shares/statistics").get_json()
    assert after["created_last_30_days"] == before["created_last_30_days"] + 1
    assert after["downloads"] == before["downloads"] + 1
    assert after["bytes"] > before["bytes"]
    assert len(after["by_day"]) == 30
    today = after["by_day"][-1]
    assert today["day"] == site.clock.now().date().isoformat()
    assert today["created"] >= 1
    assert today["downloads"] >= 1
    assert after["by_user"] == []
    assert colleague.get("/api/shares/statistics").get_json()["downloads"] == 0
    everybodys = admin.get("/api/shares/statistics").get_json()
    assert everybodys["downloads"] == after["downloads"]
    assert {person["user"] for person in everybodys["by_user"]} == {"staff"}


def test_making_and_ending_links_is_in_the_trail_without_token_and_name(site: SharingSite, create: Create) -> None:
    made = create(password="123456")
    event = site.events("share.create")[-1]
    assert (event["actor"], event["entity_table"], event["entity_id"]) == ("staff", "shares", made["id"])
    assert made["token"] not in str(event)
    assert "123456" not in str(event)
    assert "Mokoena" not in str(event)
