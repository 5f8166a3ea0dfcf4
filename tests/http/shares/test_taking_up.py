"""Downloads that are taken up again: as often as a bad line asks for, and no more."""

from __future__ import annotations

import pytest
from readingroom.shares import rules
from readingroom.shares.rules import is_spent

from tests.fixtures.sharing import FILES, SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create

REST = {"Range": "bytes=1-"}


def test_a_download_is_spent_when_it_passed_and_began_too_often() -> None:
    sizes, streams = rules.SIZES_A_DOWNLOAD, rules.STREAMS_A_DOWNLOAD
    assert not is_spent(1, 100, 100 * sizes - 1, 10_000), "a line that breaks each minute"
    assert not is_spent(1, 100, 10_000, streams - 1), "a small series that is lost whole"
    assert is_spent(1, 100, 100 * sizes, streams)
    assert not is_spent(2, 100, 100 * sizes, streams)
    assert is_spent(2, 100, 200 * sizes, streams * 2)


def test_the_last_download_is_taken_up_again_so_often_and_then_refused_in_words(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create(max_downloads=1, expires_hours=100)
    program = site.program("198.51.100.70")
    path = f"/share/{made['token']}/zip"
    assert program.ask(path).status_code == 200
    for _ in range(rules.STREAMS_A_DOWNLOAD - 1):
        assert program.ask(path, headers=REST).status_code == 200
        site.later(minutes=30)
        staff.get(f"/api/shares/{made['id']}")  # waits for the log, which is written beside the requests
    refused = program.ask(path, headers=REST)
    assert (refused.status_code, refused.get_json()["error"]) == (409, "share_spent")
    assert site.program("198.51.100.71").ask(path, headers=REST).status_code == 404, "who began nothing learns nothing"
    link = staff.get(f"/api/shares/{made['id']}").get_json()
    assert (link["download_count"], link["access_count"]) == (1, rules.STREAMS_A_DOWNLOAD)


def test_a_link_with_downloads_left_counts_another_one(site: SharingSite, create: Create, staff: Person) -> None:
    made = create(max_downloads=2)
    program = site.program("198.51.100.72")
    path = f"/share/{made['token']}/zip"
    statuses = [program.ask(path).status_code]
    for _ in range(2 * rules.STREAMS_A_DOWNLOAD - 1):
        staff.get(f"/api/shares/{made['id']}")
        statuses.append(program.ask(path, headers=REST).status_code)
    assert statuses == [200] * 2 * rules.STREAMS_A_DOWNLOAD
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 2
    assert program.ask(path, headers=REST).status_code == 409


def test_files_one_by_one_are_bound_by_what_they_come_to(site: SharingSite, create: Create, staff: Person) -> None:
    made = create(max_downloads=1)
    program = site.program("198.51.100.73")
    statuses = []
    for n in range(200):
        staff.get(f"/api/shares/{made['id']}")
        statuses.append(program.ask(f"/share/{made['token']}/files/{n % len(FILES) + 1}").status_code)
        if statuses[-1] != 200:
            break
    assert statuses[-1] == 409
    assert len(statuses) == rules.STREAMS_A_DOWNLOAD + 1, "four times each of five files"


def test_a_link_without_a_limit_has_none_here_either(
    site: SharingSite, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SIZES_A_DOWNLOAD", 0)
    monkeypatch.setattr(rules, "STREAMS_A_DOWNLOAD", 0)
    made = create()
    program = site.program("198.51.100.74")
    assert program.ask(f"/share/{made['token']}/zip").status_code == 200
    assert program.ask(f"/share/{made['token']}/zip", headers=REST).status_code == 200


def test_a_range_that_is_none_takes_nothing_up(site: SharingSite, create: Create) -> None:
    made = create(max_downloads=1)
    browser = site.browser("198.51.100.77")
    browser.visit(made["token"])
    assert browser.ask(f"/share/{made['id']}/zip").status_code == 200
    assert browser.ask(f"/share/{made['id']}/zip", headers={"Range": "bytes=1-0"}).status_code == 404
    assert browser.ask(f"/share/{made['id']}/zip", headers={"Range": "bytes=99999999-"}).status_code == 416


def test_who_has_another_version_takes_nothing_up_and_is_counted(
    site: SharingSite, create: Create, staff: Person
) -> None:
    """The gateway answers a range of a version that is not this one with the whole."""
    made = create(max_downloads=1)
    browser = site.browser("198.51.100.75")
    browser.visit(made["token"])
    path = f"/share/{made['id']}/zip"
    etag = site.program("198.51.100.76").ask(f"/share/{made['token']}/zip", method="HEAD").headers["ETag"]
    assert browser.ask(path).status_code == 200
    assert browser.ask(path, headers={**REST, "If-Range": '"another"'}).status_code == 404
    assert browser.ask(path, headers={**REST, "If-Range": etag}).status_code == 200
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 1
