"""A picture of 100 MB uploaded through the gateway, beside `cp` and `sha256sum` of it; Orthanc's memory while four such
uploads run at once.

The copy is synced to the disk as the stored original is. Client, gateway and Orthanc share this machine's processors
and disk, and the bytes are written three times: nginx's file, the plugin's, the store's.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scripts.runtime.report import Report
from tests.bench.serving import cpu_seconds, processes
from tests.fixtures.instance import PASSWORD, Client, LiveInstance, running

SIDE = 5770
"""Pixels of a square RGB picture of noise, stored without compression: 99.9 MB."""

RUNS = 4
AT_ONCE = 4
MB = 1_000_000

AIM = 3.0
"""Three writes, two passes over HTTP and one look at the picture, where the copy writes and reads once."""

AIM_MB = 64
"""Four bodies held whole would be 400."""


@dataclass(frozen=True, slots=True)
class Clinic:
    """A study to upload into, and who may."""

    live: LiveInstance
    client: Client
    study: int

    def upload(self, file: Path, token: str = "") -> float:
        """Seconds, by curl, which reads the file as it sends it."""
        bearer = f"Authorization: Bearer {token or self.client.token()}"
        command = [
            "curl", "-sS", "--noproxy", "*", "-H", bearer, "-H", "Expect:",
            "-F", "patientId=345", "-F", f"studyId={self.study}", "-F", "modality=PHOTO", "-F", f"file=@{file}",
            "-w", "\n%{http_code} %{time_total}", f"{self.live.url}/imaging/assets/upload",
        ]  # fmt: skip
        answer, _, figures = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rpartition("\n")
        status, seconds = figures.split()
        assert status == "201", answer
        assert json.loads(answer)["assetId"] > 0
        return float(seconds)


def run(report: Report) -> None:
    """Without pictures made of it, which are measured in `pictures`; then with them."""
    file = report.scratch / "noise.png"
    pixels = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    Image.fromarray(pixels).save(file, compress_level=0)
    del pixels
    for thumbs in ("false", "true"):
        with running(report.scratch / f"data-{thumbs}", IMAGING_THUMBS_ENABLED=thumbs) as live:
            measure(report, clinic(live), file, "thumb and web picture made" if thumbs == "true" else "original alone")


def clinic(live: LiveInstance) -> Clinic:
    """A clinician of clinic 12, and a study of a patient there."""
    live.account("bench", "clinician", "--clinic", "12")
    client = Client(live.url, "bench", PASSWORD)
    made = client.post("/imaging/studies", json={"patientId": 345, "kind": "PHOTO"})
    assert made.status_code == 201, made.text
    return Clinic(live, client, int(made.json()["studyId"]))


def measure(report: Report, at: Clinic, file: Path, what: str) -> None:
    """Time in turns with the copy, then memory."""
    size = file.stat().st_size
    servers = processes(str(at.live.data / "run"), str(at.live.data / "logs"))
    at.upload(file)  # everything warm
    rows: dict[str, list[float]] = {"cp, sync and sha256sum": [], "upload through the gateway": []}
    spent: list[float] = []
    load = os.getloadavg()[0]
    for _ in range(RUNS):
        rows["cp, sync and sha256sum"].append(copied(file, report.scratch / "copy"))
        before = cpu_seconds(servers)
        rows["upload through the gateway"].append(at.upload(file))
        spent.append(cpu_seconds(servers) - before)
    table = report.table(f"{size / MB:.0f} MB, {what}, {RUNS} runs in turns, load {load:.1f}", "s")
    for name, values in rows.items():
        table.add(name, *values, against=name.startswith("cp"))
    if what == "original alone":
        times = table.ratio("upload through the gateway", "cp, sync and sha256sum")
        table.aim(f"at most {AIM:g} × the copy: {times:.2f} ×", times <= AIM)
    report.table(f"{what}: processor time of Orthanc and the gateway", "s").add("an upload", *spent)
    memory(report, at, file, what)


def memory(report: Report, at: Clinic, file: Path, what: str) -> None:
    """What Orthanc holds at most while four uploads run, beyond what it held before."""
    process, token = orthanc(at.live), at.client.token()  # signing in takes 64 MB of its own for a moment
    idle = held(process)
    with Watch(process) as watch, ThreadPoolExecutor(AT_ONCE) as crew:
        for each in [crew.submit(at.upload, file, token) for _ in range(AT_ONCE)]:
            each.result()
    table = report.table(f"{what}: memory of Orthanc, {AT_ONCE} uploads at once", "MB")
    table.add("before", idle / MB)
    table.add("at most meanwhile", watch.most / MB)
    grown = (watch.most - idle) / MB
    table.aim(f"grows by at most {AIM_MB} MB: {grown:.0f} MB", grown <= AIM_MB)


def copied(file: Path, to: Path) -> float:
    """Seconds of what an upload cannot do without."""
    began = time.monotonic()
    subprocess.run(["cp", "--reflink=never", file, to], check=True)
    subprocess.run(["sync", to], check=True)
    subprocess.run(["sha256sum", to], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - began
    to.unlink()
    return took


def orthanc(live: LiveInstance) -> int:
    """Its process: the one whose command line begins so."""
    found = [
        process
        for process in processes(str(live.data / "run"), str(live.data / "logs"))
        if Path(f"/proc/{process}/cmdline").read_bytes().startswith(b"Orthanc\0")
    ]
    assert len(found) == 1, found
    return found[0]


def held(process: int) -> int:
    """Resident bytes of its own: not what it shares with files."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) * 1024


class Watch:
    """Looks at a process's memory fifty times a second."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            with suppress(OSError):
                self.most = max(self.most, held(self._process))
