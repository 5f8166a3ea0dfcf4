"""What the OpenAPI document says of sharing's routes."""

from __future__ import annotations

import pytest
from readingroom.errors import PacsUnreachable, TooManyRequests

from tests.fixtures.sharing import SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create

HELD = ("", "/info", "/zip", "/files", "/files/1", "/thumbnail")


def test_every_route_of_a_links_holder_tells_of_refusal_and_of_too_many(site: SharingSite, staff: Person) -> None:
    paths = staff.get("/api/openapi.json").get_json()["paths"]
    held = [(path, what) for path in paths if path.startswith("/share/{") for what in paths[path]]
    assert len(held) == len(HELD) + 1
    assert [each for each in held if not {"404", "429", "503"} <= set(paths[each[0]][each[1]]["responses"])] == []


@pytest.mark.parametrize("path", HELD)
def test_too_many_passcodes_at_a_time_are_answered_with_429(
    site: SharingSite, create: Create, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """That each answer is declared is looked at in `conftest.watched`."""
    made = create(password="123456")
    monkeypatch.setattr("readingroom.identity.passwords.Passwords.fits", _too_many)
    shown = {"X-Share-Passcode": "123456"}
    assert site.program().ask(f"/share/{made['token']}{path}", headers=shown).status_code == 429


@pytest.mark.parametrize("path", HELD)
def test_an_orthanc_that_does_not_answer_is_a_503(
    site: SharingSite, create: Create, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    made = create()
    monkeypatch.setattr(site.origin, "find", _away)
    assert site.program().ask(f"/share/{made['token']}{path}").status_code == 503


def test_a_page_of_another_site_unlocks_nothing(site: SharingSite, create: Create) -> None:
    made = create(password="123456")
    answer = site.program().ask(
        f"/share/{made['token']}/unlock", method="POST", json={"password": "123456"}, headers={"Origin": "https://x.y"}
    )
    assert answer.status_code == 403


def _too_many(*_: object) -> bool:
    raise TooManyRequests("Many people are signing in at this moment; try again shortly.", retry_after=2)


def _away(_: str) -> None:
    raise PacsUnreachable("Orthanc does not answer.")
