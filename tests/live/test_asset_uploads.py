"""Whole uploads of assets in a running instance: through the gateway, past Orthanc's memory, and back in ranges."""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path

import pytest
import requests

from tests.fixtures.instance import Client, LiveInstance
from tests.http.imaging.pictures_drawn import noise_png, png

LARGE = 48 << 20

GONE_SECONDS = 60.0
"""How long a large picture may take on a busy machine: an upload does not wait that long for it."""


@pytest.fixture(scope="module")
def clinic(instance: LiveInstance) -> Client:
    """A clinician of clinic 12."""
    instance.account("uploader", "clinician", "--clinic", "12")
    return Client(instance.url, "uploader", "a-password-for-tests")


@pytest.fixture(scope="module")
def study(clinic: Client) -> int:
    """A study of patient 345."""
    answer = clinic.post("/imaging/studies", json={"patientId": 345, "kind": "XRAY_PA"})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["studyId"])


def send(
    client: Client, study: int, data: bytes, name: str = "a.png", path: str = "/imaging/assets/upload"
) -> requests.Response:
    fields = {"patientId": "345", "studyId": str(study), "modality": "XRAY"}
    return client.post(path, data=fields, files={"file": (name, data, "text/html")})


def most_memory(pid: int) -> int:
    """Bytes that a process had at most."""
    said = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert said
    return int(said[1]) << 10


def orthanc_pid(instance: LiveInstance) -> int:
    """The process that listens at Orthanc's port, by its command line."""
    wanted = str(instance.data / "run" / "orthanc.json").encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"Orthanc") and wanted in words:
            return int(process.name)
    raise AssertionError("no Orthanc of this instance was found")


def nothing_on_its_way(instance: LiveInstance) -> None:
    """No file of an upload stays; nginx removes its own after the answer, and a late picture's goes with it."""
    folders = instance.data / "run" / "gateway-temp" / "body", instance.data / "spool" / "pictures"
    end = time.monotonic() + GONE_SECONDS
    while left := [each for folder in folders for each in folder.glob("*")]:
        assert time.monotonic() < end, left
        time.sleep(0.1)


def test_a_picture_goes_in_and_comes_out(clinic: Client, study: int) -> None:
    data = png(1200, 900)
    for path in ("/imaging/assets/upload", "/imaging/assets/upload/"):
        made = send(clinic, study, data, path=path)
        assert made.status_code == 201, made.text
        asset = made.json()["assetId"]
        original = clinic.get(f"/imaging/assets/{asset}?variant=original")
        assert (original.content, original.headers["Content-Type"]) == (data, "image/png")
        thumb = clinic.get(f"/imaging/assets/{asset}?variant=thumb")
        assert (thumb.status_code, thumb.headers["Content-Type"]) == (200, "image/webp")
        assert thumb.headers["Cache-Control"].startswith("private")
        again = clinic.get(f"/imaging/assets/{asset}?variant=thumb", headers={"If-None-Match": thumb.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_large_form_never_lies_in_orthanc_s_memory(instance: LiveInstance, clinic: Client, study: int) -> None:
    data = noise_png(LARGE)
    assert send(clinic, study, png(100, 100)).status_code == 201  # what is loaded on first use
    pid = orthanc_pid(instance)
    before = most_memory(pid)
    made = send(clinic, study, data)
    assert made.status_code == 201, made.text
    asset = made.json()["assetId"]
    with clinic.get(f"/imaging/assets/{asset}?variant=original", stream=True) as answer:
        assert int(answer.headers["Content-Length"]) == len(data)
        digest = hashlib.sha256()
        for piece in answer.iter_content(1 << 20):
            digest.update(piece)
    assert digest.hexdigest() == hashlib.sha256(data).hexdigest()
    assert most_memory(pid) - before < 16 << 20
    (told,) = [each for each in clinic.get(f"/imaging/studies/{study}").json()["assets"] if each["id"] == asset]
    assert told["sha256"] == digest.hexdigest()
    nothing_on_its_way(instance)


def test_ranges_of_any_length_come_through_the_gateway(clinic: Client, study: int) -> None:
    data = noise_png(20 << 20, seed=8)
    asset = send(clinic, study, data).json()["assetId"]
    url = f"/imaging/assets/{asset}?variant=original"
    etag = clinic.head(url).headers["ETag"]
    for start, stop in ((0, 1), (5_000_000, 5_000_010), (1_000, 19_000_000), (10_000_000, len(data))):
        part = clinic.get(url, headers={"Range": f"bytes={start}-{stop - 1}", "If-Range": etag})
        assert (part.status_code, part.content == data[start:stop]) == (206, True)
        assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"
        assert len(part.headers["Content-Type"].split(",")) == 1
    assert clinic.get(url, headers={"Range": "bytes=0-5", "If-Range": '"other"'}).status_code == 200
    assert clinic.get(url, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    head = clinic.head(url)
    assert (head.status_code, int(head.headers["Content-Length"]), head.content) == (200, len(data), b"")


def test_errors_of_uploads_keep_their_words_through_the_gateway(clinic: Client, study: int) -> None:
    for data, status, code in (
        (b"<html><script>alert(1)</script>", 415, "unsupported_media"),
        (png()[:-40], 422, "broken_picture"),
        (b"", 415, "unsupported_media"),
        (bytes(101 << 20), 413, "payload_too_large"),
    ):
        answer = send(clinic, study, data)
        assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text
        assert len(answer.headers["Content-Type"].split(",")) == 1
    assert "100 MB" in answer.json()["message"]
    assert send(clinic, 99_999_999, png()).status_code == 404


@pytest.mark.parametrize("name", ["../x.png", "C:\\fakepath\\x.png", "..%2Fx.png", "x\u202egnp.exe", "..", "a" * 256])
def test_a_name_that_is_a_path_or_deceives_is_refused_by_every_door(
    instance: LiveInstance, clinic: Client, study: int, name: str
) -> None:
    """Through the gateway whole and in parts, and at Orthanc's own port; nothing of it stays."""
    direct = Client(instance.orthanc_url)
    direct.headers["Authorization"] = f"Bearer {clinic.token()}"
    fields = {"patientId": "345", "studyId": str(study), "modality": "XRAY"}
    before = clinic.get(f"/imaging/studies/{study}").json()
    for answer in (
        send(clinic, study, png(), name),
        direct.put("/imaging/assets/upload", data=fields, files={"file": (name, png())}),
        clinic.post("/imaging/assets/upload-init", json=fields | {"mimeType": "image/png", "fileName": name}),
    ):
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_file_name"), answer.text
    assert clinic.get(f"/imaging/studies/{study}").json() == before
    nothing_on_its_way(instance)


def test_at_orthanc_s_own_port_a_form_comes_by_put(instance: LiveInstance, clinic: Client, study: int) -> None:
    direct = Client(instance.orthanc_url)
    direct.headers["Authorization"] = f"Bearer {clinic.token()}"
    fields = {"patientId": "345", "studyId": str(study), "modality": "XRAY"}
    made = direct.put("/imaging/assets/upload", data=fields, files={"file": ("a.png", png())})
    assert made.status_code == 201, made.text
    # Nobody but the gateway names a file, not even one of the gateway's.
    forged = {"X-Readingroom-Body": "/etc/passwd"}
    assert direct.put("/imaging/assets/upload", data=b"", headers=forged).status_code == 400


def test_health_names_the_store(instance: LiveInstance) -> None:
    told = json.loads(instance.anonymous.get("/health").text)
    assert (told["ok"], told["backend"]) == (True, "nfs")
