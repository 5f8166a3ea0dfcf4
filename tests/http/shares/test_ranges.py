"""Ranges of zips that ask for much to be read and little to be sent."""

from __future__ import annotations

import pytest
from readingroom.shares import sending

from tests.fixtures.sharing import SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create

UID = "1.2.826.0.1.3680043.10.77.50"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, site: SharingSite) -> None:
    """Nobody read the series yet; who asks for its beginning has its first megabyte read."""
    monkeypatch.setattr(sending, "FOR_NOTHING", 1_000_000)
    site.origin.put(UID, {f"{n}.dcm": bytes([n]) * 900_000 for n in range(5)})
    site.origin.crcs.clear()


def test_the_end_of_a_zip_that_nobody_read_is_not_had_alone(
    site: SharingSite, create: Create, staff: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(UID, max_downloads=1)
    browser = site.browser()
    path = f"/share/{made['token']}/zip"
    length = int(site.program().ask(path, method="HEAD").headers["Content-Length"])
    opened = []
    read = site.origin.open
    monkeypatch.setattr(site.origin, "open", lambda found, index: opened.append(index) or read(found, index))
    for wanted in ("bytes=-100", f"bytes={length - 100}-", f"BYTES={length - 100}-{length - 90}"):
        refused = browser.ask(path, headers={"Range": wanted})
        assert (refused.status_code, refused.headers["Content-Range"]) == (416, f"bytes */{length}"), wanted
        assert refused.get_json()["error"] == "range_not_satisfiable"
    assert opened == []
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 0


def test_whoever_began_it_takes_it_up_at_its_very_end(site: SharingSite, create: Create) -> None:
    made = create(UID, max_downloads=1)
    browser = site.browser()
    path = f"/share/{made['token']}/zip"
    length = int(site.program().ask(path, method="HEAD").headers["Content-Length"])
    assert browser.ask(path).status_code == 200
    end = {"Range": f"bytes={length - 100}-"}
    assert browser.ask(path, headers=end).status_code == 200
    again = browser.ask(path, headers=end)
    assert (again.status_code, again.headers["Retry-After"]) == (429, "30"), "at its own pace"
    site.later(seconds=31)
    assert browser.ask(path, headers=end).status_code == 200
    assert browser.ask(path, headers={"Range": "bytes=-100"}).status_code == 416, "no download is taken up so"


def test_what_is_known_is_had_from_its_end(site: SharingSite, create: Create) -> None:
    made = create(UID)
    assert len(site.program().ask(f"/share/{made['token']}/zip").data) > 4_500_000
    browser = site.browser()
    assert browser.ask(f"/share/{made['token']}/zip", headers={"Range": "bytes=-100"}).status_code == 200


def test_another_version_asked_for_is_sent_whole(site: SharingSite, create: Create) -> None:
    made = create(UID)
    headers = {"Range": "bytes=-100", "If-Range": '"another"'}
    assert site.browser().ask(f"/share/{made['token']}/zip", headers=headers).status_code == 200


def test_straight_out_of_orthanc_a_zip_comes_whole(site: SharingSite, create: Create) -> None:
    made = create(UID)
    answer = site.program().ask(f"/share/{made['token']}/zip", headers={"Range": "bytes=-100"})
    assert (answer.status_code, len(answer.data)) == (200, int(answer.headers["Content-Length"]))
