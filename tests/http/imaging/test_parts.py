"""Uploads in parts: any order, again and again, whole at the end, once."""

from __future__ import annotations

import base64
import hashlib
import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from readingroom.app import Room
from readingroom.identity import ANONYMOUS, Caller
from readingroom.imaging import parts, upload_rows
from readingroom.imaging.tables import imaging_asset, imaging_upload
from readingroom.objects import NfsStore
from readingroom.settings import Settings
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.http.conftest import PASSWORD, Person
from tests.http.imaging.pictures_drawn import jpeg, noise_png, png, study
from tests.http.imaging.test_studies import events


def wish(person: Person, data: bytes | None = None, **fields: Any) -> dict[str, Any]:
    """What is said at the beginning, of a study of their own unless one is named."""
    said = {"patientId": 345, "studyId": fields.pop("studyId", None) or study(person), "modality": "XRAY"}
    total = {} if data is None else {"totalBytes": len(data)}
    return said | {"mimeType": "image/png"} | total | fields


def begun(person: Person, data: bytes | None = None, key: str | None = None, **fields: Any) -> str:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = person.post("/imaging/assets/upload-init", json=wish(person, data, **fields), headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["uploadId"])


def put(person: Person, upload: str, offset: int, data: bytes, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.put(f"/imaging/uploads/{upload}/chunks?offset={offset}", data=data, headers=named)


def completed(person: Person, upload: str, data: bytes, **fields: Any) -> TestResponse:
    return person.post(f"/imaging/uploads/{upload}/complete", json={"totalBytes": len(data)} | fields)


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.get_json()
    assert (answer.status_code, body["error"]) == (status, code), answer.text
    return body


def files(settings: Settings) -> list[str]:
    return sorted(path.stem for path in (settings.data / "uploads").glob("*.part"))


def original(person: Person, asset: int) -> bytes:
    answer = person.get(f"/imaging/assets/{asset}?variant=original")
    assert answer.status_code == 200, answer.text
    return answer.data


def test_a_picture_in_parts_becomes_the_same_asset_as_a_whole_one(
    anna: Person, admin: Person, settings: Settings
) -> None:
    data = noise_png(1_500_000)
    answer = anna.post(
        "/imaging/assets/upload-init",
        json=wish(anna, data, fileName="links.png", sourceDevice="Schick 33",
                  capturedAt="2026-02-09T15:30:12Z"),
    ).get_json()  # fmt: skip
    assert (answer["maxBytes"], answer["chunkBytes"]) == (2 << 20, 8 << 20)
    assert list(answer) == ["uploadId", "maxBytes", "chunkBytes", "expiresAt"]
    upload = answer["uploadId"]
    for offset in range(0, len(data), 400_000):
        assert put(anna, upload, offset, data[offset : offset + 400_000]).status_code == 200
    told = anna.get(f"/imaging/uploads/{upload}").get_json()
    assert told["received"] == [[0, len(data)]] and told["state"] == "open" and told["assetId"] is None
    made = completed(anna, upload, data, sha256=hashlib.sha256(data).hexdigest().upper())
    assert made.status_code == 200, made.text
    asset = made.get_json()["assetId"]
    assert original(anna, asset) == data
    told = anna.get(f"/imaging/uploads/{upload}").get_json()
    assert (told["state"], told["assetId"]) == ("done", asset)
    assert upload not in files(settings)
    (created,) = events(admin, "imaging.asset.create", asset)
    assert created["payload"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(events(admin, "imaging.upload.create", upload)) == 1
    assert len(events(admin, "imaging.upload.receive", upload)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_parts_in_any_order_repeated_and_overlapping_are_the_file(anna: Person, seed: int) -> None:
    dice, data = random.Random(seed), noise_png(300_000, seed)
    size = len(data)
    pieces = [(start, start + dice.randint(30_000, 60_000)) for start in range(0, size, 30_000)]
    pieces += [(start, min(size, start + dice.randint(1, 80_000))) for start in dice.sample(range(size), 8)]
    dice.shuffle(pieces)
    upload, there = begun(anna, data), set[int]()
    for start, end in pieces:
        stop = min(end, size)
        answer = put(anna, upload, start, data[start:stop]).get_json()
        there |= set(range(start, stop))
        assert {byte for first, last in answer["received"] for byte in range(first, last)} == there
    asset = completed(anna, upload, data).get_json()["assetId"]
    assert original(anna, asset) == data


def test_the_total_may_be_told_at_the_end(anna: Person) -> None:
    data = png()
    upload = begun(anna)
    assert put(anna, upload, 100, data[100:]).status_code == 200
    assert put(anna, upload, 0, data[:100]).status_code == 200
    assert original(anna, completed(anna, upload, data).get_json()["assetId"]) == data


def test_other_bytes_for_what_came_before_are_refused_and_change_nothing(anna: Person) -> None:
    data = noise_png(200_000)
    upload = begun(anna, data)
    put(anna, upload, 0, data[:100_000])
    other = bytearray(data[50_000:150_000])
    other[49_999] ^= 1  # the last byte that is there already
    body = refused(put(anna, upload, 50_000, bytes(other)), 409, "upload_differs")
    assert body["detail"] == {"range": [50_000, 100_000]}
    assert anna.get(f"/imaging/uploads/{upload}").get_json()["received"] == [[0, 100_000]]
    put(anna, upload, 50_000, data[50_000:])
    assert original(anna, completed(anna, upload, data).get_json()["assetId"]) == data


def test_a_damaged_part_is_noticed_by_its_checksum(anna: Person) -> None:
    data = png()
    upload = begun(anna, data)
    wrong = hashlib.sha256(b"other").digest()
    refused(put(anna, upload, 0, data, X_Chunk_SHA256=wrong.hex()), 400, "chunk_damaged")
    digest = f"sha-256=:{base64.b64encode(wrong).decode()}:"
    refused(put(anna, upload, 0, data, Content_Digest=digest), 400, "chunk_damaged")
    assert anna.get(f"/imaging/uploads/{upload}").get_json()["received"] == []
    right = hashlib.sha256(data).hexdigest()
    assert put(anna, upload, 0, data, X_Chunk_SHA256=right).status_code == 200


def test_an_upload_with_gaps_is_not_complete_and_says_what_is_missing(anna: Person, room: Room) -> None:
    data = noise_png(200_000)
    upload = begun(anna)
    put(anna, upload, 10, data[10:1000])
    put(anna, upload, 2000, data[2000:-5])
    body = refused(completed(anna, upload, data), 409, "upload_incomplete")
    assert body["detail"]["missing"] == [[0, 10], [1000, 2000], [len(data) - 5, len(data)]]
    refused(anna.post(f"/imaging/uploads/{upload}/complete", json={"totalBytes": 500}), 400, "bad_request")


def test_completing_again_tells_the_same_asset(anna: Person, room: Room) -> None:
    data = png(seed=99)
    upload = begun(anna, data)
    put(anna, upload, 0, data)
    asset = completed(anna, upload, data).get_json()["assetId"]
    before = assets(room)
    assert completed(anna, upload, data).get_json() == {"assetId": asset}
    assert assets(room) == before
    refused(put(anna, upload, 0, data), 409, "upload_closed")
    refused(anna.delete(f"/imaging/uploads/{upload}"), 409, "upload_closed")


def assets(room: Room) -> int:
    with room.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(imaging_asset)) or 0


def test_many_who_complete_at_once_make_one_asset(anna: Person, room: Room) -> None:
    data = noise_png(500_000)
    upload, before = begun(anna, data), assets(room)
    put(anna, upload, 0, data)
    with ThreadPoolExecutor(6) as crew:
        answers = [each.get_json() for each in crew.map(lambda _: completed(anna, upload, data), range(6))]
    assert len({str(each) for each in answers}) == 1 and answers[0]["assetId"]
    assert assets(room) == before + 1


def test_parts_sent_at_once_are_all_kept(anna: Person) -> None:
    data = noise_png(1_000_000)
    upload = begun(anna, data)
    starts = list(range(0, len(data), 50_000))
    random.Random(3).shuffle(starts)
    with ThreadPoolExecutor(6) as crew:
        sent = crew.map(lambda start: put(anna, upload, start, data[start : start + 60_000]), starts)
        assert {each.status_code for each in sent} == {200}
    assert original(anna, completed(anna, upload, data).get_json()["assetId"]) == data


def test_another_hash_or_total_than_was_announced_is_refused_and_the_right_one_taken(
    anna: Person, objects: NfsStore
) -> None:
    data, other = png(seed=5), hashlib.sha256(b"other").hexdigest()
    upload = begun(anna, data)
    put(anna, upload, 0, data)
    before = sum(1 for _ in objects.walk())
    refused(completed(anna, upload, data, sha256=other), 400, "object_incomplete")
    assert sum(1 for _ in objects.walk()) == before
    refused(completed(anna, upload, data[:-1]), 400, "bad_request")
    assert completed(anna, upload, data, sha256=hashlib.sha256(data).hexdigest()).status_code == 200
    announced = begun(anna, data, sha256=hashlib.sha256(data).hexdigest())
    put(anna, announced, 0, data)
    refused(completed(anna, announced, data, sha256=other), 400, "bad_request")
    assert completed(anna, announced, data).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"totalBytes": (2 << 20) + 1}, 413, "payload_too_large"),
        ({"mimeType": "image/svg+xml"}, 415, "unsupported_media"),
        ({"mimeType": "application/pdf"}, 415, "unsupported_media"),  # an X-ray is none
        ({"studyId": 999_999}, 404, "not_found"),
        ({"patientId": 346}, 404, "not_found"),
        ({"totalBytes": 0}, 400, "bad_request"),
        ({"sha256": "abc"}, 400, "bad_request"),
        ({"modality": "MRI"}, 400, "bad_request"),
        ({"unheardOf": 1}, 400, "bad_request"),
    ],
)
def test_what_cannot_become_an_asset_is_not_begun(
    anna: Person, settings: Settings, fields: dict[str, Any], status: int, code: str
) -> None:
    before = files(settings)
    answer = anna.post("/imaging/assets/upload-init", json=wish(anna, **fields))
    body = refused(answer, status, code)
    if status == 413:
        assert "2 MB" in body["message"] and body["detail"] == {"maxBytes": 2 << 20}
    assert files(settings) == before


def test_a_part_that_cannot_be_right_is_refused(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    data = png()
    upload = begun(anna, data)
    refused(put(anna, upload, 1, data), 400, "bad_request")  # past the announced end
    refused(put(anna, upload, 0, b""), 400, "bad_request")
    refused(put(anna, upload, -1, data), 400, "bad_request")
    refused(anna.put(f"/imaging/uploads/{upload}/chunks", data=data), 400, "bad_request")
    refused(put(anna, begun(anna), (2 << 20) - 1, b"ab"), 413, "payload_too_large")
    refused(put(anna, upload, 0, b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 100), 415, "unsupported_media")
    monkeypatch.setattr(parts, "MAX_CHUNK_BYTES", 10)
    body = refused(put(anna, upload, 0, data[:11]), 413, "payload_too_large")
    assert body["detail"] == {"maxChunkBytes": 10}


def test_the_offset_may_come_in_a_header_which_orthanc_does_not_lose(anna: Person) -> None:
    data = png(seed=77)
    upload = begun(anna, data)
    answer = anna.put(f"/imaging/uploads/{upload}/chunks", data=data, headers={"Upload-Offset": "0"})
    assert answer.get_json() == {"received": [[0, len(data)]]}
    refused(
        anna.put(f"/imaging/uploads/{upload}/chunks", data=b"x", headers={"Upload-Offset": "x"}), 400, "bad_request"
    )


def test_a_broken_picture_ends_its_upload_and_nothing_stays(
    anna: Person, admin: Person, room: Room, settings: Settings, objects: NfsStore
) -> None:
    data = jpeg()[:20] + b"\0" * 1000
    upload, before = begun(anna, data, mimeType="image/jpeg"), (assets(room), sum(1 for _ in objects.walk()))
    put(anna, upload, 0, data)
    refused(completed(anna, upload, data), 422, "broken_picture")
    assert upload not in files(settings)
    assert (assets(room), sum(1 for _ in objects.walk())) == before
    assert anna.get(f"/imaging/uploads/{upload}").get_json()["state"] == "refused"
    refused(completed(anna, upload, data), 409, "upload_closed")
    (event,) = events(admin, "imaging.upload.refuse", upload)
    assert (event["outcome"], event["payload"]) == ("refused", {"reason": "broken_picture"})
    assert anna.delete(f"/imaging/uploads/{upload}").status_code == 204


def test_the_same_key_begins_the_same_upload_and_no_other(anna: Person, adam: Person, ben: Person) -> None:
    key, data = str(uuid.uuid4()), png()
    here, there = study(anna), study(ben)
    first = begun(anna, data, key, studyId=here)
    assert begun(anna, data, key, studyId=here) == first
    answer = anna.post(
        "/imaging/assets/upload-init", json=wish(anna, data, studyId=here, modality="PHOTO"),
        headers={"Idempotency-Key": key},
    )  # fmt: skip
    refused(answer, 409, "conflict")
    assert begun(adam, data, key, studyId=here) != first
    assert begun(ben, data, key, studyId=there) != first


def test_many_who_begin_with_one_key_at_once_begin_one_upload(anna: Person, settings: Settings) -> None:
    key, data, here = str(uuid.uuid4()), png(), study(anna)
    before = len(files(settings))
    start = threading.Barrier(6)

    def begin(_: int) -> str:
        start.wait(60)
        return begun(anna, data, key, studyId=here)

    with ThreadPoolExecutor(6) as crew:
        assert len(set(crew.map(begin, range(6)))) == 1
    assert len(files(settings)) == before + 1


def test_an_upload_is_nobody_else_s(anna: Person, adam: Person, ben: Person) -> None:
    data = png()
    upload = begun(anna, data)
    for other in (adam, ben):
        for answer in (
            other.get(f"/imaging/uploads/{upload}"),
            put(other, upload, 0, data),
            completed(other, upload, data),
            other.delete(f"/imaging/uploads/{upload}"),
        ):
            told = refused(answer, 404, "not_found")
            told.pop("request_id")
            there_is_none = refused(other.get(f"/imaging/uploads/{uuid.uuid4()}"), 404, "not_found")
            there_is_none.pop("request_id")
            assert told == there_is_none
    assert put(anna, upload, 0, data).status_code == 200


@pytest.mark.parametrize("name", ["x", "..%2F..%2Freadingroom", "%00", "A" * 4000, str(uuid.uuid4()).upper()])
def test_what_is_no_upload_s_id_is_an_upload_that_is_not_there(anna: Person, name: str) -> None:
    assert anna.get(f"/imaging/uploads/{name}").status_code == 404
    assert anna.put(f"/imaging/uploads/{name}/chunks?offset=0", data=b"x").status_code == 404
    assert anna.post(f"/imaging/uploads/{name}/complete", json={"totalBytes": 1}).status_code == 404
    assert anna.delete(f"/imaging/uploads/{name}").status_code == 404


def test_an_upload_that_is_given_up_is_gone(anna: Person, admin: Person, settings: Settings) -> None:
    data = png()
    upload = begun(anna, data)
    put(anna, upload, 0, data[:100])
    assert upload in files(settings)
    assert anna.delete(f"/imaging/uploads/{upload}").status_code == 204
    assert upload not in files(settings)
    refused(anna.get(f"/imaging/uploads/{upload}"), 404, "not_found")
    refused(put(anna, upload, 100, data[100:]), 404, "not_found")
    assert len(events(admin, "imaging.upload.delete", upload)) == 1


def test_what_lies_at_another_server_is_told_so_and_can_be_given_up(anna: Person, settings: Settings) -> None:
    data = png()
    upload = begun(anna, data)
    put(anna, upload, 0, data[:100])
    Path(settings.data / "uploads" / f"{upload}.part").unlink()
    refused(put(anna, upload, 100, data[100:]), 409, "upload_lost")
    refused(completed(anna, upload, data), 409, "upload_lost")
    assert anna.delete(f"/imaging/uploads/{upload}").status_code == 204


def test_nobody_begins_uploads_without_end(ben: Person, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    with room.database.read() as connection:
        open_ones = connection.scalar(
            select(func.count()).select_from(imaging_upload).where(
                imaging_upload.c.user == "ben", imaging_upload.c.state == "open", imaging_upload.c.in_parts
            )
        )  # fmt: skip
    monkeypatch.setattr(upload_rows, "MAX_OPEN", (open_ones or 0) + 1)
    begun(ben)
    answer = ben.post("/imaging/assets/upload-init", json=wish(ben))
    refused(answer, 429, "too_many_requests")
    assert answer.headers["Retry-After"]


def test_a_user_who_begins_many_at_once_gets_no_more_than_one_after_the_other(
    room: Room, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = member(room, "carol", "77")
    said, before = wish(carol), len(files(settings))
    monkeypatch.setattr(upload_rows, "MAX_OPEN", 3)
    people = [Person(room.app.test_client(), "carol", carol.headers) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda each: each.post("/imaging/assets/upload-init", json=said), people))
    begun_ones = sum(answer.status_code == 201 for answer in answers)
    assert {answer.status_code for answer in answers} == {201, 429}
    assert begun_ones == 3
    assert len(files(settings)) == before + begun_ones, "whoever was refused left no file"
    # Nobody else of the clinic is kept out by that, until the clinic has its fill.
    dave = member(room, "dave", "77")
    begun(dave)
    monkeypatch.setattr(upload_rows, "MAX_OPEN_OF_CLINIC", begun_ones + 1)
    refused(dave.post("/imaging/assets/upload-init", json=wish(dave)), 429, "too_many_requests")


def member(room: Room, name: str, clinic: str) -> Person:
    """Somebody of a clinic of their own, signed in."""
    room.accounts.create(name, PASSWORD, ("clinician",), clinic, Caller(ANONYMOUS, str(uuid.uuid4()), ""))
    client = room.app.test_client()
    answer = client.post("/api/token/", json={"username": name, "password": PASSWORD})
    return Person(client, name, {"Authorization": f"Bearer {answer.get_json()['access']}"})
