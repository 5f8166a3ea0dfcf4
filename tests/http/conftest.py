"""The application under Flask's test client: `room` once on SQLite and once on PostgreSQL, and people to call
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
from flask.testing import FlaskClient
from readingroom.app import Room, build
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.errors import PacsUnreachable
from readingroom.identity import ANONYMOUS, ROLES, Caller, passwords
from readingroom.settings import Settings
from werkzeug.test import TestResponse

PASSWORD = "a long enough passphrase"

Call = Callable[..., TestResponse]


class SilentPacs:
    """An Orthanc that never answers."""

    def get(self, path: str) -> bytes:
        """Nobody there."""
        raise PacsUnreachable("Orthanc does not answer.")

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Nobody there."""
        raise PacsUnreachable("Orthanc does not answer.")

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Nobody there."""
        raise PacsUnreachable("Orthanc does not answer.")

    def delete(self, path: str) -> None:
        """Nobody there."""
        raise PacsUnreachable("Orthanc does not answer.")


class Person:
    """Somebody who calls the API: `person.get("/api/…")`, with their token on every request."""

    def __init__(self, client: FlaskClient, name: str, headers: Mapping[str, str]) -> None:
        self._client = client
        self.name = name
        self.headers = dict(headers)
        self.get = self._with("GET")
        self.post = self._with("POST")
        self.put = self._with("PUT")
        self.delete = self._with("DELETE")

    def _with(self, method: str) -> Call:
        def call(path: str, **options: object) -> TestResponse:
            headers = {**self.headers, **dict(options.pop("headers", {}))}  # type: ignore[call-overload]
            return self._client.open(path, method=method, headers=headers, **options)  # type: ignore[arg-type]

        return call


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Argon2id still, with the least that it takes: a dozen accounts are made for each of some hundred rooms."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (("TIME_COST", 1), ("MEMORY_KIB", 8), ("LANES", 1)):
            patched.setattr(passwords, name, value)
        yield


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A built application on an empty, migrated database, with one account for each role, named after it."""
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    settings = Settings.load(READINGROOM_DATA=tmp_path_factory.mktemp("data"), DATABASE_URL=url)
    database = open_database(settings.database_url)
    migrate(database)
    built = build(settings, SilentPacs(), SystemClock(), database)
    by = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
    for role in ROLES:
        built.accounts.create(role, PASSWORD, (role,), "12" if role == "clinician" else None, by)
    yield built
    built.stop()


@pytest.fixture(scope="module")
def people(room: Room) -> dict[str, Person]:
    """Everybody by name, and `nobody`, who shows no token."""
    client = room.app.test_client()
    found = {"nobody": Person(client, "nobody", {})}
    for name in ROLES:
        answer = client.post("/api/token/", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        found[name] = Person(client, name, {"Authorization": f"Bearer {answer.get_json()['access']}"})
    return found


@pytest.fixture(scope="module")
def admin(people: dict[str, Person]) -> Person:
    """May do everything."""
    return people["admin"]


@pytest.fixture(scope="module")
def staff(people: dict[str, Person]) -> Person:
    """May read cases, and the PACS."""
    return people["staff"]


@pytest.fixture(scope="module")
def student(people: dict[str, Person]) -> Person:
    """May read cases."""
    return people["student"]


@pytest.fixture(scope="module")
def nobody(people: dict[str, Person]) -> Person:
    """Shows no token."""
    return people["nobody"]
