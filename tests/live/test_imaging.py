"""Imaging assets of real instances: on SQLite with a folder, on PostgreSQL with a bucket, with the same keys on both.

What the imaging service is done with (its specification's last section), one after the other; uploads in parts; and
assets that become DICOM instances which Orthanc shows.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.pixels.utils import pixel_array
from readingroom.db import Database, open_database
from readingroom.imaging.tables import imaging_asset
from readingroom.objects import NfsStore, ObjectStore
from readingroom.objects.s3 import Bucket, S3Store
from sqlalchemy import Row, select

from tests.fixtures.instance import PASSWORD, Client, LiveInstance, running
from tests.fixtures.s3 import S3Server
from tests.http.imaging.bad_files import a_pdf, coloured

DOWN, ACROSS = numpy.mgrid[0:900, 0:1200]
DEEP = (8000 + (ACROSS * 23 + DOWN * 11) % 40_000).astype("<u2")
KEY = re.compile(
    r"clinic_12/patients/345/studies/(\d+)/(originals|thumbs|web)/(\d+)_(\d{8}T\d{6}Z\.\w+|thumb\.webp|web\.webp)"
)


def deep_png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(DEEP).save(file, "PNG", compress_level=1)
    return file.getvalue()


class Clinic:
    """A running instance, somebody of clinic 12 in it, and what lies behind it."""

    def __init__(self, live: LiveInstance, backend: str, database: Database, objects: ObjectStore) -> None:
        self.live = live
        self.backend = backend
        self.objects = objects
        self._database = database
        live.account("anna", "clinician", "--clinic", "12")
        self.anna = Client(live.url, "anna", PASSWORD)
        self.admin = live.admin

    def study(self, **fields: object) -> int:
        """A fresh one."""
        body = {"patientId": 345, "kind": "XRAY_BWX", "title": "BWX", "capturedAt": "2026-02-09T15:30:12Z"} | fields
        answer = self.anna.post("/imaging/studies", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["studyId"])

    def filed(self, study: int, data: bytes, name: str, modality: str) -> int:
        """Upload a form through the gateway; its id."""
        fields = {"patientId": 345, "studyId": study, "modality": modality, "sourceDevice": "Schick 33"}
        answer = self.anna.post("/imaging/assets/upload", data=fields, files={"file": (name, data)})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["assetId"])

    def row(self, asset: int) -> Row[Any]:
        """As the database has it."""
        with self._database.read() as connection:
            return connection.execute(select(imaging_asset).where(imaging_asset.c.id == asset)).one()

    def stored(self, key: str) -> bytes:
        """As the store has it."""
        with self.objects.open(key) as blob:
            return b"".join(blob.read_range())

    def events(self, action: str, entity: int) -> list[dict[str, Any]]:
        """What the trail says of it."""
        found = self.admin.get(f"/api/audit?action={action}&limit=500").json()["items"]
        return [each for each in found if each["entityId"] == str(entity)]


@pytest.fixture(scope="module", params=["sqlite and a folder", "postgresql and a bucket"])
def clinic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    data = tmp_path_factory.mktemp("imaging") / "data"
    settings: dict[str, str] = {}
    bucket: Bucket | None = None
    if request.param.startswith("postgresql"):
        server: S3Server = request.getfixturevalue("s3_rclone")
        bucket = server.new_bucket()
        settings = {
            "DATABASE_URL": request.getfixturevalue("postgres").new_database(),
            "IMAGING_STORAGE_BACKEND": "s3", "IMAGING_S3_ENDPOINT": bucket.endpoint, "IMAGING_S3_BUCKET": bucket.name,
            "IMAGING_S3_ACCESS_KEY_ID": bucket.access_key, "IMAGING_S3_SECRET_ACCESS_KEY": bucket.secret_key,
        }  # fmt: skip
    with running(data, **settings) as live:
        database = open_database(settings.get("DATABASE_URL", f"sqlite:///{data / 'readingroom.db'}"))
        objects: ObjectStore = S3Store(bucket) if bucket else NfsStore(data / "imaging")
        try:
            yield Clinic(live, "s3" if bucket else "nfs", database, objects)
        finally:
            objects.close()
            database.close()


# --- done when ----------------------------------------------------------------------------------------------------


def test_one_a_study_is_made_and_told_in_the_trail(clinic: Clinic) -> None:
    study = clinic.study()
    (event,) = clinic.events("imaging.study.create", study)
    assert (event["actor"], event["clinic"], event["entityTable"]) == ("anna", "12", "imaging_study")
    health = clinic.anna.get("/health").json()
    assert (health["ok"], health["backend"]) == (True, clinic.backend)


def test_two_an_upload_is_in_the_store_and_in_the_database_with_its_pictures(clinic: Clinic) -> None:
    study, data = clinic.study(), deep_png()
    asset = clinic.filed(study, data, "bite.png", "XRAY")
    row = clinic.row(asset)
    assert (row.size_bytes, row.sha256, row.mime_type) == (len(data), hashlib.sha256(data).hexdigest(), "image/png")
    assert (row.storage_backend, row.clinic_id, row.patient_id) == (clinic.backend, 12, 345)
    assert clinic.stored(row.storage_key) == data
    for key, width in ((row.thumb_key, 400), (row.web_key, 1200)):
        picture = Image.open(io.BytesIO(clinic.stored(key)))
        assert (picture.format, picture.width) == ("WEBP", width)


def test_three_thumbnails_come_through_the_gateway(clinic: Clinic) -> None:
    asset = clinic.filed(clinic.study(), deep_png(), "bite.png", "XRAY")
    answer = clinic.anna.get(f"/imaging/assets/{asset}?variant=thumb")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
    assert answer.content == clinic.stored(clinic.row(asset).thumb_key)
    assert answer.headers["Cache-Control"].startswith("private, max-age=")
    again = clinic.anna.get(f"/imaging/assets/{asset}?variant=thumb", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert clinic.live.anonymous.get(f"/imaging/assets/{asset}?variant=thumb").status_code == 401


def test_four_keys_are_the_same_on_both_backends(clinic: Clinic) -> None:
    """What one backend calls them is what the other does: the pattern holds on each, to the last character."""
    study = clinic.study()
    assets = {
        clinic.filed(study, data, name, modality): ending
        for data, name, modality, ending in (
            (deep_png(), "a.png", "XRAY", "png"), (coloured("JPEG"), "b.jpeg", "PHOTO", "jpg"),
            (a_pdf(), "c.pdf", "DOC", "pdf"),
        )
    }  # fmt: skip
    for asset, ending in assets.items():
        row = clinic.row(asset)
        moment = row.created_at.strftime("%Y%m%dT%H%M%SZ")
        place = f"clinic_12/patients/345/studies/{study}"
        assert row.storage_key == f"{place}/originals/{asset}_{moment}.{ending}"
        assert (row.thumb_key, row.web_key) == (f"{place}/thumbs/{asset}_thumb.webp", f"{place}/web/{asset}_web.webp")
    keys = [stat.key for stat in clinic.objects.walk()]
    assert len(keys) >= 9
    assert [key for key in keys if not KEY.fullmatch(key)] == []
    if clinic.backend == "nfs":
        folder = clinic.live.data / "imaging"
        assert all((folder / key).is_file() for key in keys)


def test_five_every_act_is_in_the_trail(clinic: Clinic) -> None:
    study = clinic.study()
    asset = clinic.filed(study, deep_png(), "bite.png", "XRAY")
    assert clinic.anna.get(f"/imaging/assets/{asset}").status_code == 200
    assert clinic.anna.delete(f"/imaging/assets/{asset}").status_code == 204
    assert clinic.anna.get(f"/imaging/assets/{asset}").status_code == 404
    for action, entity in (
        ("imaging.study.create", study),
        ("imaging.asset.create", asset),
        ("imaging.asset.thumb_generated", asset),
        ("imaging.asset.view", asset),
        ("imaging.asset.delete", asset),
    ):
        (event,) = clinic.events(action, entity)
        assert (event["actor"], event["clinic"], event["outcome"]) == ("anna", "12", "ok"), event
        assert event["requestId"] and datetime.fromisoformat(event["time"])
    assert clinic.row(asset).is_active is False
    assert clinic.live.script("admin", "audit", "verify").returncode == 0


# --- in parts, and in ranges --------------------------------------------------------------------------------------


def test_parts_come_in_any_order_and_twice_and_become_one_file(clinic: Clinic) -> None:
    study, data = clinic.study(), deep_png()
    body = {"patientId": 345, "studyId": study, "modality": "XRAY", "mimeType": "image/png", "totalBytes": len(data)}
    begun = clinic.anna.post("/imaging/assets/upload-init", json=body)
    assert begun.status_code == 201, begun.text
    where = f"/imaging/uploads/{begun.json()['uploadId']}"
    size = -(-len(data) // 5)
    for part in (3, 0, 4, 0, 2):
        piece = data[part * size : (part + 1) * size]
        sent = clinic.anna.put(f"{where}/chunks?offset={part * size}", data=piece)
        assert sent.status_code == 200, sent.text
    assert clinic.anna.post(f"{where}/complete", json={"totalBytes": len(data)}).status_code == 409
    assert clinic.anna.get(where).json()["received"] == [[0, size], [2 * size, len(data)]]
    overlapping = data[size - 100 : 2 * size + 100]
    assert clinic.anna.put(f"{where}/chunks?offset={size - 100}", data=overlapping).status_code == 200
    done = {"totalBytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    first = clinic.anna.post(f"{where}/complete", json=done)
    assert first.status_code == 200, first.text
    assert clinic.anna.post(f"{where}/complete", json=done).json() == first.json()
    asset = first.json()["assetId"]
    assert clinic.stored(clinic.row(asset).storage_key) == data
    assert clinic.anna.get(where).json()["assetId"] == asset


@pytest.mark.parametrize(
    ("wanted", "start", "stop"), [("bytes=0-0", 0, 1), ("bytes=1000-1999", 1000, 2000), ("bytes=5000-", 5000, None),
                                  ("bytes=-77", -77, None)],
)  # fmt: skip
def test_ranges_of_an_original(clinic: Clinic, wanted: str, start: int, stop: int | None) -> None:
    data = deep_png()
    asset = clinic.filed(clinic.study(), data, "bite.png", "XRAY")
    answer = clinic.anna.get(f"/imaging/assets/{asset}?variant=original", headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (206, data[start:stop])
    begin = start % len(data)
    assert answer.headers["Content-Range"] == f"bytes {begin}-{begin + len(answer.content) - 1}/{len(data)}"


def test_what_lies_behind_the_end_is_a_416(clinic: Clinic) -> None:
    asset = clinic.filed(clinic.study(), deep_png(), "bite.png", "XRAY")
    answer = clinic.anna.get(f"/imaging/assets/{asset}?variant=original", headers={"Range": "bytes=99999999-"})
    assert answer.status_code == 416


# --- DICOM --------------------------------------------------------------------------------------------------------


def dicom(clinic: Clinic, asset: int, **said: object) -> dict[str, str]:
    answer = clinic.anna.post(f"/imaging/assets/{asset}/dicom", json=said)
    assert answer.status_code == 200, answer.text
    told: dict[str, str] = answer.json()
    return told


def test_an_x_ray_becomes_an_instance_that_orthanc_shows(clinic: Clinic) -> None:
    study = clinic.study()
    asset = clinic.filed(study, deep_png(), "bite.png", "XRAY")
    told = dicom(clinic, asset, burnedIn=False)
    instance = told["orthancId"]
    assert dicom(clinic, asset) == told | {"isNew": False}
    assert clinic.row(asset).dicom_instance_id == instance
    file = dcmread(io.BytesIO(clinic.admin.get(f"/instances/{instance}/file").content))
    assert (pixel_array(file) == DEEP).all()
    assert (file.PatientID, file.Modality) == ("clinic_12/345", "DX")
    assert file.private_block(0x0011, "READING ROOM")[1].value == str(asset)
    (event,) = clinic.events("imaging.asset.dicom", asset)
    assert event["payload"]["orthanc_id"] == instance
    for form in ("preview", "rendered"):
        shown = clinic.admin.get(f"/instances/{instance}/{form}", headers={"Accept": "image/png"})
        assert shown.status_code == 200, shown.text
        picture = Image.open(io.BytesIO(shown.content))
        assert picture.size == (1200, 900)
    # Windowed as its header says: its greys fill what can be shown.
    low, high = picture.convert("L").getextrema()
    assert low < 10 and high > 245  # type: ignore[operator]  # a grey picture has one pair
    found = clinic.admin.get("/dicom-web/studies", params={"PatientID": "clinic_12/345"})
    uids = [each["0020000D"]["Value"][0] for each in found.json()]
    assert told["studyInstanceUid"] in uids


def test_a_photograph_becomes_one_that_orthanc_shows_in_its_colours(clinic: Clinic) -> None:
    data = coloured("JPEG", quality=95)
    asset = clinic.filed(clinic.study(kind="PHOTO"), data, "smile.jpg", "PHOTO")
    told = dicom(clinic, asset)
    assert told["sopClassUid"] == "1.2.840.10008.5.1.4.1.1.77.1.4"
    answer = clinic.admin.get(f"/instances/{told['orthancId']}/preview", headers={"Accept": "image/png"})
    assert answer.status_code == 200, answer.text
    shown = numpy.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)
    expected = numpy.asarray(Image.open(io.BytesIO(data))).astype(int)
    assert shown.shape == expected.shape
    assert abs(shown - expected).mean() < 3


def test_a_document_becomes_one_that_orthanc_gives_back_as_it_was(clinic: Clinic) -> None:
    data = a_pdf()
    asset = clinic.filed(clinic.study(kind="DOCUMENT"), data, "letter.pdf", "DOC")
    told = dicom(clinic, asset)
    pdf = clinic.admin.get(f"/instances/{told['orthancId']}/pdf")
    assert pdf.status_code == 200, pdf.text
    assert pdf.content.rstrip(b"\0") == data.rstrip(b"\0")


def test_a_clinician_opens_nothing_of_orthanc_by_that(clinic: Clinic) -> None:
    asset = clinic.filed(clinic.study(), deep_png(), "bite.png", "XRAY")
    instance = dicom(clinic, asset)["orthancId"]
    assert clinic.anna.get(f"/instances/{instance}/file").status_code == 403
    assert clinic.anna.get("/dicom-web/studies").status_code == 403
