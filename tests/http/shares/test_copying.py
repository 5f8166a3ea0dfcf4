"""De-identified copies of links: what leaves the house names nobody, and shows the same pictures."""

from __future__ import annotations

import errno
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from readingroom.audit import Trail
from readingroom.shares import copying, copying_places, copying_work
from readingroom.shares.copying import Copying
from readingroom.shares.copying_places import CopyPlaces
from readingroom.shares.copying_queue import CopyQueue
from readingroom.shares.copying_work import CopyWork
from readingroom.shares.tables import shares
from sqlalchemy import select, update

from tests.factories import ct, dicom_bytes
from tests.fixtures.sharing import SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create

PATIENT_UID = "1.2.826.0.1.3680043.10.77.30"

SECRETS = {
    "PatientName": "Zwartkop^Nomvula",
    "PatientID": "ZQ8812044711",
    "PatientBirthDate": "19881204",
    "OtherPatientNames": "Zwartkop^Vula",
    "PatientAddress": "7 Jakaranda Close",
    "PatientTelephoneNumbers": "+27-82-5550192",
    "PatientMotherBirthName": "Qwabe^Thembeka",
    "InstitutionName": "Hillcrest Imaging",
    "InstitutionAddress": "12 Umhlanga Ridge",
    "ReferringPhysicianName": "Oosthuizen^Pieter",
    "OperatorsName": "Fanyana^S",
    "AccessionNumber": "ACCXQ99341",
    "StudyID": "STUDXQ77",
    "StudyDate": "20240229",
    "StudyDescription": "CT of Zwartkop",
    "SeriesDescription": "Zwartkop thorax",
    "PatientComments": "Cousin of Qwabe",
    "ImageComments": "Sent by Oosthuizen",
    "StationName": "HILLCRESTCT1",
    "DeviceSerialNumber": "SNXQ557123",
    "RequestingPhysician": "Oosthuizen^Pieter",
    "ProtocolName": "Zwartkop protocol",
    "AdditionalPatientHistory": "Fell at Jakaranda Close",
}
"""Of somebody who does not exist."""

TELLING = ("Zwartkop", "ZWARTKOP", "Nomvula", "Vula", "ZQ8812044711", "19881204", "Jakaranda", "5550192", "Qwabe",
           "Hillcrest", "HILLCREST", "Umhlanga", "Oosthuizen", "Fanyana", "ACCXQ99341", "STUDXQ77", "20240229",
           "SNXQ557123", PATIENT_UID)  # fmt: skip
"""What must not be found in any byte that a link's holder gets."""


def identifying(number: int) -> Dataset:
    """A slice that tells all of it, in the open, in sequences, in private elements and in comments."""
    told: dict[str, Any] = dict(SECRETS)
    made = ct(rows=32, columns=32, SeriesInstanceUID=PATIENT_UID, SOPInstanceUID=f"{PATIENT_UID}.{number}",
              StudyInstanceUID=f"{PATIENT_UID}.0", InstanceNumber=str(number), **told)  # fmt: skip
    item = Dataset()
    item.PatientName, item.PatientID = SECRETS["PatientName"], SECRETS["PatientID"]
    item.ReferencedSOPInstanceUID = f"{PATIENT_UID}.9"
    made.RequestAttributesSequence = Sequence([item])
    block = made.private_block(0x0029, "ZWARTKOP MAKER 1.0", create=True)
    block.add_new(1, "LO", SECRETS["PatientName"])
    block.add_new(2, "OB", b"Zwartkop" * 3)
    return made


class Site(NamedTuple):
    """The site, and what makes its copies."""

    site: SharingSite
    work: CopyWork
    queue: CopyQueue
    places: CopyPlaces


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Processes that would have been started: here copies are made when a test says so."""
    begun: list[str] = []
    monkeypatch.setattr(copying, "start_process", lambda _settings, module, *_rest: begun.append(module))
    monkeypatch.setattr(copying, "STARTING_SECONDS", 0.0)
    monkeypatch.setattr(copying_work, "WAITS", (0.01, 0.01))
    return begun


@pytest.fixture
def files() -> dict[str, bytes]:
    return {f"Zwartkop_{n}.dcm": dicom_bytes(identifying(n)) for n in range(1, 5)}


@pytest.fixture
def here(site: SharingSite, files: dict[str, bytes]) -> Iterator[Site]:
    facts = {k: v for k, v in SECRETS.items() if k in ("PatientName", "PatientID", "StudyDate", "StudyDescription")}
    site.origin.put(PATIENT_UID, files, **facts)
    queue = CopyQueue(site.database, site.clock, Trail(site.database, site.clock))
    work = CopyWork(site.settings, queue, site.room.series, site.clock, threading.Event())
    yield Site(site, work, queue, CopyPlaces(site.settings.data))
    site.origin.series.pop(PATIENT_UID, None)
    with site.database.write() as connection:
        connection.execute(
            update(shares).where(shares.c.copy_state.in_(("queued", "preparing"))).values(copy_state="failed")
        )


def shown(staff: Person, made: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = staff.get(f"/api/shares/{made['id']}").get_json()
    return answer


def copied(here: Site, create: Create, **wish: Any) -> dict[str, Any]:
    made = create(PATIENT_UID, deidentified=True, **wish)
    here.work.until_none_waits()
    return made


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        return {info.filename: read.read(info) for info in read.infolist()}


def test_a_copy_is_prepared_then_given_in_place_of_its_series(
    here: Site, staff: Person, create: Create, started: list[str], files: dict[str, bytes]
) -> None:
    made = create(PATIENT_UID, deidentified=True)
    assert started == ["readingroom.copy_worker"]
    program = here.site.program("198.51.100.60")
    early = program.ask(f"/share/{made['token']}/zip")
    assert (early.status_code, early.get_json()["error"]) == (409, "share_not_ready")
    assert "Retry-After" in early.headers
    assert (shown(staff, made)["copy_state"], shown(staff, made)["state"]) == ("queued", "preparing")
    here.work.until_none_waits()
    told = shown(staff, made)
    assert (told["copy_state"], told["copy_done"], told["state"]) == ("ready", len(files), "active")
    answer = program.ask(f"/share/{made['token']}/zip")
    assert answer.headers["Content-Disposition"].count("CT_series_1.zip")
    given = unzipped(answer.data)
    assert list(given) == ["IM0001.dcm", "IM0002.dcm", "IM0003.dcm", "IM0004.dcm"]
    listed = program.ask(f"/share/{made['token']}/files").get_json()
    assert [(each["name"], each["size"]) for each in listed["items"]] == [(k, len(v)) for k, v in given.items()]
    assert program.ask(f"/share/{made['token']}/files/2").data == given["IM0002.dcm"]
    assert program.ask(f"/share/{made['token']}/thumbnail").data[8:12] == b"WEBP"
    (event,) = [each for each in here.site.events("share.copy") if each["entity_id"] == made["id"]]
    assert event["outcome"] == "ok"


def test_no_byte_that_a_holder_gets_names_the_patient(here: Site, create: Create) -> None:
    made = copied(here, create)
    program = here.site.program("198.51.100.61")
    answers = [program.ask(f"/share/{made['token']}/{what}") for what in ("info", "files", "zip", "files/1")]
    assert [each.status_code for each in answers] == [200] * 4
    unpacked = unzipped(answers[2].data)
    bodies = [each.data for each in answers] + [str(each.headers).encode() for each in answers] + [*unpacked.values()]
    for told in TELLING:
        for body in bodies:
            assert told.encode() not in body, told
            assert told.encode("utf-16-le") not in body, told
    kept = here.places.whole(made["id"])
    for place in kept.iterdir():
        assert place.stat().st_mode & 0o777 == 0o600
        assert not any(told.encode() in place.read_bytes() for told in TELLING)
    info = answers[0].get_json()
    assert info["series"]["PatientName"] in ("", "REMOVED")
    assert info["series"]["Modality"] == "CT"


def test_the_pictures_are_the_same_and_belong_together(here: Site, create: Create, files: dict[str, bytes]) -> None:
    made = copied(here, create)
    given = unzipped(here.site.program("198.51.100.62").ask(f"/share/{made['token']}/zip").data)
    read = [dcmread(io.BytesIO(data)) for data in given.values()]
    for before, after in zip(files.values(), read, strict=True):
        original = dcmread(io.BytesIO(before))
        assert after.PixelData == original.PixelData
        assert after.InstanceNumber == original.InstanceNumber
        assert after.SOPInstanceUID != original.SOPInstanceUID
        assert after.PatientIdentityRemoved == "YES"
    assert len({each.SeriesInstanceUID for each in read}) == len({each.StudyInstanceUID for each in read}) == 1
    assert len({each.SOPInstanceUID for each in read}) == len(read)
    other = copied(here, create)
    again = unzipped(here.site.program("198.51.100.63").ask(f"/share/{other['token']}/zip").data)
    assert dcmread(io.BytesIO(again["IM0001.dcm"])).SeriesInstanceUID != read[0].SeriesInstanceUID, "links share none"


def test_a_copy_that_was_cut_off_goes_on_where_it_was(
    here: Site, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As kill -9 ends a process: nothing is tidied up."""

    written: list[str] = []
    write = copying_places.write

    def dying(place: Any, data: bytes) -> None:
        if len(written) == 2:
            (place.parent / f".{place.name}.half").write_bytes(data[: len(data) // 2])
            raise Killed
        written.append(place.name)
        write(place, data)

    monkeypatch.setattr(copying_work, "write", dying)
    made = create(PATIENT_UID, deidentified=True)
    with pytest.raises(Killed):
        here.work.until_none_waits()
    assert not here.places.whole(made["id"]).exists()

    def counting(place: Any, data: bytes) -> None:
        written.append(place.name)
        write(place, data)

    monkeypatch.setattr(copying_work, "write", counting)
    here.work.until_none_waits()
    assert written == ["0001.dcm", "0002.dcm", "0003.dcm", "0004.dcm"], "none was made twice"
    given = unzipped(here.site.program("198.51.100.64").ask(f"/share/{made['token']}/zip").data)
    assert len({dcmread(io.BytesIO(data)).SeriesInstanceUID for data in given.values()}) == 1
    assert sorted(place.name for place in here.places.whole(made["id"]).iterdir()) == [
        "0001.dcm", "0002.dcm", "0003.dcm", "0004.dcm", "files.json", "series.json",
    ]  # fmt: skip


def test_a_series_that_changed_while_its_copy_was_cut_off_is_begun_anew(
    here: Site, staff: Person, create: Create, files: dict[str, bytes]
) -> None:
    made = create(PATIENT_UID, deidentified=True)
    folder = here.places.begin(made["id"], "another version")
    (folder / "0001.dcm").write_bytes(b"of that version")
    here.work.until_none_waits()
    assert shown(staff, made)["copy_state"] == "ready"


def test_a_file_that_kills_the_process_each_time_ends_the_copy(
    here: Site, staff: Person, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As kill -9."""

    def deadly(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(copying_work, "write", deadly)
    made = create(PATIENT_UID, deidentified=True)
    for _ in range(3):
        with pytest.raises(Killed):
            here.work.until_none_waits()
    here.work.until_none_waits()
    told = shown(staff, made)
    assert told["copy_state"] == "failed"
    assert "died several times" in told["copy_message"]
    assert not here.places.begun(made["id"]).exists()


def test_what_is_burned_in_needs_the_makers_word(
    here: Site, staff: Person, colleague: Person, create: Create, files: dict[str, bytes]
) -> None:
    burned = identifying(2)
    burned.BurnedInAnnotation = "YES"
    here.site.origin.put(PATIENT_UID, {**files, "Zwartkop_2.dcm": dicom_bytes(burned)})
    made = copied(here, create)
    told = shown(staff, made)
    assert (told["copy_state"], told["state"]) == ("failed", "failed")
    assert told["copy_message"].startswith("File 2 of 4 says that something is burned into its picture")
    assert not list(here.places.root.glob(f"*{made['id']}*"))
    assert here.site.program("198.51.100.65").ask(f"/share/{made['token']}/zip").status_code == 409
    path = f"/api/shares/{made['id']}/copy"
    assert colleague.post(path, json={"accept_burned_in": True}).status_code == 404
    assert staff.post(path, json={"accept_burned_in": True}).status_code == 202
    assert staff.post(path, json={}).status_code == 409, "it waits already"
    here.work.until_none_waits()
    assert shown(staff, made)["copy_state"] == "ready"
    assert shown(staff, copied(here, create, accept_burned_in=True))["copy_state"] == "ready"
    (event,) = [each for each in here.site.events("share.copy_again") if each["entity_id"] == made["id"]]
    assert json.loads(event["payload"])["accept_burned_in"] is True


def test_what_cannot_be_de_identified_is_not_left_out(
    here: Site, staff: Person, create: Create, files: dict[str, bytes]
) -> None:
    here.site.origin.put(PATIENT_UID, {**files, "Zwartkop_3.dcm": b"Zwartkop, but no DICOM"})
    made = copied(here, create)
    told = shown(staff, made)
    assert told["copy_state"] == "failed"
    assert told["copy_message"].startswith("File 3 of 4: This file cannot be de-identified")
    assert "Zwartkop" not in told["copy_message"]


def test_a_full_disk_fails_the_copy_and_leaves_nothing(
    here: Site, staff: Person, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": copying_work.RESERVE})())
        early = copied(here, create)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("readingroom.shares.copying_places.os.fsync", full)
        late = copied(here, create)
    for made in (early, late):
        assert shown(staff, made)["copy_message"] == "There is no room for the copy on the disk."
        assert not list(here.places.root.glob(f"*{made['id']}*"))
    assert staff.post(f"/api/shares/{late['id']}/copy", json={}).status_code == 202
    here.work.until_none_waits()
    assert shown(staff, late)["copy_state"] == "ready"


def test_a_series_that_is_gone_fails_the_copy(here: Site, staff: Person, create: Create) -> None:
    made = create(PATIENT_UID, deidentified=True)
    del here.site.origin.series[PATIENT_UID]
    here.work.until_none_waits()
    assert shown(staff, made)["copy_message"] == "The series is no longer where it was."


def sweeping(here: Site, too: Callable[[], object] = dict) -> Copying:
    return Copying(here.site.settings, here.site.database, here.site.clock, here.queue, dict, too)


def test_what_is_swept_too_is_swept_from_the_start_on(here: Site) -> None:
    swept = threading.Event()
    copying = sweeping(here, swept.set)
    copying.start()
    assert swept.wait(20)
    copying.stop()


def test_the_copy_of_a_revoked_link_is_removed(here: Site, staff: Person, create: Create) -> None:
    kept, revoked = copied(here, create), copied(here, create)
    assert staff.delete(f"/api/shares/{revoked['id']}").status_code == 204
    sweeping(here).sweep()
    assert here.places.whole(kept["id"]).exists()
    assert not here.places.whole(revoked["id"]).exists()


def test_a_link_that_is_revoked_while_its_copy_is_made_leaves_none(
    here: Site, staff: Person, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(PATIENT_UID, deidentified=True)
    write = copying_places.write

    def revoking(place: Any, data: bytes) -> None:
        staff.delete(f"/api/shares/{made['id']}")
        write(place, data)

    monkeypatch.setattr(copying_work, "write", revoking)
    here.work.until_none_waits()
    assert not list(here.places.root.glob(f"*{made['id']}*"))
    assert shown(staff, made)["state"] == "revoked"


def test_the_copy_of_a_link_that_ran_out_is_removed_a_day_later_and_made_again_when_it_is_extended(
    here: Site, staff: Person, create: Create, started: list[str]
) -> None:
    made = copied(here, create, expires_hours=1)
    here.site.later(hours=2)
    sweeping(here).sweep()
    assert here.places.whole(made["id"]).exists(), "a download that was begun in time may end"
    here.site.later(hours=24)
    sweeping(here).sweep()
    assert not here.places.whole(made["id"]).exists()
    assert here.queue.waiting() == 0, "of a link that is over none is made"
    started.clear()
    assert staff.put(f"/api/shares/{made['id']}", json={"expires_hours": 2}).get_json()["state"] == "preparing"
    assert started
    here.work.until_none_waits()
    assert shown(staff, made)["state"] == "active"
    assert len(unzipped(here.site.program("198.51.100.66").ask(f"/share/{made['token']}/zip").data)) == 4


def test_half_a_copy_whose_link_is_unknown_is_removed(here: Site) -> None:
    stray = here.places.begin("00000000-0000-4000-8000-000000000000", "v")
    (here.places.root / "notes.txt").write_text("not ours to remove")
    sweeping(here).sweep()
    assert not stray.exists()
    assert (here.places.root / "notes.txt").exists()


def test_a_copy_is_found_by_its_new_uid_and_never_by_the_old_one(here: Site, create: Create) -> None:
    made = copied(here, create)
    found = here.site.room.series.find_in("copy", made["id"])
    assert found is not None
    assert found.origin == "copy"
    for key in (found.series_uid, found.key):
        assert here.site.room.series.find_in("copy", key) == found
    assert here.site.room.series.find_in("copy", PATIENT_UID) is None
    with here.site.database.read() as connection:
        assert connection.scalar(select(shares.c.copy_tries).where(shares.c.id == made["id"])) == 0
