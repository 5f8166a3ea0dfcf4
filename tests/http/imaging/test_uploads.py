"""A file that is uploaded whole is an asset with its pictures, or nothing of it stays."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from readingroom.app import Room
from readingroom.errors import BrokenPicture, StorageUnavailable
from readingroom.imaging import filing, variants_kept
from readingroom.imaging.tables import imaging_asset
from readingroom.objects import NfsStore
from readingroom.settings import Settings
from sqlalchemy import func, select
from structlog.testing import capture_logs
from werkzeug.test import EnvironBuilder

from tests.http.conftest import Person
from tests.http.imaging.pictures_drawn import filed, form, jpeg, noise_png, png, study, upload
from tests.http.imaging.stand_ins import PicturesOnDemand
from tests.http.imaging.test_studies import events


def rows(room: Room) -> int:
    with room.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(imaging_asset)) or 0


def everything(room: Room, objects: NfsStore) -> tuple[int, int]:
    """Rows, and stored objects."""
    return rows(room), sum(1 for _ in objects.walk())


@pytest.fixture(autouse=True)
def nothing_left_on_the_way(settings: Settings) -> Iterator[None]:
    yield
    until(lambda: spooled(settings) == [])


def spooled(settings: Settings) -> list[Path]:
    """Files on their way."""
    folder = settings.data / "spool" / "pictures"
    return list(folder.rglob("*")) if folder.exists() else []


def part(head: str, body: bytes) -> bytes:
    """A part of a form whose boundary is b."""
    return f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n"


FORM, END = "multipart/form-data; boundary=b", b"--b--\r\n"


def test_an_upload_is_stored_hashed_pictured_and_told(
    room: Room, objects: NfsStore, anna: Person, admin: Person
) -> None:
    data, study_id = png(2500, 1000), study(anna)
    asset = filed(
        anna, study_id, data, "Bißflügel rechts.png", capturedAt="2026-02-09T15:30:12+02:00", sourceDevice="Schick 33"
    )
    (told,) = anna.get(f"/imaging/studies/{study_id}").get_json()["assets"]
    assert told == {
        "id": asset,
        "studyId": study_id,
        "patientId": 345,
        "modality": "XRAY",
        "mimeType": "image/png",
        "sizeBytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "fileName": "Bißflügel rechts.png",
        "width": 2500,
        "height": 1000,
        "capturedAt": "2026-02-09T13:30:12.000Z",
        "sourceDevice": "Schick 33",
        "createdAt": told["createdAt"],
        "thumbUrl": f"/imaging/assets/{asset}?variant=thumb",
        "webUrl": f"/imaging/assets/{asset}?variant=web",
        "originalUrl": f"/imaging/assets/{asset}?variant=original",
        "dicomInstanceId": None,
    }
    with room.database.read() as connection:
        row = connection.execute(select(imaging_asset).where(imaging_asset.c.id == asset)).one()
    base = f"clinic_12/patients/345/studies/{study_id}"
    stamp = row.created_at.strftime("%Y%m%dT%H%M%SZ")
    assert (row.storage_backend, row.storage_key) == ("nfs", f"{base}/originals/{asset}_{stamp}.png")
    assert (row.thumb_key, row.web_key) == (f"{base}/thumbs/{asset}_thumb.webp", f"{base}/web/{asset}_web.webp")
    with objects.open(row.storage_key) as blob:
        assert b"".join(blob.read_range()) == data
    for variant, width in (("original", 2500), ("web", 2000), ("thumb", 400)):
        answer = anna.get(f"/imaging/assets/{asset}?variant={variant}")
        assert (answer.status_code, Image.open(io.BytesIO(answer.data)).width) == (200, width)
    (created,) = events(admin, "imaging.asset.create", asset)
    assert created["actor"] == "anna" and created["payload"] == {
        "bytes": len(data),
        "mime_type": "image/png",
        "modality": "XRAY",
        "patient_id": 345,
        "sha256": told["sha256"],
        "study_id": study_id,
    }
    assert len(events(admin, "imaging.asset.thumb_generated", asset)) == 1
    assert len(events(admin, "imaging.asset.view", asset)) == 1  # three views within five minutes


def test_the_moment_of_upload_counts_where_no_other_is_known(anna: Person) -> None:
    study_id = study(anna)
    filed(anna, study_id, jpeg(), None, modality="PHOTO")
    (told,) = anna.get(f"/imaging/studies/{study_id}").get_json()["assets"]
    assert (told["capturedAt"], told["fileName"], told["sourceDevice"]) == (told["createdAt"], "", None)


def test_post_and_put_are_the_same_and_empty_fields_are_left_out(anna: Person) -> None:
    answer = anna.post("/imaging/assets/upload", data=form(study(anna), png(), capturedAt="", sourceDevice=""))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"patientId": None}, 400, "patientId"),
        ({"studyId": None}, 400, "studyId"),
        ({"studyId": "x"}, 400, "studyId"),
        ({"modality": None}, 400, "modality"),
        ({"modality": "MR"}, 400, "modality"),
        ({"capturedAt": "noon"}, 400, "capturedAt"),
        ({"clinicId": 13}, 400, "clinicId"),
        ({"patientId": 346}, 404, "no such study"),
        ({"studyId": 99999999}, 404, "no such study"),
    ],
)
def test_fields_that_do_not_fit_are_named_and_nothing_is_kept(
    room: Room, objects: NfsStore, anna: Person, change: dict[str, Any], status: int, word: str
) -> None:
    study_id = study(anna)
    before = everything(room, objects)
    answer = upload(anna, study_id, png(), **({"studyId": study_id} | change))
    assert (answer.status_code, word in answer.get_json()["message"]) == (status, True), answer.text
    assert everything(room, objects) == before


def test_a_pdf_is_a_document_and_no_x_ray(room: Room, objects: NfsStore, anna: Person) -> None:
    study_id = study(anna, kind="DOCUMENT")
    data = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF"
    before = everything(room, objects)
    answer = upload(anna, study_id, data, "x.pdf")
    assert (answer.status_code, answer.get_json()["error"]) == (415, "unsupported_media")
    assert everything(room, objects) == before
    asset = filed(anna, study_id, data, "letter.PNG", modality="DOC")
    original = anna.get(f"/imaging/assets/{asset}?variant=original")
    assert original.headers["Content-Disposition"] == 'attachment; filename="letter.PNG.pdf"'
    assert (original.mimetype, original.data) == ("application/pdf", data)


def test_more_than_the_limit_is_a_413_that_names_it(room: Room, objects: NfsStore, anna: Person) -> None:
    study_id, before = study(anna), everything(room, objects)
    for size in ((2 << 20) + 1, 3 << 20):
        answer = upload(anna, study_id, png() + bytes(size - len(png())))
        assert (answer.status_code, answer.get_json()["error"]) == (413, "payload_too_large")
        assert "2 MB" in answer.get_json()["message"] and answer.get_json()["detail"] == {"maxBytes": 2 << 20}
    assert everything(room, objects) == before
    limits = anna.get("/imaging/limits").get_json()
    assert (limits["maxBytes"], "image/png" in limits["accepted"], limits["chunkBytes"] > 0) == (2 << 20, True, True)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        (FORM, b""),
        (FORM, b"nothing of a form"),
        (FORM, b"--b\r\n\r\nx\r\n--b--\r\n"),
        (FORM, part('name="patientId"', b"1") + END),
        (FORM, part('name="file"; filename="a"', b"\x89PNG")),
        (FORM, part('name="modality"', b"\xff") + END),
        (FORM, part('name="kind"', b"x" * 5000) + END),
        (FORM, part('name="other"; filename="a"', b"x") + END),
        (FORM, part('name="modality"', b"DOC") * 2 + END),
        (FORM, part('name="file"; filename="a"', b"x") * 2 + END),
        (FORM, part('name="x"', b"x") * 40 + END),
    ],
)
def test_what_is_no_such_form_is_a_400(room: Room, anna: Person, kind: str, body: bytes) -> None:
    before = rows(room)
    answer = anna.put("/imaging/assets/upload", data=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request"), answer.text
    assert rows(room) == before


def test_a_picture_that_cannot_be_made_leaves_nothing(
    room: Room, objects: NfsStore, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id, before = study(anna), everything(room, objects)
    monkeypatch.setattr(pictures, "error", BrokenPicture("Its second half is missing."))
    answer = upload(anna, study_id, png())
    assert (answer.status_code, answer.get_json()["error"]) == (422, "broken_picture")
    assert everything(room, objects) == before
    assert anna.get(f"/imaging/studies/{study_id}").get_json()["assets"] == []


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_store_that_goes_away_at_any_of_the_three_objects_leaves_nothing(
    room: Room, objects: NfsStore, anna: Person, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    study_id, before, calls, put = study(anna), everything(room, objects), [], NfsStore.put

    def failing(self: NfsStore, *place: Any, **more: Any) -> Any:
        calls.append(place)
        if len(calls) == nth:
            raise StorageUnavailable("The store does not answer.", retry_after=7)
        return put(self, *place, **more)

    monkeypatch.setattr(NfsStore, "put", failing)
    answer = upload(anna, study_id, png())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert everything(room, objects) == before
    assert upload(anna, study_id, png()).status_code == 201


def test_what_cannot_be_removed_is_never_shown_and_known_as_abandoned(
    room: Room, objects: NfsStore, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = study(anna)
    monkeypatch.setattr(pictures, "error", BrokenPicture("Its second half is missing."))
    with monkeypatch.context() as patched:
        patched.setattr(NfsStore, "delete", lambda *_: (_ for _ in ()).throw(StorageUnavailable("Gone.")))
        assert upload(anna, study_id, png()).status_code == 422
    with room.database.read() as connection:
        (left,) = connection.execute(select(imaging_asset).where(imaging_asset.c.study_id == study_id)).all()
    assert left.state == filing.ABANDONED and objects.stat(left.storage_key) is not None
    assert anna.get(f"/imaging/studies/{study_id}").get_json()["assets"] == []
    for variant in ("original", "web", "thumb"):
        assert anna.get(f"/imaging/assets/{left.id}?variant={variant}").status_code == 404
    assert anna.delete(f"/imaging/assets/{left.id}").status_code == 404


def test_an_upload_does_not_wait_long_for_its_pictures(
    room: Room, pictures: PicturesOnDemand, anna: Person, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "UPLOAD_SECONDS", 0.2)
    pictures.gate.clear()
    try:
        asset = filed(anna, study(anna), png())
        assert events(admin, "imaging.asset.thumb_generated", asset) == []
        assert len(events(admin, "imaging.asset.create", asset)) == 1
    finally:
        pictures.gate.set()
    until(lambda: len(events(admin, "imaging.asset.thumb_generated", asset)) == 1)
    made = pictures.made
    assert anna.get(f"/imaging/assets/{asset}?variant=thumb").status_code == 200
    assert pictures.made == made


def test_no_more_uploads_than_have_a_place_are_filed_at_a_time(
    room: Room, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id, statuses = study(anna), []
    pictures.gate.clear()

    def send(n: int) -> None:
        person = Person(room.app.test_client(), "anna", anna.headers)
        statuses.append(upload(person, study_id, png(seed=n)).status_code)

    senders = [threading.Thread(target=send, args=(n,)) for n in range(filing.AT_ONCE + 3)]
    try:
        for sender in senders:
            sender.start()
        until(lambda: statuses.count(429) == 3)
    finally:
        pictures.gate.set()
    for sender in senders:
        sender.join()
    assert sorted(statuses) == [201] * filing.AT_ONCE + [429] * 3


def test_a_body_that_the_gateway_holds_as_a_file_is_read_from_there_and_from_nowhere_else(
    room: Room, settings: Settings, anna: Person, tmp_path: Path
) -> None:
    study_id, data = study(anna), noise_png(1 << 20)
    sent = EnvironBuilder(method="PUT", data=form(study_id, data)).get_environ()
    body, kind = sent["wsgi.input"].read(), sent["CONTENT_TYPE"]
    folder = settings.data / "run" / "gateway-temp" / "body"
    folder.mkdir(parents=True)
    (folder / "0000000001").write_bytes(body)
    (tmp_path / "0000000002").write_bytes(body)
    (folder / "0000000003").symlink_to(tmp_path / "0000000002")

    def ask(place: str, secret: str = settings.gateway_secret.get_secret_value()) -> int:
        headers = {"X-Readingroom-Body": place, "X-Readingroom-Gateway": secret, "Content-Type": kind}
        return anna.put("/imaging/assets/upload", headers=headers, input_stream=io.BytesIO()).status_code

    assert ask(str(folder / "0000000001")) == 201
    assert ask(str(folder / "0000000001"), "guessed") == 400  # not believed: the request's own body is empty
    assert ask(str(tmp_path / "0000000002")) == 503  # the name alone counts, and the folder has none of it
    assert ask(str(folder / "0000000003")) == 503  # a link leads elsewhere
    assert ask("/etc/passwd") == ask(f"{folder}/../body/x") == ask("") == 400
    assert (folder / "0000000001").exists()


def until(holds: Any, seconds: float = 60) -> None:
    """Wait for what happens beside requests."""
    done = threading.Event()
    for _ in range(int(seconds * 20)):
        if holds():
            return
        done.wait(0.05)
    raise AssertionError("it did not come to that")


def test_what_takes_long_is_told_in_the_log(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "SLOW_SECONDS", -1.0)
    monkeypatch.setattr(variants_kept, "SLOW_SECONDS", -1.0)
    with capture_logs() as told:
        asset = filed(anna, study(anna), png(300, 200, seed=40), "Anna Müller.png")
    slow = {each["event"]: each for each in told if each["event"].startswith("slow_")}
    assert (slow["slow_upload"]["asset"], slow["slow_upload"]["log_level"]) == (asset, "warning")
    assert (slow["slow_variants"]["width"], slow["slow_variants"]["mime"]) == (300, "image/png")
    assert "Müller" not in str(told)


def test_more_uploads_than_pictures_can_be_made_of_are_filed_without_them(
    pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch, room: Room
) -> None:
    monkeypatch.setattr(filing, "UPLOAD_SECONDS", 0.05)
    study_id = study(anna)
    pictures.gate.clear()
    try:
        assets = [filed(anna, study_id, png(seed=50 + n)) for n in range(variants_kept.JOBS + 2)]
    finally:
        pictures.gate.set()
    until(lambda: pictured(room, assets) == variants_kept.JOBS)
    for asset in assets[-2:]:
        assert anna.get(f"/imaging/assets/{asset}?variant=thumb").status_code == 200
    assert pictured(room, assets) == len(assets)


def pictured(room: Room, assets: list[int]) -> int:
    """How many of these have their thumbnail."""
    c = imaging_asset.c
    with room.database.read() as connection:
        return connection.scalar(select(func.count()).where(c.id.in_(assets), c.thumb_key.is_not(None))) or 0


def test_what_would_fill_the_disk_is_refused_before_it_is_taken(
    room: Room, objects: NfsStore, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id, before = study(anna), everything(room, objects)
    small = os.statvfs_result((4096, 4096, 1000, 60, 60, 0, 0, 0, 0, 0))  # 240 kB are free, 200 kB stay so
    monkeypatch.setattr(os, "statvfs", lambda _: small)
    answer = upload(anna, study_id, noise_png(100_000))
    assert (answer.status_code, answer.get_json()["error"]) == (507, "storage_full")
    assert everything(room, objects) == before
