"""The zip of a series that lies on a real SMB or SFTP server, read by Orthanc while it is sent."""

from __future__ import annotations

import io
import os
import random
import struct
import time
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.factories import ct, dicom_bytes
from tests.fixtures.instance import LiveInstance, running
from tests.fixtures.smbd import Smbd
from tests.fixtures.sshd import Sshd

CUT = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)
KINDS = ("smb", "sftp")
LARGE = {9: 13_000_001, 20: 30_000_000, 27: 30_000_000}
"""Files by number that are read ahead in several pieces. The last one of all lies behind what gateway (two chunks of
16 MB), reading ahead (24 MB) and sockets hold of a download that its client has only begun to take."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A series on a server, the files that it has by name, and the link to it."""

    folder: Path
    files: dict[str, bytes]
    token: str


def one(series: str, number: int, padding: int) -> bytes:
    """A file of a series, made larger by DataSetTrailingPadding (PS3.5 section 7.2) behind the pixels."""
    file = dicom_bytes(ct(SeriesInstanceUID=series, SOPInstanceUID=f"{series}.{number}", InstanceNumber=number))
    noise = random.Random(number).randbytes(padding & ~1)
    return file + struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, len(noise)) + noise


def write(folder: Path, series: str) -> dict[str, bytes]:
    """Thirty files, three of them large, all older than any clock here."""
    folder.mkdir()
    made = {f"IM{n:04d}.dcm": one(series, n, LARGE.get(n, n * 40_000)) for n in range(1, 31)}
    for name, data in made.items():
        (folder / name).write_bytes(data)
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))
    return made


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    with running(tmp_path_factory.mktemp("nas-zip") / "data", SHARE_STREAMS_PER_LINK="8") as made:
        yield made


@pytest.fixture(scope="module")
def shared(live: LiveInstance, smbd: Smbd, sshd: Sshd) -> dict[str, Shared]:
    name = f"zip-{uuid.uuid4().hex[:8]}"
    configs: dict[str, dict[str, Any]] = {
        "smb": {
            "type": "smb", "host": smbd.host, "port": smbd.port, "share": smbd.share, "path": name,
            "username": smbd.user, "password": smbd.password,
        },
        "sftp": {
            "type": "sftp", "host": sshd.host, "port": sshd.port, "path": str(sshd.root / name),
            "username": sshd.user, "password": sshd.password, "host_fingerprint": sshd.host_key_fingerprint,
        },
    }  # fmt: skip
    sources = [{"name": kind, **config} for kind, config in configs.items()]
    answer = live.admin.put("/api/nas/config", json={"sources": sources})
    assert answer.status_code == 200, answer.text
    return {kind: _shared(live, kind, (smbd if kind == "smb" else sshd).root / name) for kind in KINDS}


def _shared(live: LiveInstance, kind: str, folder: Path) -> Shared:
    series = f"1.2.826.0.1.3680043.10.79.{KINDS.index(kind) + 1}"
    files = write(folder, series)
    begun = live.admin.post("/api/index/start", json={"source": kind})
    assert begun.status_code == 202, begun.text
    end = time.monotonic() + 120
    while (said := live.admin.get("/api/index/status").json())["state"] != "done":
        assert time.monotonic() < end, said
        time.sleep(0.3)
    made = live.admin.post("/share/create", json={"series_key": series})
    assert made.status_code == 201, made.text
    return Shared(folder, files, made.json()["token"])


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        return {info.filename: read.read(info) for info in read.infolist()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("past_the_gateway", [False, True])
def test_every_file_arrives_and_the_length_was_told_before(
    live: LiveInstance, shared: dict[str, Shared], kind: str, past_the_gateway: bool
) -> None:
    base = live.orthanc_url if past_the_gateway else live.url
    answer = requests.get(f"{base}/share/{shared[kind].token}/zip", timeout=120)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert opened(answer.content) == shared[kind].files


@pytest.mark.parametrize("kind", KINDS)
def test_four_at_once_get_the_same(live: LiveInstance, shared: dict[str, Shared], kind: str) -> None:
    def zip_of(_: int) -> bytes:
        return requests.get(f"{live.url}/share/{shared[kind].token}/zip", timeout=120).content

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(zip_of, range(4))
    assert opened(first) == shared[kind].files
    assert all(other == first for other in others)


@pytest.mark.parametrize("kind", KINDS)
def test_it_resumes_anywhere(live: LiveInstance, shared: dict[str, Shared], kind: str) -> None:
    url = f"{live.url}/share/{shared[kind].token}/zip"
    whole = requests.get(url, timeout=120)
    etag = whole.headers["ETag"]
    for start in (5, len(whole.content) // 3, len(whole.content) - 300):
        rest = requests.get(url, headers={"Range": f"bytes={start}-", "If-Range": etag}, timeout=120)
        assert rest.status_code == 206, rest.text
        assert rest.content == whole.content[start:]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_written_to_meanwhile_cuts_the_download(
    live: LiveInstance, shared: dict[str, Shared], kind: str
) -> None:
    place = shared[kind].folder / "IM0030.dcm"  # the last one by its number
    with requests.get(f"{live.url}/share/{shared[kind].token}/zip", stream=True, timeout=120) as answer:
        assert answer.status_code == 200, answer.text
        got = len(answer.raw.read(100_000))
        place.write_bytes(b"\0" * place.stat().st_size)  # the same length
        last = time.monotonic()
        try:
            with pytest.raises(CUT):
                for piece in answer.iter_content(1 << 16):
                    got += len(piece)
                    last = time.monotonic()
        finally:
            place.write_bytes(shared[kind].files["IM0030.dcm"])
            os.utime(place, (1_700_000_000, 1_700_000_000))
    assert got < int(answer.headers["Content-Length"])
    assert time.monotonic() - last < 20, "the cut is seen at once, not when a kept connection ends"
    broken = live.admin.get("/api/audit?action=share.download_broken").json()
    assert broken["total"] >= 1, "the trail tells of it"
    logs = "".join(log.read_text(errors="replace") for log in (live.data / "logs").glob("*"))
    assert "stored_file_broken" in logs
    assert place.name not in logs, "a name may be a patient's"
