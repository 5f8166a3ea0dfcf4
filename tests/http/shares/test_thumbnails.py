"""Small pictures of series, for who searches and for who holds a link."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories import ct, dicom_bytes
from tests.fixtures.sharing import SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create

IMAGE_UID = "1.2.826.0.1.3680043.10.77.20"


@pytest.fixture
def image(site: SharingSite) -> Iterator[str]:
    yield site.origin.put(IMAGE_UID, {"1.dcm": dicom_bytes(ct(rows=64, columns=64))})
    del site.origin.series[IMAGE_UID]


def test_who_may_search_sees_the_picture_and_gets_it_once(staff: Person, image: str) -> None:
    first = staff.get(f"/api/series/{image}/thumbnail")
    assert (first.status_code, first.mimetype, first.data[8:12]) == (200, "image/webp", b"WEBP")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = staff.get(f"/api/series/{image}/thumbnail", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_series_without_a_picture_says_so(site: SharingSite, staff: Person, create: Create) -> None:
    key = create()["id"] and site.origin.put()
    answer = staff.get(f"/api/series/{key}/thumbnail")
    assert (answer.status_code, answer.get_json()["error"]) == (404, "no_thumbnail")
    unknown = staff.get(f"/api/series/{'0' * 40}/thumbnail")
    assert (unknown.status_code, unknown.get_json()["error"]) == (404, "not_found")


def test_a_links_holder_sees_the_picture_behind_the_passcode(site: SharingSite, create: Create, image: str) -> None:
    made = create(series_key=image, password="123456")
    browser = site.browser()
    browser.visit(made["token"])
    assert browser.ask(f"/share/{made['id']}/thumbnail").status_code == 404
    browser.unlock(made["id"], "123456")
    first = browser.ask(f"/share/{made['id']}/thumbnail")
    assert (first.status_code, first.mimetype) == (200, "image/webp")
    known = {"If-None-Match": first.headers["ETag"]}
    assert browser.ask(f"/share/{made['id']}/thumbnail", headers=known).status_code == 304
