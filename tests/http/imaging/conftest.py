"""People of two clinics: `anna` and `adam` of clinic 12, `ben` of 13; and one who has the capability and no clinic."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from readingroom.app import Room, build
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.identity import ANONYMOUS, ROLES, Caller
from readingroom.objects import NfsStore
from readingroom.settings import Settings

from tests.http.conftest import PASSWORD, Person, SilentPacs
from tests.http.imaging.stand_ins import PicturesOnDemand

MEMBERS = {"anna": "12", "adam": "12", "ben": "13", "clinicless": None}


@pytest.fixture(scope="module")
def members(room: Room) -> dict[str, Person]:
    """Everybody of MEMBERS, signed in."""
    by = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
    client, found = room.app.test_client(), {}
    for name, clinic in MEMBERS.items():
        room.accounts.create(name, PASSWORD, ("clinician",), clinic, by)
        answer = client.post("/api/token/", json={"username": name, "password": PASSWORD})
        found[name] = Person(client, name, {"Authorization": f"Bearer {answer.get_json()['access']}"})
    return found


@pytest.fixture(scope="module")
def anna(members: dict[str, Person]) -> Person:
    """Of clinic 12."""
    return members["anna"]


@pytest.fixture(scope="module")
def adam(members: dict[str, Person]) -> Person:
    """Of clinic 12 too."""
    return members["adam"]


@pytest.fixture(scope="module")
def ben(members: dict[str, Person]) -> Person:
    """Of clinic 13."""
    return members["ben"]


@pytest.fixture(scope="module")
def clinicless(members: dict[str, Person]) -> Person:
    """May read and write imaging, in no clinic."""
    return members["clinicless"]


@pytest.fixture(scope="module")
def pictures() -> PicturesOnDemand:
    """What makes the room's pictures."""
    return PicturesOnDemand()


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> NfsStore:
    """Where the room's files lie."""
    return NfsStore(tmp_path_factory.mktemp("objects"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What the room is built by; 2 MB are the most that a file may have."""
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    data = tmp_path_factory.mktemp("data")
    return Settings.load(READINGROOM_DATA=data, DATABASE_URL=url, IMAGING_MAX_UPLOAD_MB=2)


@pytest.fixture(scope="module")
def room(settings: Settings, pictures: PicturesOnDemand, objects: NfsStore) -> Iterator[Room]:
    """A room whose store and maker of pictures are the test's."""
    database = open_database(settings.database_url)
    migrate(database)
    built = build(settings, SilentPacs(), SystemClock(), database, objects, pictures)
    built.start()
    by = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
    for role in ROLES:
        built.accounts.create(role, PASSWORD, (role,), "12" if role == "clinician" else None, by)
    yield built
    built.stop()
