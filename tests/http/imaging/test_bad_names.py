"""A file whose name leads somewhere or deceives is refused before anything of it is kept; odd ones are filed.

On SQLite alone: names are refused before the database is asked for anything of theirs.
"""

from __future__ import annotations

import pytest
from readingroom.app import Room
from readingroom.objects import NfsStore
from readingroom.settings import Settings
from werkzeug.test import TestResponse

from tests.fixtures.file_names import BAD_NAMES, GOOD_NAMES
from tests.http.conftest import Person
from tests.http.imaging.door import Door, refused
from tests.http.imaging.pictures_drawn import png

PNG = png(60, 40)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """On SQLite."""
    return Settings.load(READINGROOM_DATA=tmp_path_factory.mktemp("data"), IMAGING_MAX_UPLOAD_MB=2)


@pytest.fixture(scope="module")
def door(room: Room, objects: NfsStore, settings: Settings, anna: Person) -> Door:
    return Door(room, objects, settings, anna)


def wish(door: Door, **more: object) -> dict[str, object]:
    """Of an upload in parts."""
    return {"patientId": 345, "studyId": door.study, "modality": "XRAY", "mimeType": "image/png"} | more


def sent_as(door: Door, disposition: bytes, data: bytes = PNG) -> TestResponse:
    """A form by hand, whose file has that Content-Disposition."""
    fields = (("patientId", 345), ("studyId", door.study), ("modality", "XRAY"))
    head = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{said}\r\n' for name, said in fields)
    body = head.encode() + b'--b\r\nContent-Disposition: form-data; name="file"' + disposition + b"\r\n\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return door.person.put("/imaging/assets/upload", data=body + data + b"\r\n--b--", headers=headers)


def quoted(name: str) -> bytes:
    """As browsers write it (HTML, "multipart/form-data encoding algorithm"): a backslash is a backslash."""
    plain = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'; filename="{plain}"'.encode()


@pytest.mark.parametrize(("name", "word"), BAD_NAMES)
def test_a_name_that_is_a_path_or_deceives_is_refused_whole(door: Door, name: str, word: str) -> None:
    before = door.left()
    answer = sent_as(door, quoted(name))
    refused(answer, 400)
    assert answer.get_json()["error"] == "bad_file_name" and word in answer.get_json()["message"]
    assert door.left() == before


@pytest.mark.parametrize(("name", "word"), BAD_NAMES)
def test_and_in_parts_before_the_upload_begins(door: Door, name: str, word: str) -> None:
    before = door.left()
    answer = door.person.post("/imaging/assets/upload-init", json=wish(door, fileName=name))
    refused(answer, 400)
    assert answer.get_json()["error"] == "bad_file_name" and word in answer.get_json()["message"]
    assert door.left() == before


@pytest.mark.parametrize(
    "disposition",
    [
        rb'; filename="C:\\fakepath\\x.png"',  # as RFC 9110 has backslashes
        rb'; filename="C:\fakepath\x.png"',  # as old Windows programs write it: parsers drop these
        rb'; filename="..\..\x.png"',
        rb'; filename="\x.png"',
        rb'; filename="x\"',
        rb'; filename="a\"b\c.png"',
        b"; filename=../x.png",
        b"; filename=x/y.png",
        b'; FileName="x/y.png"',
        b'; filename = "x/y.png"',
        b'; filename="x/y.png"; filename="y.png"',
        b'; filename="x.png\r\nX-Evil: 1"',
        b'; filename="x.png\nX-Evil: 1"',
        b'; filename="x.png\rX-Evil: 1"',
        b'; filename="x.png\r\n X-Evil: ../1"',
        b"; filename*=UTF-8''..%2Fx.png",
        b"; filename*=UTF-8''%2e%2e%5Cx.png",
        b"; filename*=UTF-8''x%00.png",
        b"; filename*=UTF-8''%E2%80%AEgnp.exe",
        b"; filename*=UTF-16''%2e%2e%2fx.png",
        "; filename*=UTF-8''é/x.png".encode(),
        b"; filename=\"x.png\"; filename*=UTF-8''%2Fetc%2Fpasswd",
        b'; filename*0="../../"; filename*1="x.png"',
        b"; filename*0*=UTF-8''..%2F; filename*1*=x.png",
        b'; filename=""',
    ],
)
def test_no_way_to_write_a_name_gets_past(door: Door, disposition: bytes) -> None:
    before = door.left()
    answer = sent_as(door, disposition)
    refused(answer, 400)
    assert answer.get_json()["error"] == "bad_file_name"
    assert door.left() == before


def test_a_quotation_mark_in_a_name_is_no_path(door: Door) -> None:
    """curl has written it so for years."""
    assert sent_as(door, rb'; filename="say \"aah\".png"').status_code == 201


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_an_odd_name_is_shown_and_names_no_place(door: Door, name: str) -> None:
    """The key is our own, and what a browser is told to save by is one name."""
    before = door.left()
    answer = sent_as(door, quoted(name))
    assert answer.status_code == 201, answer.text
    after, asset = door.left(), answer.get_json()["assetId"]
    place = f"clinic_12/patients/345/studies/{door.study}/"
    fresh = set(after.objects) - set(before.objects)
    assert all(key.startswith(place) and key.rsplit("/", 1)[1].startswith(f"{asset}_") for key in fresh), fresh
    assert len(fresh) == 3 and after.files == before.files
    (told,) = [
        each for each in door.person.get(f"/imaging/studies/{door.study}").get_json()["assets"] if each["id"] == asset
    ]
    assert told["fileName"] == name
    original = door.person.get(f"/imaging/assets/{asset}?variant=original")
    said = original.headers["Content-Disposition"]
    assert said.startswith('attachment; filename="') and not set(said) & set("/\\\r\n")
    begun = door.person.post("/imaging/assets/upload-init", json=wish(door, fileName=name))
    assert begun.status_code == 201, begun.text
    door.person.delete(f"/imaging/uploads/{begun.get_json()['uploadId']}")


def test_a_file_may_come_without_a_name_in_both_ways(door: Door) -> None:
    assert sent_as(door, b"").status_code == 201
    for unnamed in ({}, {"fileName": None}):
        begun = door.person.post("/imaging/assets/upload-init", json=wish(door, **unnamed))
        assert begun.status_code == 201, begun.text
        door.person.delete(f"/imaging/uploads/{begun.get_json()['uploadId']}")
