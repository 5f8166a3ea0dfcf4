"""Indexing over SMB, near and 2 ms away, beside the usual script and what the line gives.

Server, relay and client share this machine's processors: on a NAS that has its own the figures are higher.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from readingroom.nas_index.readers import ReaderPlan
from readingroom.nas_index.reading import Task
from readingroom.sources import FileEntry, SourceSettings, open_source, parse_location

from scripts.runtime.report import Report
from tests.bench.nas_network import PLUGINS, ROUND_TRIP_MS, Indexing, Pace, reading, timed
from tests.fixtures.delay import Delay
from tests.fixtures.nas_trees import make_tree
from tests.fixtures.servers import running_smbd
from tests.fixtures.smbd import Smbd

FILES = 10_000
FEW = 300
"""Files for smbprotocol's own client; its pace does not depend on their number."""

RUNS = 3
AIM = 1000.0

SMBCLIENT = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
import smbclient
host, port, user, password, share, most = sys.argv[1:7]
how = {"username": user, "password": password, "port": int(port)}
smbclient.register_session(host, **how)
paths = []
for folder, _, names in smbclient.walk(rf"\\\\{host}\\{share}", **how):
    paths += [f"{folder}\\\\{name}" for name in names]
    if len(paths) >= int(most):
        break
paths = paths[:int(most)]
"""

USUAL = (
    SMBCLIENT
    + """
import json, pydicom
def read(path):
    try:
        with smbclient.open_file(path, "rb", share_access="r", **how) as file:
            ds = pydicom.dcmread(file, stop_before_pixels=True)
        return path, {k: str(ds.get(k, "")) for k in (
            "PatientName", "PatientID", "PatientBirthDate", "StudyDate", "StudyDescription", "SeriesDescription",
            "SeriesNumber", "Modality", "SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID", "InstanceNumber")}
    except Exception as error:
        return path, None
series = {}
with ThreadPoolExecutor(8) as pool:
    for path, header in pool.map(read, paths):
        if header:
            entry = series.setdefault(header["SeriesInstanceUID"], {**header, "files": []})
            entry["files"].append(path)
with open(os.devnull, "w") as out:
    json.dump(list(series.values()), out)
print(len(paths), len(series))
"""
)

BARE_SMBCLIENT = (
    SMBCLIENT
    + """
def read(path):
    with smbclient.open_file(path, "rb", buffering=0, share_access="r", **how) as file:
        return len(file.read(8192))
with ThreadPoolExecutor(8) as pool:
    print(len(list(pool.map(read, paths))), 1)
"""
)

BARE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from readingroom.sources import FileEntry, SourceSettings, open_source
url, password, encryption, lines = sys.argv[1:5]
settings = SourceSettings(smb_password=password, smb_encryption=encryption, connections=int(lines))
with open_source(url, settings) as source, ThreadPoolExecutor(int(lines)) as pool:
    files = [each for each in source.walk() if isinstance(each, FileEntry)]
    parts = [files[at : at + 128] for at in range(0, len(files), 128)]
    print(sum(map(len, pool.map(lambda part: source.beginnings(part, 8192), parts))), 1)
"""


@dataclass
class Scene:
    """A share with the tree, near and from a distance."""

    server: Smbd
    tasks: list[Task]
    scratch: Path
    lines: dict[str, Smbd | Delay]

    @property
    def files(self) -> int:
        """How many a run looks at."""
        return len(self.tasks)

    def url(self, where: str) -> str:
        """The share's address."""
        return self.server.url.replace(f":{self.server.port}", f":{self.lines[where].port}")

    def config(self, where: str, **said: Any) -> dict[str, Any]:
        """A source's configuration."""
        server, line = self.server, self.lines[where]
        return {
            "name": where.replace(" ", "-"),
            "type": "smb",
            "host": line.host,
            "port": line.port,
            "username": server.user,
            "password": server.password,
            "share": server.share,
        } | said


FAR = f"{ROUND_TRIP_MS:g} ms away"


@contextmanager
def scene(scratch: Path) -> Iterator[Scene]:
    """Everything in place."""
    with ExitStack() as opened:
        server = opened.enter_context(running_smbd())
        make_tree(server.root, FILES)
        far = opened.enter_context(Delay(server.host, server.port, ROUND_TRIP_MS))
        with open_source(server.url, SourceSettings(smb_password=server.password)) as source:
            tasks = [(*_plain(each), 0) for each in source.walk() if isinstance(each, FileEntry)]
        yield Scene(server, _dicom(tasks), scratch, {"near": server, FAR: far})


def run(report: Report) -> None:
    """Measure all on one tree."""
    with scene(report.scratch) as at:
        for where in at.lines:
            whole(report, at, where)
        curve(report, at)


def whole(report: Report, at: Scene, where: str) -> None:
    """Whole runs as they are started by a server, all choices left to measurement."""
    title = f"Indexing {at.files:,} files by SMB, {where}: start, enumerate, read, store; choices by measuring"
    usual, library = "os.walk of smbclient + pydicom in 8 threads", "smbclient: open + read 8 KB + close in 8 threads"
    sealed, signed, bare = "encrypted (the default)", "signed only", "signed: ask, nothing parsed, one process"
    runs = {
        sealed: Indexing(at.scratch / f"sealed {where}", at.config(where)),
        signed: Indexing(at.scratch / f"signed {where}", at.config(where, encryption="off")),
    }
    paces: dict[str, list[Pace]] = {name: [] for name in (usual, library, bare, *runs)}
    for _ in range(RUNS):
        paces[usual].append(_by_smbclient(at, where, USUAL))
        paces[library].append(_by_smbclient(at, where, BARE_SMBCLIENT))
        paces[bare].append(_bare(at, where))
        for name, indexing in runs.items():
            paces[name].append(indexing.pace(at.files))
    table = report.table(title, "files/s")
    spent = report.table(f"Processor time of ours for a file, {where}, all processes together", "µs")
    for name, seen in paces.items():
        note = f"{FEW} files, load {os.getloadavg()[0]:.1f}" if name == usual else ""
        table.add(name, *(each.files for each in seen), against=name == usual, note=note)
        spent.add(name, *(each.cpu for each in seen), against=name == usual)
    for name in runs:
        middle = sorted(each.files for each in paces[name])[RUNS // 2]
        table.aim(f"{name}, {where}: {AIM:,.0f} files/s: {middle:,.0f}", middle >= AIM)


def curve(report: Report, at: Scene) -> None:
    """How many connections and processes SMB is worth."""
    settings = SourceSettings(smb_password=at.server.password)
    for where in at.lines:
        for encryption in ("if_offered", "off"):
            said = "signed" if encryption == "off" else "encrypted"
            table = report.table(f"Reading alone by SMB, {where}, {said}, {at.files:,} files", "files/s")
            for processes in (1, 2):
                for lines in (1, 2, 4, 8, 16, 32):
                    if lines < processes:
                        continue
                    each = lines // processes
                    plan = ReaderPlan(
                        location=parse_location(at.url(where)),
                        settings=replace(settings, smb_encryption=encryption),  # type: ignore[arg-type]
                        processes=processes,
                        threads=each,
                        connections=each,
                    )
                    pace = reading(plan, at.tasks)
                    note = f"{pace.cpu:.0f} µs of processor time a file, load {os.getloadavg()[0]:.1f}"
                    many = f"{lines} connection{'s' if lines > 1 else ''}"
                    table.add(f"{many} in {processes} process{'es' if processes > 1 else ''}", pace.files, note=note)


def _by_smbclient(at: Scene, where: str, code: str) -> Pace:
    line, server = at.lines[where], at.server
    words = [line.host, str(line.port), server.user, server.password, server.share, str(FEW)]
    with timed(FEW) as pace:
        done = subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, text=True)
    files, series = map(int, done.stdout.split())
    assert files == FEW and series, done.stderr
    return pace


def _bare(at: Scene, where: str) -> Pace:
    words = [at.url(where), at.server.password, "off", "4"]
    env = os.environ | {"PYTHONPATH": str(PLUGINS)}
    with timed(at.files) as pace:
        done = subprocess.run([sys.executable, "-c", BARE, *words], check=True, capture_output=True, text=True, env=env)
    assert int(done.stdout.split()[0]) >= at.files, done.stderr
    return pace


def _plain(entry: FileEntry) -> tuple[str, int, int]:
    return entry.path, entry.size, entry.mtime_ns


def _dicom(tasks: list[Task]) -> list[Task]:
    from readingroom.nas_index.file_names import may_be_dicom

    return [each for each in tasks if may_be_dicom(each[0].rpartition("/")[2])]
