"""A site that shares, once on SQLite and once on PostgreSQL, and people to call it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Response, request
from readingroom.settings import Settings

from tests.fixtures.sharing import KEY, PASSWORD, SECRET, SharingSite
from tests.http.conftest import Person

Create = Callable[..., dict[str, Any]]

EVERYWHERE = {200, 206, 303, 304, 500}
"""What is not told route by route: good answers beside the usual one, and that something is broken on our side."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharingSite]:
    """One site a module; a test that minds what others left makes series and links of its own."""
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    made = SharingSite(
        Settings.load(
            READINGROOM_DATA=tmp_path_factory.mktemp("data"),
            DATABASE_URL=url,
            READINGROOM_GATEWAY_SECRET=SECRET,
            ACCESS_TOKEN_MINUTES=10_000_000,
        )
    )
    undeclared = watched(made)
    yield made
    made.room.stop()
    assert undeclared == set(), "routes of sharing answered what their OpenAPI document does not tell"


@pytest.fixture(autouse=True)
def series(site: SharingSite) -> str:
    """The series that most links here lead to, as it was at first."""
    return site.origin.put()


@pytest.fixture(scope="module")
def staff(site: SharingSite) -> Person:
    """Makes links."""
    return signed_in(site, "staff")


@pytest.fixture(scope="module")
def colleague(site: SharingSite) -> Person:
    """Makes links too."""
    return signed_in(site, "colleague")


@pytest.fixture(scope="module")
def admin(site: SharingSite) -> Person:
    """Sees all links."""
    return signed_in(site, "admin")


@pytest.fixture
def create(staff: Person) -> Create:
    """`create(password=…)`: a link by staff; what the API said."""

    def make(key: str = KEY, **wish: object) -> dict[str, Any]:
        answer = staff.post("/share/create", json={"series_key": key, **wish})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.get_json()
        return made

    return make


def watched(site: SharingSite) -> set[tuple[str, str, int]]:
    """Answers of sharing's routes, as they come, that the OpenAPI document does not declare."""
    undeclared: set[tuple[str, str, int]] = set()
    told = site.room.app.test_client().get("/api/openapi.json").get_json()["paths"]

    def look(response: Response) -> Response:
        rule = str(request.url_rule)
        if "/share" in rule and request.method != "HEAD" and response.status_code not in EVERYWHERE:
            path = re.sub(r"<(\w+)>", r"{\1}", rule)
            if str(response.status_code) not in told[path].get(request.method.lower(), {}).get("responses", {}):
                undeclared.add((request.method, rule, response.status_code))
        return response

    site.room.app.after_request_funcs.setdefault(None, []).append(look)
    return undeclared


def signed_in(site: SharingSite, name: str) -> Person:
    """That account, from this moment of the clock on."""
    client = site.room.app.test_client()
    answer = client.post("/api/token/", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Person(client, name, {"Authorization": f"Bearer {answer.get_json()['access']}"})
