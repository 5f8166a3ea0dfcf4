"""Somebody outside who has one link and wants more: tricks with paths, headers, methods and ranges, at both doors."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from pydicom.uid import generate_uid

from tests.factories import ct, dicom_bytes
from tests.fixtures.instance import Client, LiveInstance, running
from tests.fixtures.live_cases import store

MINE, OTHERS = "1.2.826.0.1.3680043.10.81.1", "1.2.826.0.1.3680043.10.81.2"
PASSCODE = "the right passcode"
FILES = 3


class Attack:
    """An instance with two series, a link to one for the attacker, and one to the other for somebody else."""

    def __init__(self, live: LiveInstance) -> None:
        self.live = live
        self.staff: Client = live.client("staff")
        for uid in (MINE, OTHERS):
            made = [
                ct(rows=256, columns=256, SeriesInstanceUID=uid, StudyInstanceUID=f"{uid}.0",
                   SOPInstanceUID=generate_uid(), InstanceNumber=n, PatientID=uid, PatientName=f"Hidden{uid[-1]}^Name")
                for n in range(1, FILES + 1)
            ]  # fmt: skip
            store(live, [(f"{n}.dcm", dicom_bytes(each)) for n, each in enumerate(made)])
        self.doors = (live.url, live.orthanc_url)

    def link(self, uid: str = MINE, **wish: Any) -> dict[str, str]:
        answer = self.staff.post("/share/create", json={"series_key": uid, **wish})
        assert answer.status_code == 201, answer.text
        made: dict[str, str] = answer.json()
        return made

    def count(self, made: dict[str, str]) -> int:
        said: dict[str, Any] = self.staff.get(f"/api/shares/{made['id']}").json()
        return int(said["download_count"])


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attack]:
    with running(tmp_path_factory.mktemp("attacks") / "data") as live:
        yield Attack(live)


def raw(address: str, method: str = "GET", **options: Any) -> requests.Response:
    """A request whose path is left as it is written."""
    session = requests.Session()
    prepared = session.prepare_request(requests.Request(method, "http://x/", **options))
    prepared.url = address
    return session.send(prepared, timeout=60, allow_redirects=False)


def test_no_way_to_write_a_path_leads_past_the_passcode_or_to_another_link(attack: Attack) -> None:
    locked, open_link = attack.link(OTHERS, password=PASSCODE), attack.link()
    token, mine = locked["token"], open_link["token"]
    tricks = [
        f"/share/{token}/zip", f"/share//{token}//zip", f"/share/./{token}/zip", f"/share/{token}/files/../zip",
        f"/share/{token}%2Fzip", f"/share/{token}/%7A%69%70", f"/share/{token}/zip/", f"/share/{token}/zip;a=b",
        f"/share/{token}/zip?password={PASSCODE[:3]}", f"/share/{token}/files/1%00", f"/share/{token}/files/01",
        f"/share/{mine}/../{token}/zip", f"/share/{mine}%2F..%2F{token}/zip", f"/share/{mine}/..%2f{token}/zip",
        f"/share/{mine}/%2e%2e/{token}/files/1", f"/SHARE/{token}/zip", f"/share/-/zip?{token}", f"/share/-/{token}",
        f"/share/{locked['id']}/zip", f"/share/{locked['id']}/files", f"/share/{locked['id']}/thumbnail",
        f"/share/{mine}/{locked['id']}/zip", "/api/zip/-", "/_zip/-", f"/_zip/{token}", f"/api/zip/{token}",
        f"/share/{mine}/files/..%2f..%2fapi%2fshares", f"/share/{mine}/../../api/shares", "/share/-/info",
    ]  # fmt: skip
    for door in attack.doors:
        for trick in tricks:
            answer = raw(door + trick)
            assert answer.status_code in (400, 401, 403, 404, 405), (door, trick, answer.status_code)
            assert b"DICM" not in answer.content
            assert b"Hidden2" not in answer.content, (door, trick)
    assert attack.count(locked) == 0


def test_the_gateways_own_headers_are_its_own(attack: Attack) -> None:
    other, mine = attack.link(OTHERS, password=PASSCODE), attack.link(max_downloads=1)
    forged = {
        "X-Readingroom-Share": other["token"], "X-Readingroom-Method": "HEAD", "X-Readingroom-Gateway": "guess",
        "X-Readingroom-Zip": "guess", "X-Accel-Redirect": "/api/shares", "X-Original-URL": "/api/shares",
        "X-Rewrite-URL": "/api/shares", "X-Forwarded-For": "127.0.0.1",
        "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1",
    }  # fmt: skip
    for door in attack.doors:
        told = raw(f"{door}/share/{mine['token']}/info", headers=forged).json()
        assert told["id"] == mine["id"], door
        assert raw(f"{door}/share/-/zip", headers=forged).status_code == 404, door
    counted = raw(f"{attack.live.url}/share/{mine['token']}/zip", headers=forged)
    assert counted.status_code == 200
    assert attack.count(mine) == 1, "a download that calls itself a question is counted"
    second = attack.link(max_downloads=1)
    assert raw(f"{attack.live.orthanc_url}/share/{second['token']}/zip", headers=forged).status_code == 200
    assert attack.count(second) == 1
    for made in (mine, second):
        for door in attack.doors:
            assert raw(f"{door}/share/{made['token']}/zip", headers=forged).status_code == 404, "it was the only one"


def test_asking_without_taking_gives_no_bytes_and_takes_no_place(attack: Attack) -> None:
    made = attack.link(max_downloads=1)
    address = f"{attack.live.url}/share/{made['token']}/zip"
    for _ in range(30):
        told = raw(address, "HEAD", headers={"Range": "bytes=0-"})
        assert (told.status_code in (200, 206), told.content) == (True, b"")
    assert attack.count(made) == 0
    for method in ("OPTIONS", "TRACE", "PATCH", "PROPFIND", "CONNECT", "GETX", "DELETE", "PUT", "POST"):
        answer = raw(address, method)
        assert b"DICM" not in answer.content, method
        assert answer.status_code not in (200, 206), method
    for body in ({"data": b"x"}, {"data": iter([b"x"])}):
        assert raw(address, "GET", **body).status_code == 400
    assert attack.count(made) == 0


def test_ranges_give_no_second_download(attack: Attack) -> None:
    made = attack.link(max_downloads=1)
    address = f"{attack.live.url}/share/{made['token']}/zip"
    session = requests.Session()
    whole = session.get(address, timeout=60)
    assert whole.status_code == 200
    for wanted in ("bytes=0-", "bytes=-1000000", "bytes=0-0,1-", "bytes=00-", "bytes = 1-", "items=1-", "bytes=1-,-1",
                   "bytes=-0", "bytes=+1-", "bytes=0x1-", "bytes=1-0"):  # fmt: skip
        answer = session.get(address, headers={"Range": wanted}, timeout=60)
        assert answer.status_code in (404, 416), (wanted, answer.status_code)
    rest = session.get(address, headers={"Range": "bytes=1-"}, timeout=60)
    assert (rest.status_code, rest.content) == (206, whole.content[1:])
    stale = session.get(address, headers={"Range": "bytes=1-", "If-Range": '"another"'}, timeout=60)
    assert (stale.status_code, stale.content[:2] == b"PK") != (200, True), "the whole, by a range that does not count"
    assert attack.count(made) == 1


def test_whoever_begins_again_and_again_keeps_to_a_pace(attack: Attack) -> None:
    """At Orthanc's own door, which says 503 for 429: at the gateway's, streams at a time are refused with 429 too."""
    made = attack.link()
    address = f"{attack.live.orthanc_url}/share/{made['token']}/zip"
    refused: list[requests.Response] = []
    until = time.monotonic() + 300  # sixty within one minute: three at a time are that quick on any machine

    def begin() -> int:
        begun = 0
        while not refused and time.monotonic() < until:
            answer = requests.get(address, timeout=60)
            if answer.status_code != 200:
                refused.append(answer)
            begun += answer.status_code == 200
        return begun

    with ThreadPoolExecutor(3) as pool:
        begun = sum(each.result() for each in [pool.submit(begin) for _ in range(3)])
    assert refused
    assert all(each.status_code == 503 and "were begun" in each.json()["message"] for each in refused)
    assert all(0 < int(each.headers["Retry-After"]) <= 60 for each in refused)
    assert begun >= 60


def test_wrong_passcodes_lock_and_tell_nothing(attack: Attack) -> None:
    made = attack.link(OTHERS, password=PASSCODE)
    address = f"{attack.live.orthanc_url}/share/{made['token']}"
    said = set()
    for n in range(6):
        if n == 5:  # however long this machine took for five: the sixth is looked at, and locks for two minutes
            with sqlite3.connect(attack.live.data / "readingroom.db") as database:
                lately = "UPDATE shares SET failed_attempts = 10, locked_until = NULL WHERE id = ?"
                database.execute(lately, (made["id"],))
                database.execute("DELETE FROM share_address")
        answer = raw(f"{address}/unlock", "POST", json={"password": f"guess {n}"})
        body = answer.json()
        said.add((answer.status_code, body["error"], body["message"]))
    right = raw(f"{address}/unlock", "POST", json={"password": PASSCODE}).json()
    unknown = raw(f"{attack.live.orthanc_url}/share/{'x' * 43}/unlock", "POST", json={"password": "guess"}).json()
    assert said == {(404, right["error"], right["message"])} == {(404, unknown["error"], unknown["message"])}
    told = raw(f"{address}/info").json()
    assert (told["series"], told["unlocked"], told["file_name"]) == ({}, False, "")
