"""An asset becomes a DICOM instance: in its clinic alone, linked both ways, the same one whenever it is asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array
from readingroom.app import Room, build
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.errors import BrokenPicture, PacsError, PacsUnreachable, PicturesUnavailable
from readingroom.identity import ANONYMOUS, ROLES, Caller
from readingroom.imaging.assets import Assets
from readingroom.imaging.dicom_subject import Said
from readingroom.imaging.dicomizing import Dicomizing
from readingroom.imaging.spool import Spool
from readingroom.imaging.tables import imaging_asset
from readingroom.objects import NfsStore
from readingroom.settings import Settings
from sqlalchemy import select, update

from tests.fixtures.kept_instances import KeptInstances, orthanc_id
from tests.http.conftest import PASSWORD, Person
from tests.http.imaging.bad_files import a_pdf, coloured
from tests.http.imaging.pictures_drawn import filed, study
from tests.http.imaging.stand_ins import PicturesOnDemand
from tests.http.imaging.test_studies import events
from tests.http.imaging.test_uploads import spooled, until

DOWN, ACROSS = numpy.mgrid[0:60, 0:80]
DEEP = ((ACROSS * 700 + DOWN * 31) % 65536).astype("<u2")


def deep_png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(DEEP).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def orthanc() -> KeptInstances:
    """Where instances go."""
    return KeptInstances()


@pytest.fixture(scope="module")
def room(settings: Settings, pictures: PicturesOnDemand, objects: NfsStore, orthanc: KeptInstances) -> Iterator[Room]:
    """A room with an Orthanc that takes files."""
    database = open_database(settings.database_url)
    migrate(database)
    built = build(settings, orthanc, SystemClock(), database, objects, pictures)
    built.start()
    by = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
    for role in ROLES:
        built.accounts.create(role, PASSWORD, (role,), "12" if role == "clinician" else None, by)
    yield built
    built.stop()


def made(person: Person, asset: int, **said: object) -> dict[str, str]:
    answer = person.post(f"/imaging/assets/{asset}/dicom", json=said)
    assert answer.status_code == 200, answer.text
    told: dict[str, str] = answer.get_json()
    return told


def instance(orthanc: KeptInstances, told: dict[str, str]) -> Dataset:
    return dcmread(io.BytesIO(orthanc.files[told["orthancId"]]))


def test_an_x_ray_is_an_instance_of_its_study_and_each_knows_of_the_other(
    orthanc: KeptInstances, anna: Person, admin: Person, settings: Settings
) -> None:
    study_id = study(anna)
    asset = filed(anna, study_id, deep_png(), sourceDevice="Schick 33")
    told = made(anna, asset)
    found = instance(orthanc, told)
    assert told == {
        "orthancId": orthanc_id("clinic_12/345", found.StudyInstanceUID, found.SeriesInstanceUID, found.SOPInstanceUID),
        "sopClassUid": "1.2.840.10008.5.1.4.1.1.1.1",
        "studyInstanceUid": found.StudyInstanceUID,
        "seriesInstanceUid": found.SeriesInstanceUID,
        "sopInstanceUid": found.SOPInstanceUID,
        "isNew": True,
    }
    assert (pixel_array(found) == DEEP).all()
    assert found.private_block(0x0011, "READING ROOM")[1].value == str(asset)
    (shown,) = anna.get(f"/imaging/studies/{study_id}").get_json()["assets"]
    assert shown["dicomInstanceId"] == told["orthancId"]
    (event,) = events(admin, "imaging.asset.dicom", asset)
    assert event["actor"] == "anna"
    assert event["payload"] == {
        "orthanc_id": told["orthancId"], "sop_instance_uid": found.SOPInstanceUID, "series": "DX"
    }  # fmt: skip
    assert spooled(settings) == []


def test_asked_again_it_is_the_same_one(orthanc: KeptInstances, anna: Person, adam: Person, admin: Person) -> None:
    asset = filed(anna, study(anna), deep_png())
    first = made(anna, asset)
    before = dict(orthanc.files)
    assert made(adam, asset, laterality="L") == first | {"isNew": False}
    assert orthanc.files == before
    assert len(events(admin, "imaging.asset.dicom", asset)) == 1


def test_what_was_deleted_in_orthanc_is_made_again_with_the_same_uids(
    orthanc: KeptInstances, anna: Person, admin: Person
) -> None:
    asset = filed(anna, study(anna), deep_png())
    first = made(anna, asset)
    orthanc.delete(f"/instances/{first['orthancId']}")
    assert made(anna, asset) == first
    assert first["orthancId"] in orthanc.files
    assert len(events(admin, "imaging.asset.dicom", asset)) == 2


def test_a_crash_before_the_row_knew_is_made_good_by_asking_again(
    room: Room, orthanc: KeptInstances, anna: Person
) -> None:
    asset = filed(anna, study(anna), deep_png())
    first = made(anna, asset)
    with room.database.write() as connection:
        connection.execute(update(imaging_asset).where(imaging_asset.c.id == asset).values(dicom_instance_id=None))
    before = dict(orthanc.files)
    assert made(anna, asset) == first
    assert orthanc.files == before


def test_several_who_ask_at_once_get_one_instance(room: Room, orthanc: KeptInstances, anna: Person) -> None:
    asset, before = filed(anna, study(anna), deep_png()), len(orthanc.files)

    def ask(_: int) -> tuple[int, str]:
        person = Person(room.app.test_client(), "anna", anna.headers)
        answer = person.post(f"/imaging/assets/{asset}/dicom", json={})
        return answer.status_code, answer.get_json().get("orthancId", "")

    with ThreadPoolExecutor(6) as crowd:
        told = list(crowd.map(ask, range(6)))
    good = {instance for status, instance in told if status == 200}
    assert len(good) == 1 and {status for status, _ in told} <= {200, 429}
    assert len(orthanc.files) == before + 1


def test_one_study_holds_each_kind_in_a_series_of_its_own(orthanc: KeptInstances, anna: Person) -> None:
    study_id = study(anna)
    files = [(deep_png(), "XRAY"), (coloured("JPEG"), "PHOTO"), (coloured("PNG"), "DOC"), (a_pdf(), "DOC")]
    assets = [filed(anna, study_id, data, modality=modality) for data, modality in [*files, files[0]]]
    found = [instance(orthanc, made(anna, asset)) for asset in assets]
    assert [each.Modality for each in found] == ["DX", "XC", "OT", "DOC", "DX"]
    assert len({each.StudyInstanceUID for each in found}) == 1
    assert len({each.SeriesInstanceUID for each in found}) == 4
    assert found[0].SeriesInstanceUID == found[4].SeriesInstanceUID
    assert [each.InstanceNumber for each in found] == [1, 2, 3, 4, 5]
    document = found[3].EncapsulatedDocument[: found[3].EncapsulatedDocumentLength]
    assert document == files[3][0]


def test_what_the_clinic_knows_goes_into_the_header(orthanc: KeptInstances, anna: Person) -> None:
    asset = filed(anna, study(anna), deep_png())
    said = {"laterality": "R", "patientOrientation": ["P", "FR"], "burnedIn": False, "pixelSpacing": 0.015}
    found = instance(orthanc, made(anna, asset, **said))
    assert (found.ImageLaterality, list(found.PatientOrientation)) == ("R", ["P", "FR"])
    assert (found.BurnedInAnnotation, list(found.ImagerPixelSpacing)) == ("NO", [0.015, 0.015])


@pytest.mark.parametrize(
    "said",
    [{"laterality": "X"}, {"patientOrientation": ["L"]}, {"patientOrientation": ["LR", "F"]},
     {"patientOrientation": ["AA", "F"]}, {"patientOrientation": ["", "F"]}, {"pixelSpacing": 0},
     {"pixelSpacing": "wide"}, {"patientName": "Doe^Jane"}, {"burnedIn": "perhaps"}],
)  # fmt: skip
def test_what_cannot_be_said_is_a_400(orthanc: KeptInstances, anna: Person, said: dict[str, object]) -> None:
    asset, before = filed(anna, study(anna), deep_png()), len(orthanc.files)
    assert anna.post(f"/imaging/assets/{asset}/dicom", json=said).status_code == 400
    assert len(orthanc.files) == before


def test_another_clinic_s_asset_a_deleted_one_and_none_are_the_same_404(
    orthanc: KeptInstances, anna: Person, ben: Person, clinicless: Person, student: Person
) -> None:
    asset, gone = filed(anna, study(anna), deep_png()), filed(anna, study(anna), deep_png())
    assert anna.delete(f"/imaging/assets/{gone}").status_code == 204
    before = len(orthanc.files)
    answers = [
        ben.post(f"/imaging/assets/{asset}/dicom", json={}),
        anna.post(f"/imaging/assets/{gone}/dicom", json={}),
        anna.post("/imaging/assets/99999999/dicom", json={}),
        anna.post("/imaging/assets/x/dicom", json={}),
    ]
    assert {(each.status_code, each.get_json()["message"]) for each in answers} == {(404, "There is no such asset.")}
    assert clinicless.post(f"/imaging/assets/{asset}/dicom", json={}).status_code == 403
    assert student.post(f"/imaging/assets/{asset}/dicom", json={}).status_code == 403
    assert len(orthanc.files) == before


@pytest.mark.parametrize(("error", "status"), [(PacsUnreachable("Gone."), 503), (PacsError("Full."), 502)])
def test_an_orthanc_that_takes_nothing_leaves_the_row_as_it_was(
    room: Room, orthanc: KeptInstances, anna: Person, settings: Settings, error: Exception, status: int
) -> None:
    asset = filed(anna, study(anna), deep_png())
    orthanc.error = error
    try:
        assert anna.post(f"/imaging/assets/{asset}/dicom", json={}).status_code == status
    finally:
        orthanc.error = None
    with room.database.read() as connection:
        row = connection.execute(select(imaging_asset).where(imaging_asset.c.id == asset)).one()
    assert row.dicom_instance_id is None
    until(lambda: spooled(settings) == [])
    assert made(anna, asset)["isNew"]


def test_a_stored_file_that_is_no_longer_what_was_filed_becomes_nothing(
    room: Room, orthanc: KeptInstances, anna: Person
) -> None:
    asset, before = filed(anna, study(anna), deep_png()), len(orthanc.files)
    with room.database.write() as connection:
        connection.execute(update(imaging_asset).where(imaging_asset.c.id == asset).values(sha256="0" * 64))
    answer = anna.post(f"/imaging/assets/{asset}/dicom", json={})
    assert (answer.status_code, answer.get_json()["error"]) == (500, "stored_file_broken")
    assert len(orthanc.files) == before


def test_a_file_of_several_pages_is_told_that_it_cannot_be_an_image(anna: Person) -> None:
    file = io.BytesIO()
    page = Image.fromarray(DEEP)
    page.save(file, "TIFF", save_all=True, append_images=[page])
    asset = filed(anna, study(anna), file.getvalue())
    answer = anna.post(f"/imaging/assets/{asset}/dicom", json={})
    assert (answer.status_code, answer.get_json()["error"]) == (422, "broken_picture")
    assert "several pages" in answer.get_json()["message"]


@pytest.mark.parametrize(
    ("ending", "error"),
    [("kill -SEGV $$", BrokenPicture), ("kill -XCPU $$", BrokenPicture), ("kill -KILL $$", PicturesUnavailable),
     ("exit 1", PicturesUnavailable), ("exit 0", PicturesUnavailable)],
)  # fmt: skip
def test_a_process_that_ends_blames_the_file_only_where_the_file_did_it(
    room: Room, orthanc: KeptInstances, objects: NfsStore, settings: Settings, anna: Person, tmp_path: Path,
    ending: str, error: type[Exception],
) -> None:  # fmt: skip
    asset, before = filed(anna, study(anna), deep_png()), len(orthanc.files)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nulimit -c 0\nsleep 0.2\n{ending}\n")
    python.chmod(0o755)
    clock, spool = SystemClock(), Spool(tmp_path / "spool")
    broken = Dicomizing(
        settings.model_copy(update={"python": str(python)}), room.database, clock, room.trail, room.metrics, orthanc,
        objects, Assets(room.database, clock, room.trail), spool,
    )  # fmt: skip
    with pytest.raises(error):
        broken.make(12, asset, Said(), Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", ""))
    broken.close()
    assert len(orthanc.files) == before
    assert list((tmp_path / "spool").iterdir()) == []
    assert made(anna, asset)["isNew"]


def test_a_row_of_another_clinic_s_study_cannot_lend_its_uids(
    orthanc: KeptInstances, anna: Person, ben: Person
) -> None:
    """The same patient's number in two clinics is two patients, in Orthanc too."""
    mine, theirs = (instance(orthanc, made(person, filed(person, study(person), deep_png()))) for person in (anna, ben))
    assert (mine.PatientID, theirs.PatientID) == ("clinic_12/345", "clinic_13/345")
    assert mine.StudyInstanceUID != theirs.StudyInstanceUID
