"""People of two clinics: `anna` and `adam` of clinic 12, `ben` of 13; and one who has the capability and no clinic."""

from __future__ import annotations

import pytest
from readingroom.app import Room
from readingroom.identity import ANONYMOUS, Caller

from tests.http.conftest import PASSWORD, Person

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
