"""What must not become an asset is refused in words, with a 4xx, and nothing of it stays: by hand and by chance.

With the real maker of pictures, on SQLite with a folder and on PostgreSQL with a bucket; what is refused before
either is asked for anything, on the first alone.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as some
from readingroom.app import Room
from readingroom.objects import NfsStore, ObjectStore
from readingroom.objects.s3 import S3Store
from readingroom.pictures.making import Pictures
from readingroom.settings import Settings

from tests.fixtures.s3 import S3Server
from tests.http.conftest import Person
from tests.http.imaging.bad_files import Bad, a_pdf, a_png, coloured, corpus
from tests.http.imaging.door import Door, refused
from tests.http.imaging.pictures_drawn import form

CORPUS = corpus()
GOOD = {"PNG": a_png(), "JPEG": coloured("JPEG"), "WebP": coloured("WEBP"), "TIFF": coloured("TIFF"),
        "BMP": coloured("BMP"), "PDF": a_pdf()}  # fmt: skip
MAX_MB = 100
CHANCE = examples(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""The same examples on every run; one takes some 20 ms of a process that decodes."""

GROUNDS = FIRST, _ = "sqlite and a folder", "postgresql and a bucket"
ON_ONE = pytest.mark.parametrize("settings", [FIRST], indirect=True, scope="module")
"""For what is said before a row or an object could be made."""

OF_EACH_ANSWER = sorted({bad.statuses: name for name, bad in CORPUS.items()}.values())
"""What is complete in parts is filed as a whole upload is: on the other ground one file of each answer is enough."""


@pytest.fixture(scope="module", params=GROUNDS)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """With the limit that is the default."""
    url = "" if request.param == FIRST else request.getfixturevalue("postgres").new_database()
    data = tmp_path_factory.mktemp("data")
    return Settings.load(READINGROOM_DATA=data, DATABASE_URL=url, IMAGING_MAX_UPLOAD_MB=MAX_MB)


@pytest.fixture(scope="module")
def objects(
    settings: Settings, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ObjectStore:
    """Where the room's files lie."""
    if settings.database_url.startswith("sqlite"):
        return NfsStore(tmp_path_factory.mktemp("objects"))
    server: S3Server = request.getfixturevalue("s3_rclone")
    return S3Store(server.new_bucket())


@pytest.fixture(scope="module")
def pictures(settings: Settings) -> Iterator[Pictures]:
    """The real one, with its processes."""
    maker = Pictures(settings)
    yield maker
    maker.close()


@pytest.fixture(scope="module")
def door(room: Room, objects: ObjectStore, settings: Settings, anna: Person) -> Door:
    return Door(room, objects, settings, anna)


# --- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [pytest.param(bad, id=name) for name, bad in CORPUS.items()])
def test_a_bad_file_is_refused_and_nothing_of_it_stays(door: Door, bad: Bad) -> None:
    before = door.left()
    refused(door.send(bad.data, bad.name), *bad.statuses)
    assert door.left() == before


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_file_is_not_refused(door: Door, kind: str) -> None:
    """Else the corpus would prove nothing."""
    assert door.send(GOOD[kind]).status_code == 201


def test_what_is_too_large_by_a_megabyte_is_told_the_limit(door: Door) -> None:
    before = door.left()
    answer = door.send(a_png() + bytes((MAX_MB + 1) << 20))
    refused(answer, 413)
    assert f"{MAX_MB} MB" in answer.get_json()["message"]
    assert door.left() == before


def test_one_byte_more_than_the_limit_is_too_large_too(door: Door) -> None:
    before = door.left()
    refused(door.send(bytes((MAX_MB << 20) + 1)), 413)
    assert door.left() == before


@ON_ONE
@pytest.mark.parametrize("modality", ["XRAY", "PHOTO"])
def test_a_document_is_no_picture(door: Door, modality: str) -> None:
    before = door.left()
    refused(door.send(a_pdf(), "x.pdf", modality), 415)
    assert door.left() == before


def test_a_wrong_ending_changes_nothing_of_what_a_file_is(door: Door) -> None:
    answer = door.send(GOOD["PNG"], "report.pdf", "XRAY")
    assert answer.status_code == 201
    asset = answer.get_json()["assetId"]
    original = door.person.get(f"/imaging/assets/{asset}?variant=original")
    assert original.mimetype == "image/png"
    assert 'filename="report.pdf.png"' in original.headers["Content-Disposition"]
    assert original.headers["X-Content-Type-Options"] == "nosniff"


# --- forms and fields ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        ({"patientId": None}, (400,)),
        ({"studyId": None}, (400,)),
        ({"modality": None}, (400,)),
        ({"patientId": "three"}, (400,)),
        ({"patientId": -1}, (400,)),
        ({"patientId": "1.5"}, (400,)),
        ({"patientId": 2**63}, (400,)),
        ({"patientId": "345; DROP TABLE imaging_asset"}, (400,)),
        ({"patientId": "../345"}, (400,)),
        ({"studyId": 2**62}, (404,)),
        ({"studyId": "0x10"}, (400,)),
        ({"modality": "xray"}, (400,)),
        ({"modality": "XRAY\x00"}, (400,)),
        ({"capturedAt": "yesterday"}, (400,)),
        ({"capturedAt": "2026-02-30T00:00:00Z"}, (400,)),
        ({"capturedAt": "9999-12-31T23:59:59-23:59"}, (400,)),
        ({"sourceDevice": "x" * 4000}, (400,)),
        ({"sourceDevice": "a\nb"}, (400,)),
        ({"sourceDevice": "x" * 5000}, (400,)),
        ({"clinicId": 13}, (400,)),
        ({"storage_key": "clinic_13/x"}, (400,)),
    ],
)
def test_fields_that_do_not_fit_are_refused(door: Door, change: dict[str, Any], statuses: tuple[int, ...]) -> None:
    before = door.left()
    sent = form(door.study, GOOD["PNG"]) | {key: str(value) for key, value in change.items()}
    for key in [key for key, value in change.items() if value is None]:
        del sent[key]
    refused(door.person.put("/imaging/assets/upload", data=sent), *statuses)
    assert door.left() == before


@ON_ONE
def test_a_form_without_a_file_and_one_with_two_are_refused(door: Door) -> None:
    before = door.left()
    without = {key: value for key, value in form(door.study, b"").items() if key != "file"}
    refused(door.person.put("/imaging/assets/upload", data=without), 400)
    two = without | {"file": [(io.BytesIO(GOOD["PNG"]), "a.png"), (io.BytesIO(GOOD["PNG"]), "b.png")]}
    refused(door.person.put("/imaging/assets/upload", data=two), 400)
    assert door.left() == before


@ON_ONE
@CHANCE
@given(body=some.binary(max_size=600))
def test_no_bytes_make_the_reader_of_forms_fail(door: Door, body: bytes) -> None:
    before = door.left()
    for sent in (body, b"--b\r\n" + body, b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + body):
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        refused(door.person.put("/imaging/assets/upload", data=sent, headers=headers), 400, 413, 415)
    assert door.left() == before


@ON_ONE
@CHANCE
@given(kind=some.text(max_size=80).filter(lambda said: "\n" not in said and "\r" not in said))
def test_no_content_type_makes_the_reader_of_forms_fail(door: Door, kind: str) -> None:
    before = door.left()
    sent = {"Content-Type": f"multipart/form-data; boundary={kind}".encode("latin-1", "replace").decode("latin-1")}
    refused(door.person.put("/imaging/assets/upload", data=b"--b--", headers=sent), 400)
    assert door.left() == before


@ON_ONE
@pytest.mark.parametrize("cut", [1, 40, 200, 700, -700, -60, -10, -2])
def test_a_form_that_breaks_off_is_refused(door: Door, cut: int) -> None:
    before = door.left()
    head = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("patientId", 345), ("studyId", door.study), ("modality", "XRAY"))
    )
    whole = head.encode() + b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n'
    whole += GOOD["PNG"] + b"\r\n--b--"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    refused(door.person.put("/imaging/assets/upload", data=whole[:cut], headers=headers), 400)
    assert door.left() == before
    answer = door.person.put("/imaging/assets/upload", data=whole, headers=headers)
    assert answer.status_code == 201, answer.text


# --- by chance ----------------------------------------------------------------------------------------------------


@ON_ONE
@CHANCE
@given(kind=some.sampled_from(sorted(GOOD)), begun=some.integers(4, 64), noise=some.binary(min_size=1, max_size=2000))
def test_noise_behind_a_good_beginning_is_refused(door: Door, kind: str, begun: int, noise: bytes) -> None:
    before = door.left()
    refused(door.send(GOOD[kind][:begun] + noise), 413, 415, 422)
    assert door.left() == before


@CHANCE
@given(kind=some.sampled_from(sorted(GOOD)), seed=some.integers(0, 2**32))
def test_a_file_with_wrong_bits_is_filed_or_refused_and_nothing_between(door: Door, kind: str, seed: int) -> None:
    """A wrong bit in pixels of a BMP is another pixel; what no longer decodes leaves nothing."""
    chance, data = random.Random(seed), bytearray(GOOD[kind])
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    before = door.left()
    answer = door.send(bytes(data))
    after = door.left()
    if answer.status_code == 201:
        assert (after.rows, len(after.objects)) == (before.rows + 1, len(before.objects) + 3)
        assert after.files == before.files
    else:
        refused(answer, 413, 415, 422)
        assert after == before


# --- in parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"patientId": "x"}, {"studyId": None}, {"modality": "MR"}, {"mimeType": 5}, {"mimeType": "text/html"},
     {"totalBytes": -1}, {"totalBytes": 0}, {"totalBytes": (MAX_MB << 20) + 1}, {"totalBytes": "many"},
     {"sha256": "x"}, {"capturedAt": "noon"}, {"studyId": 2**62}, {"more": 1}, {"fileName": ["x"]}],
)  # fmt: skip
def test_an_upload_in_parts_that_cannot_be_is_refused_before_it_begins(door: Door, change: dict[str, Any]) -> None:
    before = door.left()
    body = {"patientId": 345, "studyId": door.study, "modality": "XRAY", "mimeType": "image/png"} | change
    refused(door.person.post("/imaging/assets/upload-init", json=body), 400, 404, 413, 415)
    assert door.left() == before


def refused_in_parts(door: Door, bad: Bad) -> None:
    """What is left is the memory of the refusal, for a day: who asks again is told the same."""
    before = door.left()
    body = {"patientId": 345, "studyId": door.study, "modality": "DOC", "mimeType": "image/png", "fileName": bad.name}
    made = door.person.post("/imaging/assets/upload-init", json=body)
    assert made.status_code == 201, made.text
    upload_id = made.get_json()["uploadId"]
    if bad.data:
        sent = door.person.put(f"/imaging/uploads/{upload_id}/chunks?offset=0", data=bad.data)
        if sent.status_code != 200:
            refused(sent, 413, 415)
    whole = {"totalBytes": len(bad.data) or 1}
    answer = door.person.post(f"/imaging/uploads/{upload_id}/complete", json=whole)
    refused(answer, 409, *bad.statuses)
    door.person.delete(f"/imaging/uploads/{upload_id}")
    after = door.left()
    assert (after.rows, after.objects, after.files) == (before.rows, before.objects, before.files)


@ON_ONE
@pytest.mark.parametrize("name", sorted(CORPUS))
def test_a_bad_file_in_parts_is_refused_as_well(door: Door, name: str) -> None:
    refused_in_parts(door, CORPUS[name])


@pytest.mark.parametrize("name", OF_EACH_ANSWER)
def test_each_answer_is_the_same_in_parts_on_both_grounds(door: Door, name: str) -> None:
    refused_in_parts(door, CORPUS[name])
