"""The process that makes copies, as it is: started by the server, killed in the middle, gone on with."""

from __future__ import annotations

import io
import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from readingroom.clock import SystemClock
from readingroom.settings import Settings
from readingroom.sources import SourceSettings, open_source, parse_location

from tests.fixtures.catalogued import SERIES, catalogue_source, configure, write_series
from tests.fixtures.sharing import PASSWORD, SECRET, SharingSite

FILES = 60


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SharingSite]:
    """A site with a NAS that is catalogued: the process finds the series there, without Orthanc."""
    settings = Settings.load(
        READINGROOM_DATA=tmp_path / "data",
        READINGROOM_GATEWAY_SECRET=SECRET,
        READINGROOM_ORTHANC_URL="http://127.0.0.1:9",
        NAS_ALLOWED_ROOTS=str(tmp_path / "nas"),
    )
    made = SharingSite(settings, SystemClock())
    files = write_series(tmp_path / "nas", FILES, rows=256, columns=256, PatientName="Zwartkop^Nomvula")
    configure(settings, {"name": "archive", "type": "local", "path": str(tmp_path / "nas")})
    location = parse_location((tmp_path / "nas").as_uri())
    catalogue_source(made.database, "archive", "local", open_source(location, SourceSettings()))
    made.origin.put(SERIES, files)
    yield made
    made.room.stop()


def until[T](asked: Callable[[], T], seconds: float = 120) -> T:
    """What is asked for, once it is there."""
    end = time.monotonic() + seconds
    while not (found := asked()):
        assert time.monotonic() < end, "in vain"
        time.sleep(0.005)
    return found


def processes(data: Path) -> list[int]:
    """The processes that make copies of that site."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if b"readingroom.copy_worker" not in (place / "cmdline").read_bytes():
                continue
            if f"READINGROOM_DATA={data}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
        except OSError:
            continue
    return found


def test_a_copy_survives_kill_9_and_names_nobody(site: SharingSite) -> None:
    client = site.room.app.test_client()
    access = client.post("/api/token/", json={"username": "staff", "password": PASSWORD}).get_json()["access"]
    staff = {"Authorization": f"Bearer {access}"}
    made = client.post("/share/create", json={"series_key": SERIES, "deidentified": True}, headers=staff).get_json()
    half = site.settings.data / "shares" / f".{made['id']}"
    until(lambda: len(list(half.glob("*.dcm"))) >= 3)
    (pid,) = processes(site.settings.data)
    os.kill(pid, signal.SIGKILL)
    first = {place.name: place.stat().st_ino for place in half.glob("*.dcm")}
    assert len(first) < FILES, "it was too quick to be killed in the middle"

    def state() -> str:
        return str(client.get(f"/api/shares/{made['id']}", headers=staff).get_json()["copy_state"])

    until(lambda: state() == "ready")
    whole = site.settings.data / "shares" / made["id"]
    assert {name: (whole / name).stat().st_ino for name in first} == first, "what was done is not done again"
    answer = site.program().ask(f"/share/{made['token']}/zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as read:
        assert read.testzip() is None
        given = [read.read(name) for name in read.namelist()]
    assert len(given) == FILES
    assert len({str(dcmread(io.BytesIO(each)).SeriesInstanceUID) for each in given}) == 1
    assert not any(b"Zwartkop" in each or SERIES.encode() in each for each in given)
    logged = (site.settings.data / "logs" / "share-copy.log").read_text()
    assert "Zwartkop" not in logged
    assert SERIES not in logged
    until(lambda: not processes(site.settings.data))
