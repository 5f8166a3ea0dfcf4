"""What identity and audit cost a request: each part by itself, and Orthanc's /system with and without the guard."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from readingroom import identity as identities
from readingroom.audit import Trail
from readingroom.audit.events import CaseDownloaded
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.identity import ANONYMOUS, Access, Caller
from readingroom.settings import Settings

from scripts.runtime.report import Report
from tests.fixtures.instance import ADMIN_PASSWORD, running

CALLS = 2000
RUNS = 3
"""Taking turns; the middle one counts."""

MOST_MS = 1.0
PASSWORD = "a passphrase for the bench"


def run(report: Report) -> None:
    """Measure the parts in this process, then whole requests."""
    _parts(report)
    _requests(report)


def _parts(report: Report) -> None:
    data = report.scratch / "parts"
    settings, clock = Settings.load(READINGROOM_DATA=data), SystemClock()
    database = open_database(settings.database_url)
    migrate(database)
    trail = Trail(database, clock)
    parts = identities.build(settings, database, trail, clock)
    stranger = Caller(ANONYMOUS, "11111111-2222-3333-4444-555555555555", "127.0.0.1")
    parts.accounts.create("bench", PASSWORD, ("admin",), None, stranger)
    session = parts.sessions.open(parts.sign_in.check("bench", PASSWORD, "form", stranger), False, stranger)
    bearer = f"Bearer {session.access}"
    basic = "Basic " + base64.b64encode(f"bench:{PASSWORD}".encode()).decode()
    known = parts.authenticator.identify(bearer)
    asking = Caller(known, stranger.request_id, stranger.ip)
    access = Access(lambda _: True, clock)
    event = CaseDownloaded(entity_id="x", case_numbers=(42,), files=100, bytes=50_000_000)

    table = report.table(f"Each part of a request, {CALLS} calls of each, {RUNS} runs, SQLite", "ms")
    rows: dict[str, Callable[[], object]] = {
        "the identity behind a Bearer token": lambda: parts.authenticator.identify(bearer),
        "the identity behind Basic, checked before": lambda: parts.authenticator.identify(basic),
        "the rule for one of Orthanc's routes": lambda: access.allows(known, "GET", "/studies/x/series"),
        "one audit event, chained and committed": lambda: trail.record(event, asking),
    }
    for what, call in rows.items():
        table.add(what, *(_each(call) for _ in range(RUNS)))
    database.close()


def _each(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) * 1000 / CALLS


def _requests(report: Report) -> None:
    table = report.table(
        f"One request after the other, {CALLS} of each on a kept connection, {RUNS} runs in turns", "ms"
    )
    with running(report.scratch / "data") as live, _plain_orthanc(report.scratch / "plain") as plain:
        token = {"Authorization": f"Bearer {live.admin.token()}"}
        basic = {"Authorization": "Basic " + base64.b64encode(f"admin:{ADMIN_PASSWORD}".encode()).decode()}
        kinds: dict[str, tuple[str, dict[str, str]]] = {
            "Orthanc alone: /system": (f"{plain}/system", {}),
            "with the guard: /system, Bearer": (f"{live.orthanc_url}/system", token),
            "with the guard: /system, Basic": (f"{live.orthanc_url}/system", basic),
            "through the gateway: /system, Bearer": (f"{live.url}/system", token),
            "our route: /api/me, Bearer": (f"{live.orthanc_url}/api/me", token),
        }
        times: dict[str, list[float]] = {what: [] for what in kinds}
        for _ in range(RUNS):
            for what, (url, headers) in kinds.items():
                times[what].append(_asked(url, headers))
    for what, each in times.items():
        table.add(what, *each, against=what.startswith("Orthanc alone"))
    guarded, alone = (
        sorted(times[what])[RUNS // 2] for what in ("with the guard: /system, Bearer", "Orthanc alone: /system")
    )
    table.aim(f"the guard adds less than {MOST_MS:.0f} ms: {guarded - alone:.2f} ms", guarded - alone < MOST_MS)


def _asked(url: str, headers: dict[str, str]) -> float:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(headers)
        answer = session.get(url, timeout=30)
        assert answer.status_code == 200, answer.text
        return _each(lambda: session.get(url, timeout=30).content)


@contextmanager
def _plain_orthanc(folder: Path) -> Iterator[str]:
    """An Orthanc without any plugin, which lets everybody in."""
    folder.mkdir()
    with socket.socket() as free, socket.socket() as other:
        free.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, dicom = free.getsockname()[1], other.getsockname()[1]
    options = {"HttpPort": port, "DicomPort": dicom, "StorageDirectory": str(folder), "IndexDirectory": str(folder)}
    config = folder / "orthanc.json"
    config.write_text(json.dumps({**options, "AuthenticationEnabled": False, "KeepAlive": True, "Plugins": []}))
    process = subprocess.Popen(["Orthanc", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                requests.get(f"{url}/system", timeout=2)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)
