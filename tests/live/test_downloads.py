"""Downloads from a real Orthanc, through the gateway and past it: whole, resumed, broken, abandoned."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.factories import ct_slices, dicom_bytes, mr
from tests.fixtures.instance import LiveInstance
from tests.fixtures.live_cases import LiveCase, instance_of, new_case

DOWNLOAD = "/api/bestof/dicoms/download"
BATCH = "/api/bestof/dicoms/download-batch"
TICKETS = "/api/bestof/dicoms/tickets"
READERS = (["unzip", "-tqq"], ["7z", "t", "-bd"], ["bsdtar", "-tf"])


@dataclass(frozen=True, slots=True)
class Cases:
    """A CT of 22 MB, which takes three slices at the gateway, and a small MR with folders."""

    large: LiveCase
    small: LiveCase

    @property
    def ids(self) -> list[str]:
        return [self.large.id, self.small.id]

    def in_batch(self) -> dict[str, bytes]:
        large = {f"{self.large.number:04d}_CT/{name}": data for name, data in self.large.files.items()}
        return large | {f"{self.small.number:04d}_MRI/{name}": data for name, data in self.small.files.items()}


@pytest.fixture(scope="module")
def cases(instance: LiveInstance) -> Cases:
    slices = ct_slices(42, 512, 512, name="downloads")
    large = new_case(instance, {f"IM{i:04d}.dcm": data for i, data in enumerate(slices)})
    small = {f"grüße/{i}/IM1": dicom_bytes(mr("downloads", i)) for i in range(3)}
    return Cases(large, new_case(instance, small, exam_type="MRI"))


@pytest.fixture(scope="module")
def bearer(instance: LiveInstance) -> str:
    return f"Authorization: Bearer {instance.student.token()}"


def curl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["curl", "-sS", "--noproxy", "*", "--max-time", "120", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def check_zip(path: Path, expected: dict[str, bytes]) -> None:
    """Four programs find no fault, and every file equals its source byte for byte."""
    for reader in READERS:
        if not shutil.which(reader[0]):
            pytest.skip(f"{reader[0]} is not on this machine; the test root of scripts/test has it")
        subprocess.run([*reader, path], check=True, stdout=subprocess.DEVNULL)
    with zipfile.ZipFile(path) as read:
        assert read.testzip() is None
        assert {info.filename: read.read(info) for info in read.infolist()} == expected


def test_a_single_case_arrives_whole_and_resumed(
    instance: LiveInstance, cases: Cases, bearer: str, tmp_path: Path
) -> None:
    path, url = tmp_path / "one.zip", f"{instance.url}{DOWNLOAD}?caseId={cases.large.id}"
    assert curl("-f", "-H", bearer, "-o", path, url).returncode == 0
    check_zip(path, cases.large.files)
    whole = path.read_bytes()
    for cut in (len(whole) // 2, 1, 8_388_608, len(whole) - 1):
        path.write_bytes(whole[:cut])
        resumed = curl("-f", "-H", bearer, "-C", "-", "-o", path, url)
        assert resumed.returncode == 0, resumed.stderr
        assert path.read_bytes() == whole


def test_a_batch_by_post_and_by_ticket_arrives_whole_and_resumed(
    instance: LiveInstance, cases: Cases, bearer: str, tmp_path: Path
) -> None:
    posted, followed = tmp_path / "posted.zip", tmp_path / "followed.zip"
    asked = json.dumps({"caseIds": cases.ids})
    json_body = ("-H", bearer, "-H", "Content-Type: application/json", "-d", asked)
    assert curl("-f", *json_body, "-o", posted, f"{instance.url}{BATCH}").returncode == 0
    check_zip(posted, cases.in_batch())
    ticket = instance.student.post(TICKETS, json={"caseIds": cases.ids}).json()
    assert curl("-f", "-o", followed, f"{instance.url}{ticket['url']}").returncode == 0
    assert followed.read_bytes() == posted.read_bytes()
    assert followed.stat().st_size == ticket["sizeBytes"]
    followed.write_bytes(posted.read_bytes()[: ticket["sizeBytes"] // 2])
    assert curl("-f", "-C", "-", "-o", followed, f"{instance.url}{ticket['url']}").returncode == 0
    check_zip(followed, cases.in_batch())


def test_headers_ranges_and_head_are_as_a_browser_expects(instance: LiveInstance, cases: Cases) -> None:
    student, address = instance.student, f"{DOWNLOAD}?caseId={cases.large.id}"
    whole = student.get(address)
    assert whole.headers["Content-Disposition"] == f'attachment; filename="Cas_{cases.large.number:04d}_CT.zip"'
    assert whole.headers["Content-Type"] == "application/zip"
    assert whole.headers["Content-Length"] == str(len(whole.content))
    assert whole.headers["Accept-Ranges"] == "bytes"
    etag = whole.headers["ETag"]
    assert etag.startswith('"')
    head = student.head(address)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Length", "ETag", "Content-Disposition", "Content-Type"):
        assert head.headers[name] == whole.headers[name]
    part = student.get(address, headers={"Range": "bytes=8388600-8388700", "If-Range": etag})
    assert (part.status_code, part.content) == (206, whole.content[8388600:8388701])
    assert part.headers["Content-Range"] == f"bytes 8388600-8388700/{len(whole.content)}"
    assert student.get(address, headers={"Range": "bytes=-5"}).content == whole.content[-5:]
    changed = student.get(address, headers={"Range": "bytes=5-9", "If-Range": '"another"'})
    assert (changed.status_code, len(changed.content)) == (200, len(whole.content))
    beyond = student.get(address, headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416


def test_orthancs_own_port_streams_the_same_bytes_in_one_exact_length(instance: LiveInstance, cases: Cases) -> None:
    direct = instance.orthanc("student").get(f"{DOWNLOAD}?caseId={cases.large.id}")
    through = instance.student.get(f"{DOWNLOAD}?caseId={cases.large.id}")
    assert direct.headers["Content-Length"] == str(len(direct.content))
    assert direct.content == through.content
    batch = instance.orthanc("student").post(BATCH, json={"caseIds": cases.ids})
    with zipfile.ZipFile(io.BytesIO(batch.content)) as read:
        assert {info.filename: read.read(info) for info in read.infolist()} == cases.in_batch()


def test_nobody_wrong_roles_unknown_cases_and_too_many_are_refused(instance: LiveInstance, cases: Cases) -> None:
    hidden = new_case(instance, {"a": dicom_bytes(mr("hidden"))}, exam_type="MRI", published=False)
    for client in (instance.anonymous, instance.orthanc("")):
        assert client.get(f"{DOWNLOAD}?caseId={cases.large.id}").status_code == 401
    for client in (instance.client("clinician"), instance.orthanc("clinician")):
        assert client.get(f"{DOWNLOAD}?caseId={cases.large.id}").status_code == 403
    for client in (instance.student, instance.orthanc("student")):
        for case_id in (hidden.id, "nonsense"):
            answer = client.get(f"{DOWNLOAD}?caseId={case_id}")
            assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
        refused = client.post(BATCH, json={"caseIds": [f"case-{i}" for i in range(51)]})
        assert (refused.status_code, refused.json()["error"]) == (400, "too_many_cases")
        assert "50" in refused.json()["message"]
        assert client.post(BATCH, json={"caseIds": []}).status_code == 400
    assert instance.admin.get(f"{DOWNLOAD}?caseId={hidden.id}").status_code == 200


def test_the_inner_addresses_are_not_open_to_anybody(instance: LiveInstance, cases: Cases) -> None:
    secret = (instance.data / "secrets" / "gateway_secret").read_text().strip()
    direct = instance.orthanc("student")
    answer = direct.get(f"{DOWNLOAD}?caseId={cases.small.id}", headers={"X-Readingroom-Gateway": secret})
    place = answer.headers["X-Accel-Redirect"]
    for path in (place, place.replace("/_zip/", "/api/zip/")):
        assert instance.student.get(path).status_code == 404
    guessed = instance.student.get(f"{DOWNLOAD}?caseId={cases.small.id}", headers={"X-Readingroom-Gateway": secret})
    assert "X-Accel-Redirect" not in guessed.headers


def test_an_expired_ticket_says_to_ask_for_a_new_one(instance: LiveInstance, cases: Cases) -> None:
    from datetime import timedelta

    from readingroom.cases.tickets import TICKET
    from readingroom.clock import SystemClock
    from readingroom.identity import TokenSigner

    secret = (instance.data / "secrets" / "jwt_secret").read_text().strip()
    signer = TokenSigner(secret, "readingroom", "readingroom", SystemClock())
    claims = {"cases": [cases.small.id], "batch": False, "all": False, "etag": '"x"', "sub": "a", "kind": "user"}
    late = signer.sign(TICKET, {**claims, "clinic": None, "follow": time.time() - 1}, timedelta(hours=1))
    for answer in (
        instance.anonymous.get(f"{DOWNLOAD}?ticket={late}"),
        instance.orthanc("").get(f"{DOWNLOAD}?ticket={late}"),
    ):
        assert (answer.status_code, answer.json()["error"]) == (401, "ticket_expired")
        assert "ask for a new one" in answer.json()["message"]


@pytest.fixture
def broken(instance: LiveInstance) -> Iterator[LiveCase]:
    """A case of 17 MB whose 25th file has one other byte in Orthanc's storage, past the first slice."""
    case = new_case(instance, {f"IM{i:04d}.dcm": data for i, data in enumerate(ct_slices(32, 512, 512, name="broken"))})
    place = stored_at(instance, case, "IM0025.dcm")
    sound = place.read_bytes()
    place.write_bytes(sound[:1000] + bytes([sound[1000] ^ 1]) + sound[1001:])
    yield case
    place.write_bytes(sound)


def stored_at(instance: LiveInstance, case: LiveCase, path: str) -> Path:
    info = instance.admin.get(f"/instances/{instance_of(instance, case, path)}/attachments/dicom/info").json()
    uuid = str(info["Uuid"])
    return instance.data / "orthanc" / "storage" / uuid[:2] / uuid[2:4] / uuid


@pytest.mark.parametrize("door", ["url", "orthanc_url"])
def test_a_changed_byte_in_storage_ends_the_download_visibly(
    instance: LiveInstance, broken: LiveCase, bearer: str, tmp_path: Path, door: str
) -> None:
    path = tmp_path / "broken.zip"
    url = f"{getattr(instance, door)}{DOWNLOAD}?caseId={broken.id}"
    ended = curl("-f", "-H", bearer, "-o", path, url)
    assert ended.returncode in (18, 56, 92), "curl must see that the transfer was cut"
    assert not zipfile.is_zipfile(path)
    assert subprocess.run(["unzip", "-tqq", path], capture_output=True, check=False).returncode != 0
    resumed = curl("-f", "-H", bearer, "-C", "-", "-o", path, f"{instance.url}{DOWNLOAD}?caseId={broken.id}")
    assert resumed.returncode != 0, "resuming does not get past it either"
    assert not zipfile.is_zipfile(path)
    trail = instance.admin.get("/api/audit?action=cases.download_broken").json()
    assert trail["items"][0]["entityId"] == instance_of(instance, broken, "IM0025.dcm")


def test_a_short_file_in_storage_is_said_in_words(instance: LiveInstance) -> None:
    case = new_case(instance, {"a": dicom_bytes(mr("short"))}, exam_type="MRI")
    os.truncate(stored_at(instance, case, "a"), 1000)
    for client in (instance.student, instance.orthanc("student")):
        answer = client.get(f"{DOWNLOAD}?caseId={case.id}")
        assert (answer.status_code, answer.json()["error"]) == (500, "stored_file_broken")


def test_a_file_that_storage_lost_comes_from_orthancs_memory_or_not_at_all(instance: LiveInstance) -> None:
    case = new_case(instance, {"a": dicom_bytes(mr("gone"))}, exam_type="MRI")
    stored_at(instance, case, "a").unlink()
    for client in (instance.student, instance.orthanc("student")):
        answer = client.get(f"{DOWNLOAD}?caseId={case.id}")
        if answer.status_code == 200:
            with zipfile.ZipFile(io.BytesIO(answer.content)) as read:
                assert read.read("a") == case.files["a"]
        else:
            assert (answer.status_code, answer.json()["error"]) == (500, "stored_file_broken")


@pytest.mark.parametrize("door", ["url", "orthanc_url"])
def test_clients_that_go_away_leave_nothing_behind(
    instance: LiveInstance, cases: Cases, bearer: str, door: str
) -> None:
    address = urlsplit(getattr(instance, door))
    head = f"GET {DOWNLOAD}?caseId={cases.large.id} HTTP/1.1\r\nHost: {address.netloc}\r\n{bearer}\r\n\r\n"
    before = descriptors(instance)
    for _ in range(60):  # more than Orthanc has threads
        with socket.create_connection((address.hostname, address.port), timeout=30) as line:
            line.sendall(head.encode())
            assert line.recv(1000).startswith(b"HTTP/1.1 200")
    answer = instance.student.get(f"{DOWNLOAD}?caseId={cases.large.id}")
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])
    deadline = time.monotonic() + 30
    while descriptors(instance) > before + 20 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert descriptors(instance) <= before + 20, "open files or connections were left behind"


def descriptors(instance: LiveInstance) -> int:
    """Open files of the instance's Orthanc."""
    wanted = str(instance.data / "run" / "orthanc.json").encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().split(b"\0")
            if line[0].endswith(b"Orthanc") and wanted in line:
                return len(list((process / "fd").iterdir()))
        except OSError:
            continue
    raise AssertionError("the instance's Orthanc is not to be found")
