"""The zip of a 1 GB case against three others; first byte, memory, other routes and slow clients meanwhile."""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from scripts.runtime.report import Report
from tests.bench.serving import cpu_seconds, processes, sendfile_nginx
from tests.factories import ct_slices
from tests.fixtures.instance import LiveInstance, running
from tests.fixtures.live_cases import record, store

SLICES = 1_900
"""CT slices of 512 × 512 pixels, 16 bits: 1.0 GB."""

RUNS = 3
ARCHIVE_SECONDS = 15
"""Orthanc's own archive is measured over its first seconds; all of it would take three minutes."""

BATCH_CASES, BATCH_FILES = 50, 30_000
AT_ONCE = 8
SLOW_CLIENTS = 500

MB = 1_000_000
DOWNLOAD = "/api/bestof/dicoms/download?caseId="
BATCH = "/api/bestof/dicoms/download-batch"

ZIPSTREAM_SERVER = """
import http.server, pathlib, sys
from zipstream import ZipStream
files = pathlib.Path(sys.argv[1]).read_text().split()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        archive = ZipStream(sized=True)
        for number, file in enumerate(files):
            archive.add_path(file, f"IM{number:05d}.dcm")
        self.send_response(200)
        self.send_header("Content-Length", str(len(archive)))
        self.end_headers()
        for piece in archive:
            self.wfile.write(piece)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass(frozen=True, slots=True)
class Case:
    """The case that is downloaded, where its files lie, and the tokens to ask with."""

    id: str
    study: str
    bytes: int
    stored: list[dict[str, object]]
    bearer: str


def run(report: Report) -> None:
    """All of it on one instance."""
    with running(report.scratch / "data") as live:
        case = _one_gb(live)
        _speed(report, live, case)
        _first_byte(report, live, case)
        _memory_and_other_routes(report, live, case)
        _slow_clients(report, live, case)


def _one_gb(live: LiveInstance) -> Case:
    admin = live.admin
    made = admin.post("/api/bestof/cases", json={"examType": "CT", "title": "bench"}).json()
    stored = store(live, ((f"IM{i:05d}.dcm", s) for i, s in enumerate(ct_slices(SLICES, 512, 512, name="zip"))))
    record(live, made["id"], "CT", stored)
    study = admin.get(f"/instances/{stored[0]['orthanc_id']}/study").json()["ID"]
    size = sum(int(str(file["size"])) for file in stored)
    return Case(made["id"], study, size, stored, f"Authorization: Bearer {admin.token()}")


def _speed(report: Report, live: LiveInstance, case: Case) -> None:
    speed = report.table(
        f"Zip of a case of {case.bytes / 1e9:.2f} GB in {SLICES} files over loopback, one client (curl), "
        f"{RUNS} runs in turns",
        "MB/s",
    )
    paths = report.scratch / "paths"
    paths.write_text("\n".join(str(path) for path in _stored_paths(live)))
    rows: dict[str, list[float]] = {}
    spent: dict[str, list[float]] = {}
    ours = processes(str(live.data / "run"), str(live.data / "logs"))
    with _zipstream(paths) as (zipstream, its), sendfile_nginx(report.scratch / "nginx", case.bytes) as nginx:
        addresses = {
            "nginx, one file by sendfile": (f"{nginx}/one", "", processes(str(report.scratch / "nginx"))),
            "zipstream-ng, the same files from disk": (f"{zipstream}/", "", [its]),
            "ours, Orthanc alone": (f"{live.orthanc_url}{DOWNLOAD}{case.id}", case.bearer, ours),
            "ours, through the gateway": (f"{live.url}{DOWNLOAD}{case.id}", case.bearer, ours),
        }
        # Where each file lies is asked of Orthanc once, and remembered: told apart from the runs.
        cold = _curl_speed(addresses["ours, Orthanc alone"][0], case.bearer)
        for _ in range(RUNS):
            for what, (url, header, pids) in addresses.items():
                before = cpu_seconds(pids)
                rows.setdefault(what, []).append(_curl_speed(url, header))
                spent.setdefault(what, []).append((cpu_seconds(pids) - before) / (case.bytes / 1e9))
    archive = _archive_speed(live, case)
    speed.add("ours, Orthanc alone, the very first time", cold)
    speed.add("Orthanc's own /studies/{id}/archive", archive, against=True, note=f"first {ARCHIVE_SECONDS} s")
    for what, values in rows.items():
        speed.add(what, *values, against=not what.startswith("ours"))
    cpu = report.table("What the servers alone spent on it", "CPU s/GB")
    for what, values in spent.items():
        cpu.add(what, *values, against=what.startswith("zipstream"))
    for mine in ("ours, Orthanc alone", "ours, through the gateway"):
        for other, least in (
            ("Orthanc's own /studies/{id}/archive", 100.0),
            ("zipstream-ng, the same files from disk", 2.0),
            ("nginx, one file by sendfile", 0.5),
        ):
            times = speed.ratio(mine, other)
            speed.aim(f"{mine}: at least {least:g} × {other}: {times:.2f} ×", times >= least)


def _stored_paths(live: LiveInstance) -> list[Path]:
    return [path for path in (live.data / "orthanc" / "storage").glob("*/*/*") if path.stat().st_size > 500_000]


def _curl_speed(url: str, header: str) -> float:
    said = _curl("-H", header, url) if header else _curl(url)
    assert said["http_code"] == 200, said
    return float(said["size_download"]) / float(said["time_total"]) / MB


def _curl(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        ["curl", "-sS", "--noproxy", "*", "--max-time", "300", "-o", "/dev/null", "-w", "%{json}", *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _archive_speed(live: LiveInstance, case: Case) -> float:
    """How fast the case's own bytes arrive: its zip is deflated, so files are counted by their headers."""
    with live.orthanc().get(f"/studies/{case.study}/archive", stream=True) as answer:
        began, files, seam = time.monotonic(), 0, b""
        for piece in answer.iter_content(1 << 16):
            files += (seam + piece).count(b"PK\x03\x04")
            seam = piece[-3:]
            if time.monotonic() - began > ARCHIVE_SECONDS:
                break
        return files * case.bytes / SLICES / (time.monotonic() - began) / MB


@contextmanager
def _zipstream(paths: Path) -> Iterator[tuple[str, int]]:
    server = subprocess.Popen([sys.executable, "-c", ZIPSTREAM_SERVER, paths], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}", server.pid
    finally:
        server.kill()
        server.wait()


def _first_byte(report: Report, live: LiveInstance, case: Case) -> None:
    admin = live.admin
    ids = []
    each = BATCH_FILES // BATCH_CASES
    for number in range(BATCH_CASES):
        made = admin.post("/api/bestof/cases", json={"examType": "CT", "title": f"batch {number}"}).json()
        ids.append(made["id"])
        files = [case.stored[(number * 37 + i) % len(case.stored)] for i in range(each)]
        record(live, made["id"], "CT", [{**f, "relative_path": f"series/IM{i:05d}.dcm"} for i, f in enumerate(files)])
    body = json.dumps({"caseIds": ids})
    table = report.table(
        f"First byte of a batch of {BATCH_CASES} cases, {BATCH_FILES} files, "
        f"{case.bytes / SLICES * BATCH_FILES / 1e9:.0f} GB (repeated instances), through the gateway",
        "ms",
    )
    posts = [
        _first_ms(f"{live.url}{BATCH}", "-H", case.bearer, "-H", "Content-Type: application/json", "-d", body)
        for _ in range(5)
    ]
    table.add("asked by POST", *posts, note=f"the first one after the cases were made: {posts[0]:.0f}")
    tickets = []
    for _ in range(5):
        url = admin.post("/api/bestof/dicoms/tickets", json={"caseIds": ids}).json()["url"]
        tickets.append(_first_ms(f"{live.url}{url}"))
    table.add("followed by ticket", *tickets)
    for what, values in (("by POST", posts), ("by ticket", tickets)):
        middle = statistics.median(values)
        table.aim(f"{what}: under 100 ms: {middle:.0f} ms", middle < 100)


def _first_ms(*arguments: str) -> float:
    """Milliseconds until the body's first byte; the rest is not waited for."""
    process = subprocess.Popen(
        ["curl", "-sS", "--noproxy", "*", "-o", "-", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    began = time.monotonic()
    first = process.stdout.read(4)
    took = (time.monotonic() - began) * 1000
    process.kill()
    process.stdout.close()
    process.wait()
    assert first == b"PK\x03\x04", first
    return took


def _memory_and_other_routes(report: Report, live: LiveInstance, case: Case) -> None:
    memory = report.table(f"Resident memory of Orthanc with {AT_ONCE} downloads of 1 GB at once, at its highest", "MB")
    latency = report.table(f"Other routes while {AT_ONCE} downloads run", "ms")
    admin = live.admin
    admin.get("/api/me")  # signs in
    for what, url in (("the gateway", live.url), ("Orthanc alone", live.orthanc_url)):
        rest = _resident_mb(live)
        with _Downloads(f"{url}{DOWNLOAD}{case.id}", case.bearer) as downloads:
            highest, times = rest, []
            while downloads.running:
                began = time.monotonic()
                assert admin.get("/api/me").status_code == 200
                times.append((time.monotonic() - began) * 1000)
                highest = max(highest, _resident_mb(live))
                time.sleep(0.02)
        memory.add(f"through {what}", highest, note=f"{rest:.0f} before")
        growth = (highest - rest) / AT_ONCE
        memory.aim(f"through {what}: under 64 MB a stream: {growth:.0f} MB", growth < 64)
        middle, slow = statistics.median(times), statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
        latency.add(f"/api/me, downloads through {what}", *times, note=f"95 of 100 under {slow:.0f}")
        latency.aim(f"through {what}: under 50 ms: {middle:.0f} ms, 95 of 100 under {slow:.0f}", slow < 50)


class _Downloads:
    """Several downloads at once, into nothing."""

    def __init__(self, url: str, bearer: str) -> None:
        command = ["curl", "-sSf", "--noproxy", "*", "-o", "/dev/null", "-H", bearer, url]
        self._processes = [subprocess.Popen(command) for _ in range(AT_ONCE)]

    @property
    def running(self) -> bool:
        return all(process.poll() is None for process in self._processes)

    def __enter__(self) -> _Downloads:
        return self

    def __exit__(self, *_: object) -> None:
        statuses = [process.wait() for process in self._processes]
        assert statuses == [0] * AT_ONCE, statuses


def _resident_mb(live: LiveInstance) -> float:
    orthanc, *_ = processes(str(live.data / "run" / "orthanc.json"))
    return int(Path(f"/proc/{orthanc}/statm").read_text().split()[1]) * 4096 / MB


def _slow_clients(report: Report, live: LiveInstance, case: Case) -> None:
    table = report.table(f"One more client while {SLOW_CLIENTS} slow ones download through the gateway", "ms")
    admin = live.admin
    admin.get("/api/me")  # signs in
    with _Crowd(live, case) as crowd:
        times = []
        for _ in range(20):
            began = time.monotonic()
            assert admin.get("/api/me").status_code == 200
            times.append((time.monotonic() - began) * 1000)
        table.add("/api/me", *times, note=f"{crowd.reading} slow downloads under way")
        first = _first_ms(f"{live.url}{DOWNLOAD}{case.id}", "-H", case.bearer)
        table.add("first byte of a download", first)
        table.aim(
            f"a 501st request is answered: {max(times):.0f} ms, {first:.0f} ms", max(times) < 2000 and first < 2000
        )
        table.aim(f"all {SLOW_CLIENTS} are served meanwhile: {crowd.reading}", crowd.reading == SLOW_CLIENTS)


class _Crowd:
    """Clients that take 4 KB a second each."""

    def __init__(self, live: LiveInstance, case: Case) -> None:
        address = urlsplit(live.url)
        self._to = (address.hostname, address.port)
        self._request = f"GET {DOWNLOAD}{case.id} HTTP/1.1\r\nHost: {address.netloc}\r\n{case.bearer}\r\n\r\n".encode()
        self._selector = selectors.DefaultSelector()
        self._got: dict[socket.socket, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    @property
    def reading(self) -> int:
        """How many have got some of their zip, and are still connected."""
        return sum(got > 1000 for got in self._got.values())

    def __enter__(self) -> _Crowd:
        for _ in range(SLOW_CLIENTS):
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            line.settimeout(60)
            line.connect(self._to)
            line.sendall(self._request)
            self._got[line] = 0
            self._selector.register(line, selectors.EVENT_READ)
        self._thread.start()
        deadline = time.monotonic() + 120
        while self.reading < SLOW_CLIENTS and time.monotonic() < deadline:
            time.sleep(0.2)
        return self

    def _read(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            for key, _ in self._selector.select(0.5):
                line = key.fileobj
                assert isinstance(line, socket.socket)
                found = line.recv(4096)
                if not found:
                    self._selector.unregister(line)
                    self._got[line] = 0
                else:
                    self._got[line] += len(found)
            self._over.wait(max(0.0, 1 - (time.monotonic() - began)))

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for line in self._got:
            line.close()
