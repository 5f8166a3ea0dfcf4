"""The zip of a series that lies on a NAS, by a shared link, beside a plain copy of its files from the same place.

Server, relay, Orthanc, gateway and client share this machine's processors. The copy writes files; the zip goes to
nowhere, as what a client does with it is not ours, and in a row of its own into a file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.runtime.report import Report
from tests.bench.serving import cpu_seconds, processes, sendfile_nginx
from tests.factories import ct_series
from tests.fixtures.delay import Delay
from tests.fixtures.far_folder import FarFolder, refusal
from tests.fixtures.instance import LiveInstance, running
from tests.fixtures.servers import running_smbd, running_sshd

SLICES = 400
"""CT slices of 512 × 512 pixels, 16 bits: 211 MB."""

RUNS = 3
ROUND_TRIP_MS = 2.0
AIM = 0.8
MB = 1_000_000

MINE = "zip, gateway"
NOWHERE = Path("/dev/null")

CEILING = "one file of that size, nginx alone by sendfile"
"""What HTTP over loopback reaches at most; `cp` between folders in memory passes no socket and no second process."""


@dataclass(frozen=True, slots=True)
class Place:
    """One series on one source, and how a person would copy its files from there."""

    name: str
    folder: Path
    config: dict[str, Any]
    copy: Callable[[Path], list[str]]
    before: Callable[[Path], None] = lambda folder: None
    """Done before each copy and each zip: for what is not to be in memory."""


def run(report: Report) -> None:
    """Each place in its turn."""
    with (
        places(report.scratch) as found,
        running(report.scratch / "data", NAS_ALLOWED_ROOTS=str(report.scratch / "nas")) as live,
    ):
        for place in found:
            ct_series(place.folder, SLICES, 512, 512, name=place.name)
        indexed(live, found)
        for place in found:
            _measure(report, live, place)


@contextmanager
def places(scratch: Path) -> Iterator[list[Place]]:
    """Folders, a mount, an SMB share with and without encryption, an SFTP server, near and from a distance."""
    nas = scratch / "nas"
    found = [
        _folder("a local folder in memory", nas / "warm", nas / "warm"),
        _folder("a local folder on disk", nas / "cold", nas / "cold", _forgotten),
    ]
    with ExitStack() as opened:
        for name, keeps in (("read anew", False), ("kept in memory", True)):
            exported, mount = scratch / f"exported-{keeps}", nas / f"mount-{keeps}"
            exported.mkdir()
            if why := refusal():
                print(f"  no mount {ROUND_TRIP_MS:g} ms away was measured: {why}", flush=True)
                continue
            opened.enter_context(FarFolder(exported, mount, ROUND_TRIP_MS, keeps=keeps))
            found.append(_folder(f"a mount {ROUND_TRIP_MS:g} ms away: {name}", exported, mount))
        smb, sftp = opened.enter_context(running_smbd()), opened.enter_context(running_sshd())
        far_smb = opened.enter_context(Delay(smb.host, smb.port, ROUND_TRIP_MS))
        far_sftp = opened.enter_context(Delay(sftp.host, sftp.port, ROUND_TRIP_MS))
        for where, port in (("", smb.port), (f" {ROUND_TRIP_MS:g} ms away", far_smb.port)):
            for words, encryption, protection in (("encrypted", "if_offered", "encrypt"), ("signed", "off", "sign")):
                name = f"SMB {words}{where}"
                folder = name.replace(" ", "-")
                config = {
                    "type": "smb", "host": smb.host, "port": port, "share": smb.share, "username": smb.user,
                    "password": smb.password, "path": folder, "encryption": encryption,
                }  # fmt: skip

                def copy(to: Path, port: int = port, folder: str = folder, protection: str = protection) -> list[str]:
                    return [
                        "smbclient", f"//{smb.host}/{smb.share}", "-p", str(port), "-U", f"{smb.user}%{smb.password}",
                        f"--client-protection={protection}", "-D", folder, "-c", f"prompt off; lcd {to}; mget *",
                    ]  # fmt: skip

                found.append(Place(name, smb.root / folder, config, copy))
        for where, port in (("", sftp.port), (f" {ROUND_TRIP_MS:g} ms away", far_sftp.port)):
            name = f"SFTP{where}"
            folder = sftp.root / name.replace(" ", "-")
            config = {
                "type": "sftp", "host": sftp.host, "port": port, "username": sftp.user, "password": sftp.password,
                "path": str(folder), "host_fingerprint": sftp.host_key_fingerprint,
            }  # fmt: skip

            def fetch(to: Path, port: int = port, folder: Path = folder) -> list[str]:
                return [
                    "sftp", "-q", "-r", "-P", str(port), "-i", str(sftp.key("ed25519")), "-o", "IdentitiesOnly=yes",
                    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                    f"{sftp.user}@{sftp.host}:{folder}", str(to),
                ]  # fmt: skip

            found.append(Place(name, folder, config, fetch))
        yield found


def _folder(name: str, folder: Path, seen: Path, before: Callable[[Path], None] = lambda folder: None) -> Place:
    """One whose files lie in `folder`, and that Orthanc and `cp` know as `seen`."""
    return Place(
        name, folder, {"type": "local", "path": str(seen)}, lambda to: ["cp", "-r", str(seen), str(to)], before
    )


def _forgotten(folder: Path) -> None:
    """Its files leave memory, as far as the kernel lets them go."""
    for file in folder.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def indexed(live: LiveInstance, found: list[Place]) -> None:
    """Configure all places as sources, and index them."""
    admin = live.admin
    sources = [{"name": place.name, **place.config} for place in found]
    answer = admin.put("/api/nas/config", json={"sources": sources})
    assert answer.status_code == 200, answer.text
    for place in found:
        begun = admin.post("/api/index/start", json={"source": place.name})
        assert begun.status_code == 202, begun.text
        deadline = time.monotonic() + 300
        while (said := admin.get("/api/index/status").json())["state"] not in ("done", "failed", "interrupted"):
            assert time.monotonic() < deadline, said
            time.sleep(0.3)
        assert said["state"] == "done", said


def _measure(report: Report, live: LiveInstance, place: Place) -> None:
    size = sum(file.stat().st_size for file in place.folder.iterdir())
    table = report.table(
        f"{place.name}: a series of {size / 1e6:.0f} MB in {SLICES} files, one client, {RUNS} runs in turns, "
        f"load {os.getloadavg()[0]:.1f}",
        "MB/s",
    )
    token = _shared(live, place)
    rows: dict[str, list[float]] = {"copy of its files": []}
    spent: dict[str, list[float]] = {}
    ours = processes(str(live.data / "run"), str(live.data / "logs"))
    with ExitStack() as opened:
        scratch, file = report.scratch, report.scratch / "downloaded"
        zips = {
            MINE: (f"{live.url}/share/{token}/zip", ours, NOWHERE),
            f"{MINE}, into a file": (f"{live.url}/share/{token}/zip", ours, file),
            "zip, Orthanc alone": (f"{live.orthanc_url}/share/{token}/zip", ours, NOWHERE),
        }
        if place.folder == scratch / "nas" / "warm":
            nginx = opened.enter_context(sendfile_nginx(scratch / "nginx", size))
            alone = processes(str(scratch / "nginx"))
            zips[CEILING] = (f"{nginx}/one", alone, NOWHERE)
            zips[f"{CEILING}, into a file"] = (f"{nginx}/one", alone, file)
        for _ in range(RUNS):
            place.before(place.folder)
            rows["copy of its files"].append(size / _copied(scratch, place) / MB)
            for what, (url, servers, to) in zips.items():
                place.before(place.folder)
                before = cpu_seconds(servers)
                rows.setdefault(what, []).append(_downloaded(url, size - MB, to))
                spent.setdefault(what, []).append((cpu_seconds(servers) - before) / (size / 1e9))
    for what, values in rows.items():
        table.add(what, *values, against=what.startswith("copy"))
    cpu = report.table(f"{place.name}: what Orthanc and the gateway spent on it", "CPU s/GB")
    for what, values in spent.items():
        cpu.add(what, *values, note="nginx" if what.startswith(CEILING) else "")
    for mine in (MINE, "zip, Orthanc alone"):
        times = table.ratio(mine, "copy of its files")
        table.aim(f"{mine}: at least {AIM:g} × the copy: {times:.2f} ×", times >= AIM)


def _shared(live: LiveInstance, place: Place) -> str:
    found = live.admin.get("/api/search", params={"source": place.name}).json()["results"]
    assert len(found) == 1, found
    made = live.admin.post("/share/create", json={"series_key": found[0]["SeriesKey"]})
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


def _copied(scratch: Path, place: Place) -> float:
    to = scratch / "copied"
    to.mkdir()
    began = time.monotonic()
    subprocess.run(place.copy(to), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.monotonic() - began
    assert sum(1 for each in to.rglob("*.dcm")) == SLICES
    shutil.rmtree(to)
    return took


def _downloaded(url: str, at_least: int, to: Path) -> float:
    """MB/s."""
    done = subprocess.run(
        ["curl", "-sSf", "--noproxy", "*", "-o", str(to), "-w", "%{json}", url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    if to != NOWHERE:
        to.unlink()
    said = json.loads(done.stdout)
    assert said["size_download"] > at_least, said
    return float(said["size_download"]) / float(said["time_total"]) / MB
