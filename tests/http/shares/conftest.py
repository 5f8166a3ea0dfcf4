"""A site that shares, once on SQLite and once on PostgreSQL, and people to call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from readingroom.identity import passwords
from readingroom.settings import Settings

from tests.fixtures.sharing import KEY, PASSWORD, SECRET, SharingSite
from tests.http.conftest import Person

Create = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharingSite]:
    """One site a module; a test that minds what others left makes series and links of its own."""
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    with pytest.MonkeyPatch.context() as patched:
        # Argon2id still, with the least that it takes.
        for name, value in (("TIME_COST", 1), ("MEMORY_KIB", 8), ("LANES", 1)):
            patched.setattr(passwords, name, value)
        made = SharingSite(
            Settings.load(
                READINGROOM_DATA=tmp_path_factory.mktemp("data"),
                DATABASE_URL=url,
                READINGROOM_GATEWAY_SECRET=SECRET,
                ACCESS_TOKEN_MINUTES=10_000_000,
            )
        )
        yield made
        made.room.stop()


@pytest.fixture(autouse=True)
def series(site: SharingSite) -> str:
    """The series that most links here lead to, as it was at first."""
    return site.origin.put()


@pytest.fixture(scope="module")
def staff(site: SharingSite) -> Person:
    """Makes links."""
    return _person(site, "staff")


@pytest.fixture(scope="module")
def colleague(site: SharingSite) -> Person:
    """Makes links too."""
    return _person(site, "colleague")


@pytest.fixture(scope="module")
def admin(site: SharingSite) -> Person:
    """Sees all links."""
    return _person(site, "admin")


@pytest.fixture
def create(staff: Person) -> Create:
    """`create(password=…)`: a link by staff; what the API said."""

    def make(key: str = KEY, **wish: object) -> dict[str, Any]:
        answer = staff.post("/share/create", json={"series_key": key, **wish})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.get_json()
        return made

    return make


def _person(site: SharingSite, name: str) -> Person:
    client = site.room.app.test_client()
    answer = client.post("/api/token/", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Person(client, name, {"Authorization": f"Bearer {answer.get_json()['access']}"})
