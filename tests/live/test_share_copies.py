"""Small pictures and de-identified copies in a real instance: out of Orthanc, through the gateway."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pydicom import dcmread
from pydicom.uid import generate_uid

from tests.factories import ct, dicom_bytes
from tests.fixtures.instance import Client, LiveInstance, running
from tests.fixtures.live_cases import store

UID = "1.2.826.0.1.3680043.10.79.1"
HOSTILE_UID = "1.2.826.0.1.3680043.10.79.2"
FILES = 8


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    with running(tmp_path_factory.mktemp("copies") / "data") as instance:
        store(instance, [(f"{n}.dcm", image(UID, n)) for n in range(1, FILES + 1)])
        hostile = ct(
            rows=64, columns=64, SeriesInstanceUID=HOSTILE_UID, StudyInstanceUID=f"{HOSTILE_UID}.0",
            SOPInstanceUID=generate_uid(), PatientID="HOSTILE",
        )  # fmt: skip
        hostile.Rows, hostile.Columns = 20_000, 10_000
        hostile.NumberOfFrames = "2000000000"
        store(instance, [("hostile.dcm", dicom_bytes(hostile))])
        yield instance


def image(series: str, number: int) -> bytes:
    made: dict[str, Any] = {
        "PatientName": "Zwartkop^Nomvula",
        "PatientID": "ZQ8812044711",
        "InstitutionName": "Hillcrest Imaging",
        "PatientComments": "Cousin of Qwabe",
    }
    return dicom_bytes(
        ct(rows=128, columns=128, SeriesInstanceUID=series, StudyInstanceUID=f"{series}.0",
           SOPInstanceUID=f"{series}.{number}", InstanceNumber=number, **made)
    )  # fmt: skip


def picture(client: Client, path: str) -> requests.Response:
    """The answer; asked again as it says itself (429, 503) where the machine is busy."""
    end = time.monotonic() + 120
    while (answer := client.get(path)).status_code in (429, 503):
        assert time.monotonic() < end, answer.text
        time.sleep(0.5)
    return answer


def test_a_series_in_orthanc_has_a_small_picture(live: LiveInstance) -> None:
    staff = live.client("staff")
    first = picture(staff, f"/api/series/{UID}/thumbnail")
    assert (first.status_code, first.headers["Content-Type"], first.content[8:12]) == (200, "image/webp", b"WEBP")
    again = staff.get(f"/api/series/{UID}/thumbnail", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert live.anonymous.get(f"/api/series/{UID}/thumbnail").status_code == 401


def test_a_hostile_file_has_none_and_orthanc_goes_on(live: LiveInstance) -> None:
    staff = live.client("staff")
    answer = picture(staff, f"/api/series/{HOSTILE_UID}/thumbnail")
    assert (answer.status_code, answer.json()["error"]) == (404, "no_thumbnail")
    assert picture(staff, f"/api/series/{UID}/thumbnail").status_code == 200
    assert live.client("admin").get("/system").status_code == 200


def test_a_copy_of_a_series_in_orthanc_names_nobody(live: LiveInstance) -> None:
    staff = live.client("staff")
    made = staff.post("/share/create", json={"series_key": UID, "deidentified": True}).json()
    end = time.monotonic() + 240
    while (told := staff.get(f"/api/shares/{made['id']}").json())["copy_state"] != "ready":
        assert told["copy_state"] in ("queued", "preparing"), told
        assert time.monotonic() < end, told
        time.sleep(0.2)
    assert told["copy_done"] == FILES
    answer = live.anonymous.get(f"/share/{made['token']}/zip")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as read:
        assert read.testzip() is None
        given = {name: read.read(name) for name in read.namelist()}
    assert list(given) == [f"IM{n:04d}.dcm" for n in range(1, FILES + 1)]
    for number, data in enumerate(given.values(), 1):
        for told_of in (b"Zwartkop", b"ZQ8812044711", b"Hillcrest", b"Qwabe", UID.encode()):
            assert told_of not in data
        assert dcmread(io.BytesIO(data)).PixelData == dcmread(io.BytesIO(image(UID, number))).PixelData
    assert picture(live.anonymous, f"/share/{made['token']}/thumbnail").content[8:12] == b"WEBP"
    assert staff.delete(f"/api/shares/{made['id']}").status_code == 204
    copy = live.data / "shares" / made["id"]
    end = time.monotonic() + 120
    while copy.exists():
        assert time.monotonic() < end, "the copy of a revoked link stays"
        time.sleep(0.2)
