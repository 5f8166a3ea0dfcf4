"""An upload that carries an Idempotency-Key may be sent again, and is filed once."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from readingroom.app import Room
from readingroom.errors import BrokenPicture
from readingroom.imaging import once
from readingroom.imaging.tables import imaging_upload
from sqlalchemy import func, select

from tests.http.conftest import Person
from tests.http.imaging.pictures_drawn import filed, png, study, upload
from tests.http.imaging.stand_ins import PicturesOnDemand
from tests.http.imaging.test_uploads import rows, until


def test_the_same_key_files_the_same_upload_once(room: Room, anna: Person, adam: Person, ben: Person) -> None:
    study_id, before = study(anna), rows(room)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = filed(anna, study_id, png(), headers=key)
    assert filed(anna, study_id, png(), headers=key) == first
    assert rows(room) == before + 1
    for change in ({"data": png(seed=9)}, {"modality": "PHOTO"}, {"sourceDevice": "other"}, {"name": "other.png"}):
        more = {"data": png(), "headers": key, "name": "bite.png"} | change
        answer = upload(anna, study_id, more.pop("data"), more.pop("name"), **more)
        assert (answer.status_code, answer.get_json()["error"]) == (409, "conflict"), change
    # Another person's key of the same name is another one, in the same clinic and elsewhere.
    assert filed(adam, study_id, png(), headers=key) != first
    assert filed(ben, study(ben), png(), headers=key) != first


def test_a_key_of_an_upload_that_failed_may_be_used_again(
    room: Room, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id, key = study(anna), {"Idempotency-Key": "again"}
    with monkeypatch.context() as patched:
        patched.setattr(pictures, "error", BrokenPicture("Its second half is missing."))
        assert upload(anna, study_id, png(), headers=key).status_code == 422
    assert filed(anna, study_id, png(seed=3), headers=key)
    with room.database.read() as connection:
        (row,) = connection.execute(select(imaging_upload).where(imaging_upload.c.idempotency_key == "again")).all()
    assert (row.state, row.in_parts) == ("done", False)


def test_a_key_whose_upload_is_under_way_is_told_so(room: Room, pictures: PicturesOnDemand, anna: Person) -> None:
    study_id, key, statuses = study(anna), {"Idempotency-Key": "under way"}, []
    pictures.gate.clear()
    person = Person(room.app.test_client(), "anna", anna.headers)
    sender = threading.Thread(target=lambda: statuses.append(upload(person, study_id, png(), headers=key).status_code))
    try:
        sender.start()
        until(lambda: key_rows(room, "under way") == 1)
        answer = upload(anna, study_id, png(), headers=key)
        assert (answer.status_code, answer.get_json()["error"]) == (503, "upload_busy")
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        pictures.gate.set()
    sender.join()
    assert statuses == [201]


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel", "a\tb"])
def test_a_key_that_is_none_is_a_400(anna: Person, key: str) -> None:
    answer = upload(anna, study(anna), png(), headers={"Idempotency-Key": key})
    assert (answer.status_code, "Idempotency-Key" in answer.get_json()["message"]) == (400, True)


def key_rows(room: Room, key: str) -> int:
    with room.database.read() as connection:
        wanted = select(func.count()).where(imaging_upload.c.idempotency_key == key)
        return connection.scalar(wanted) or 0


def test_an_upload_that_outlives_its_lease_files_nothing_when_its_key_was_used_again(
    room: Room, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id, key, answers, before = study(anna), {"Idempotency-Key": "slow store"}, [], rows(room)
    monkeypatch.setattr(once, "LEASE", timedelta(0))
    pictures.gate.clear()
    people = [Person(room.app.test_client(), "anna", anna.headers) for _ in range(2)]
    senders = [
        threading.Thread(target=lambda each=each: answers.append(upload(each, study_id, png(), headers=key)))
        for each in people
    ]
    try:
        for count, sender in enumerate(senders, before + 1):
            sender.start()
            until(lambda count=count: rows(room) == count)
    finally:
        pictures.gate.set()
    for sender in senders:
        sender.join()
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert rows(room) == before + 1
    (kept,) = anna.get(f"/imaging/studies/{study_id}").get_json()["assets"]
    assert [kept["id"]] == [answer.get_json()["assetId"] for answer in answers if answer.status_code == 201]
