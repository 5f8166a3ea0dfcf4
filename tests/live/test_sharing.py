"""Links in a real instance: made by staff, held by strangers with browser or curl, guarded, unknown to every log."""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import struct
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.factories import ct, dicom_bytes
from tests.fixtures.instance import Client, LiveInstance, running
from tests.fixtures.live_cases import store

NAS_UID = "1.2.826.0.1.3680043.10.78.1"
PACS_UID = "1.2.826.0.1.3680043.10.78.2"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "User-Agent": "Mozilla/5.0 (X11; Linux) Test"}
CUT = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)
NAS_FILES = 80
"""Some 96 MB: more than gateway, sockets and client hold of a download between them, so that it can be cut."""
PADDING = 1_200_000


def one(series: str, number: int, padding: int) -> bytes:
    """A file of a series, as large as is wanted: DataSetTrailingPadding (PS3.5 section 7.2) behind the pixels."""
    file = dicom_bytes(
        ct(SeriesInstanceUID=series, SOPInstanceUID=f"{series}.{number}", InstanceNumber=number,
           StudyInstanceUID=f"{series}.0", PatientName="Shared^Sipho")
    )  # fmt: skip
    noise = random.Random(number).randbytes(padding & ~1)
    return file + struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, len(noise)) + noise


class Sharing:
    """A running instance with one series on its NAS and one in Orthanc."""

    def __init__(self, live: LiveInstance, nas: Path) -> None:
        self.live = live
        self.nas = nas
        self.on_nas: dict[str, bytes] = {}
        self.in_pacs: dict[str, bytes] = {}
        self.staff: Client = live.client("staff")

    def fill(self) -> None:
        """Lay the series down, have the NAS indexed."""
        self.write()
        self.in_pacs = {f"{PACS_UID}.{n}.dcm": one(PACS_UID, n, 1000) for n in range(1, 7)}
        store(self.live, self.in_pacs.items())
        begun = self.staff.post("/api/index/start", json={"path": str(self.nas)})
        assert begun.status_code == 202, begun.text
        end = time.monotonic() + 120
        while (said := self.staff.get("/api/index/status").json())["state"] != "done":
            assert time.monotonic() < end, said
            time.sleep(0.3)

    def write(self) -> None:
        """The series on the NAS, as it was at first: times too."""
        folder = self.nas / "ct"
        folder.mkdir(parents=True, exist_ok=True)
        for n in range(1, NAS_FILES + 1):
            data = one(NAS_UID, n, PADDING)
            place = folder / f"IM{n:04d}.dcm"
            place.write_bytes(data)
            os.utime(place, (1_700_000_000, 1_700_000_000))
            self.on_nas[place.name] = data

    def link(self, series: str = NAS_UID, **wish: object) -> dict[str, str]:
        """A fresh link by staff."""
        answer = self.staff.post("/share/create", json={"series_key": series, **wish})
        assert answer.status_code == 201, answer.text
        made: dict[str, str] = answer.json()
        return made

    def stranger(self) -> requests.Session:
        """Another browser, signed in nowhere."""
        session = requests.Session()
        session.trust_env = False
        session.headers.update(HTML)
        return session

    def get(self, path: str, **options: Any) -> requests.Response:
        """What a program gets."""
        return requests.get(f"{self.live.url}{path}", timeout=60, **options)


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharing]:
    nas = tmp_path_factory.mktemp("nas")
    data = tmp_path_factory.mktemp("sharing") / "data"
    settings = {"NAS_ALLOWED_ROOTS": str(nas), "SHARE_STREAMS_PER_LINK": "2", "READINGROOM_UNLOCK_PER_MINUTE": "600"}
    with running(data, **settings) as live:
        site = Sharing(live, nas)
        site.fill()
        yield site


@pytest.fixture(autouse=True)
def forgiven(sharing: Sharing) -> None:
    """All tests come from one address: what one did wrong is not the next one's."""
    forgive(sharing)


def forgive(sharing: Sharing) -> None:
    with sqlite3.connect(sharing.live.data / "readingroom.db") as database:
        database.execute("DELETE FROM share_address")


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        return {info.filename: read.read(info) for info in read.infolist()}


def curl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-sS", "--noproxy", "*", "--max-time", "60", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=90)


# --- from the link to the files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("series", [NAS_UID, PACS_UID])
def test_a_stranger_comes_by_the_link_and_leaves_with_every_file(sharing: Sharing, series: str) -> None:
    files = sharing.on_nas if series == NAS_UID else sharing.in_pacs
    made = sharing.link(series)
    stranger = sharing.stranger()
    landing = stranger.get(made["url"], allow_redirects=False)
    assert (landing.status_code, landing.headers["Location"]) == (303, f"/shared/{made['id']}")
    assert landing.headers["Referrer-Policy"] == "no-referrer"
    assert landing.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in landing.headers["Cache-Control"]
    page = stranger.get(made["url"])
    assert page.url == f"{sharing.live.url}/shared/{made['id']}"
    assert "<html" in page.text.lower()
    info = stranger.get(f"{sharing.live.url}/share/{made['id']}/info").json()
    assert (info["state"], info["file_count"], info["size_bytes"]) == (
        "ready", len(files), sum(map(len, files.values())),
    )  # fmt: skip
    answer = stranger.get(f"{sharing.live.url}/share/{made['id']}/zip")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert opened(answer.content) == files
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_files_come_one_by_one_too_and_in_ranges(sharing: Sharing) -> None:
    made = sharing.link()
    listed = sharing.get(f"/share/{made['token']}/files").json()
    assert listed["total"] == NAS_FILES
    for item in (listed["items"][0], listed["items"][-1]):
        whole = sharing.get(f"/share/{made['token']}/files/{item['n']}")
        assert whole.content == sharing.on_nas[item["name"]]
        part = sharing.get(f"/share/{made['token']}/files/{item['n']}", headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, whole.content[1000:2000])


def test_curl_names_resumes_and_asks_beforehand(sharing: Sharing, tmp_path: Path) -> None:
    made = sharing.link(password="passcode for curl")
    shown = ("-H", "X-Share-Passcode: passcode for curl")
    told = curl(tmp_path, "-I", *shown, made["url"])
    assert told.stdout.startswith("HTTP/1.1 200"), told.stdout
    length = int(next(x for x in told.stdout.lower().splitlines() if x.startswith("content-length")).split(":")[1])
    first = curl(tmp_path, "-OJ", "--limit-rate", "4M", "--max-time", "2", *shown, made["url"])
    assert first.returncode == 28, first
    (begun,) = tmp_path.iterdir()
    assert begun.name.endswith(".zip")
    assert begun.name.startswith("CT_")
    had = begun.stat().st_size
    assert 0 < had < length
    again = curl(tmp_path, "-C", "-", "-o", begun.name, *shown, made["url"])
    assert again.returncode == 0, again
    assert begun.stat().st_size == length
    assert opened(begun.read_bytes()) == sharing.on_nas
    assert sharing.staff.get(f"/api/shares/{made['id']}").json()["download_count"] == 1, "HEAD and resume do not count"


def test_curl_unlocks_once_for_many_files(sharing: Sharing, tmp_path: Path) -> None:
    made = sharing.link(PACS_UID, password="passcode for curl")
    said = '{"password": "passcode for curl"}'
    json_body = ("-H", "Content-Type: application/json", "-d", said)
    assert curl(tmp_path, "-f", "-c", "jar", *json_body, f"{made['url']}/unlock").returncode == 0
    for n in range(1, 7):
        done = curl(tmp_path, "-f", "-b", "jar", "-o", f"{n}.dcm", f"{made['url']}/files/{n}")
        assert done.returncode == 0, done
    assert {place.read_bytes() for place in tmp_path.glob("*.dcm")} == set(sharing.in_pacs.values())
    assert curl(tmp_path, "-f", "-o", "x", f"{made['url']}/files/1").returncode == 22


# --- every end ----------------------------------------------------------------------------------------------------


def refusal(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    body.pop("request_id")
    return answer.status_code, json.dumps(body)


def test_expired_revoked_used_up_unknown_and_wrong_are_one_answer(sharing: Sharing) -> None:
    revoked, used_up = sharing.link(), sharing.link(max_downloads=1)
    expired, wrong = sharing.link(), sharing.link(password="the right one")
    assert sharing.staff.delete(f"/api/shares/{revoked['id']}").status_code == 204
    assert sharing.get(f"/share/{used_up['token']}/zip").status_code == 200
    _set(sharing, expired["id"], "expires_at = '2020-01-01 00:00:00.000000'")  # an hour is the shortest life
    other = {"User-Agent": "somebody else"}  # whoever used it up may resume
    answers = set()
    for token in (revoked["token"], used_up["token"], expired["token"], wrong["token"], "n" * 43):
        answers.add(refusal(sharing.get(f"/share/{token}/zip", headers={**other, "X-Share-Passcode": "wrong one"})))
        answers.add(refusal(sharing.get(f"/share/{token}/files", headers=other)))
        landing = sharing.get(f"/share/{token}", headers=HTML, allow_redirects=False)
        assert landing.headers["Location"] == ("/shared/none" if token != wrong["token"] else f"/shared/{wrong['id']}")
    assert len(answers) == 1, answers


def test_ten_wrong_passcodes_lock_and_waiting_opens(sharing: Sharing) -> None:
    made = sharing.link(PACS_UID, password="the right one")
    stranger = sharing.stranger()
    stranger.get(made["url"])
    unlock = f"{sharing.live.url}/share/{made['id']}/unlock"
    for n in range(10):
        assert stranger.post(unlock, json={"password": f"wrong {n}"}).status_code == 404
    # However long this machine takes for ten: the tenth that is looked at locks for 64 seconds.
    _set(sharing, made["id"], "failed_attempts = 9, locked_until = NULL")
    forgive(sharing)
    assert stranger.post(unlock, json={"password": "wrong 10"}).status_code == 404
    assert stranger.post(unlock, json={"password": "the right one"}).status_code == 404
    assert sharing.staff.get(f"/api/shares/{made['id']}").json()["locked_until"]
    _set(sharing, made["id"], "locked_until = '2020-01-01 00:00:00.000000'")
    assert stranger.post(unlock, json={"password": "the right one"}).status_code == 204
    assert opened(stranger.get(f"{sharing.live.url}/share/{made['id']}/zip").content) == sharing.in_pacs


def _set(sharing: Sharing, link_id: str, what: str) -> None:
    with sqlite3.connect(sharing.live.data / "readingroom.db") as database:
        database.execute(f"UPDATE shares SET {what} WHERE id = ?", (link_id,))


def test_two_downloads_past_the_cap_are_told_to_come_again(sharing: Sharing) -> None:
    made = sharing.link()
    path = f"{sharing.live.url}/share/{made['token']}/zip"
    held = [requests.get(path, stream=True, timeout=60) for _ in range(2)]
    assert [each.status_code for each in held] == [200, 200]
    for _ in range(2):
        refused = requests.get(path, timeout=60)
        assert (refused.status_code, refused.json()["error"]) == (429, "too_many_requests")
        assert int(refused.headers["Retry-After"]) > 0
    for each in held:
        each.close()
    end = time.monotonic() + 60
    while requests.head(path, timeout=60).status_code == 429:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert sharing.staff.get(f"/api/shares/{made['id']}").json()["download_count"] == 2


def test_a_series_that_vanishes_from_the_nas_cuts_the_download_and_returns(sharing: Sharing) -> None:
    made = sharing.link()
    url = f"{sharing.live.url}/share/{made['token']}/zip"
    away = sharing.nas.with_name("away")
    with requests.get(url, stream=True, timeout=60) as answer:
        body = answer.raw.read(1_000_000)
        (sharing.nas / "ct").rename(away)
        try:
            with pytest.raises(CUT):
                for piece in answer.iter_content(1 << 20):
                    body += piece
            assert len(body) < int(answer.headers["Content-Length"])
        finally:
            away.rename(sharing.nas / "ct")
    assert opened(requests.get(url, timeout=60).content) == sharing.on_nas


def test_revoking_cuts_a_download_under_way(sharing: Sharing) -> None:
    made = sharing.link()
    with requests.get(f"{sharing.live.url}/share/{made['token']}/zip", stream=True, timeout=60) as answer:
        body = answer.raw.read(100_000)
        sharing.staff.delete(f"/api/shares/{made['id']}")
        time.sleep(1.5)
        with pytest.raises(CUT):
            for piece in answer.iter_content(1 << 20):
                body += piece
    assert len(body) < NAS_FILES * PADDING


# --- what a link does not open ------------------------------------------------------------------------------------


def test_a_links_cookie_opens_nothing_of_orthanc_dicomweb_or_ours(sharing: Sharing) -> None:
    made = sharing.link(PACS_UID)
    stranger = sharing.stranger()
    stranger.headers["Accept"] = "*/*"
    stranger.get(made["url"], headers=HTML)
    assert stranger.get(f"{sharing.live.url}/share/{made['id']}/info").status_code == 200
    for path in (
        "/system", "/patients", "/instances", "/series", "/tools/find", "/app/explorer.html", "/wado",
        "/dicom-web/studies", f"/dicom-web/studies/{PACS_UID}.0", f"/dicom-web/studies/{PACS_UID}.0/series/{PACS_UID}",
        "/api/me", "/api/shares", "/api/search?q=x", "/api/bestof/cases", "/api/audit", "/api/series/x",
    ):  # fmt: skip
        assert stranger.get(sharing.live.url + path).status_code == 401, path
        direct = stranger.get(sharing.live.orthanc_url + path)
        assert direct.status_code in (401, 403), path


# --- logs ---------------------------------------------------------------------------------------------------------


def test_no_log_knows_token_or_passcode_after_a_full_session(sharing: Sharing, tmp_path: Path) -> None:
    live = sharing.live
    assert live.orthanc().put("/tools/log-level", data="verbose").status_code == 200
    try:
        right, wrong = "right-Secret-7711", "wrong-Secret-7722"
        made = [sharing.link(series, password=right) for series in (NAS_UID, PACS_UID)]
        open_link = sharing.link(PACS_UID)
        for each in made:
            forgive(sharing)
            stranger = sharing.stranger()
            stranger.get(each["url"], headers={"Referer": each["url"]})
            for handle in (each["id"], each["token"]):
                base = f"{live.url}/share/{handle}"
                stranger.get(f"{base}/info", headers={"Referer": each["url"]})
                stranger.post(f"{base}/unlock", json={"password": wrong})
                assert stranger.post(f"{base}/unlock", json={"password": right}).status_code == 204
                stranger.get(f"{base}/zip", headers={"Range": "bytes=1000-"})
                for path in ("/files", "/files/1", "/thumbnail", "/nothing", "/files/999"):
                    stranger.get(base + path)
                stranger.head(f"{base}/zip")
                stranger.delete(base)
            for shown in (right, wrong):
                header = ("-H", f"X-Share-Passcode: {shown}")
                curl(tmp_path, "-o", "out", "-r", "100-", *header, each["url"])
                curl(tmp_path, "-o", "out", "-I", *header, each["url"] + "/zip")
                curl(tmp_path, "-o", "out", "-r", "100-", *header, f"{each['url']}/zip?token={each['token']}")
            curl(tmp_path, "-o", "out", f"{live.url}/share//{each['token']}/zip")
            curl(tmp_path, "-o", "out", f"{live.url}/%73hare/{each['token']})")
        sharing.get(f"/share/{open_link['token']}")
        time.sleep(1.5)  # the access log is written beside the requests
        trail = live.admin.get("/api/audit?limit=500").text
    finally:
        live.orthanc().put("/tools/log-level", data="default")
    logs = {str(log.relative_to(live.data)): log.read_text(errors="replace") for log in _logs(live.data)}
    assert {"logs/orthanc.log", "logs/gateway-access.log", "logs/readingroom.jsonl"} <= set(logs)
    assert "GET /share/-/zip" in logs["logs/orthanc.log"], "Orthanc writes down the paths it is asked for"
    assert "share.unlock" in trail
    # "eyJ" begins every signed token: cookies, access tokens, the keys under which the gateway fetches zips.
    secrets = ["eyJ", right, wrong, open_link["token"], *(each["token"] for each in made), "Shared^Sipho"]
    logs["the trail"] = trail
    found = {(name, secret) for name, text in logs.items() for secret in secrets if secret in text}
    assert found == set()


def _logs(data: Path) -> list[Path]:
    return [place for place in (data / "logs").rglob("*") if place.is_file()]


# --- restart (last: the instance goes away) -----------------------------------------------------------------------


def test_a_cookie_and_a_begun_download_outlive_a_restart(sharing: Sharing) -> None:
    made = sharing.link(password="the right one", max_downloads=1)
    stranger = sharing.stranger()
    stranger.get(made["url"])
    base = f"{sharing.live.url}/share/{made['id']}"
    assert stranger.post(f"{base}/unlock", json={"password": "the right one"}).status_code == 204
    with stranger.get(f"{base}/zip", stream=True) as answer:
        beginning = answer.raw.read(3_000_000)
        etag = answer.headers["ETag"]
    sharing.live.restart()
    assert stranger.get(f"{base}/info").json()["unlocked"] is True
    resumed = stranger.get(f"{base}/zip", headers={"Range": f"bytes={len(beginning)}-", "If-Range": etag})
    assert resumed.status_code == 206
    assert opened(beginning + resumed.content) == sharing.on_nas
    seen = sharing.live.client("staff").get(f"/api/shares/{made['id']}").json()
    assert (seen["download_count"], seen["state"]) == (1, "used_up")
