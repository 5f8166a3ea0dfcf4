"""Indexing over a network of 2 ms, by a mount and by SFTP, beside the usual script and what the line gives.

Server, relay and client share this machine's processors: on a NAS that has its own the figures are higher.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.readers import ReaderPlan, Readers
from readingroom.nas_index.reading import Task
from readingroom.nas_index.runs import Runs, Wish
from readingroom.sources import SourceSettings, parse_location

from scripts.runtime.report import Report
from tests.fixtures.delay import Delay
from tests.fixtures.far_mount import FOLDER, MILLISECONDS, PYTHON, executable
from tests.fixtures.nas_trees import make_tree
from tests.fixtures.servers import running_sshd
from tests.fixtures.sshd import Sshd

FILES = 30_000
USUAL = 300
"""Files that the usual script reads; its pace does not depend on their number."""

ROUND_TRIP_MS = 2.0
RUNS = 3

AIM_MOUNT, AIM_SFTP = 3000.0, 2000.0

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"

USUAL_SFTP = """
import json, stat, sys, threading
from concurrent.futures import ThreadPoolExecutor
import paramiko, pydicom
host, port, user, password, root, most = sys.argv[1:7]
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
client.connect(host, int(port), user, password, allow_agent=False, look_for_keys=False)
sftp = client.open_sftp()
paths, stack = [], [root]
while stack and len(paths) < int(most):
    folder = stack.pop()
    for each in sftp.listdir_attr(folder):
        place = folder + "/" + each.filename
        (stack if stat.S_ISDIR(each.st_mode) else paths).append(place)
paths = paths[:int(most)]
own = threading.local()  # threads that share a channel wait for each other for ever
def read(path):
    try:
        if not hasattr(own, "sftp"):
            own.sftp = client.open_sftp()
        with own.sftp.open(path, "rb", bufsize=32768) as file:
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
with open(sys.argv[7], "w") as out:
    json.dump(list(series.values()), out)
print(len(paths))
"""


@dataclass
class Pace:
    """Files a second, and processor time of ours for each in microseconds."""

    files: float
    cpu: float


@contextmanager
def timed(files: int) -> Iterator[Pace]:
    """How fast the block does that many files, processes that it starts and ends included."""
    pace = Pace(0.0, 0.0)
    before, began = _cpu_seconds(), time.monotonic()
    yield pace
    pace.files = files / (time.monotonic() - began)
    pace.cpu = (_cpu_seconds() - before) / files * 1e6


class Indexing:
    """Runs of one configured source, each into a catalogue of its own, as the server starts them."""

    def __init__(self, folder: Path, config: dict[str, Any], env: dict[str, str] | None = None) -> None:
        self._folder = folder
        self._config = config
        self._env = env or {}
        self._number = 0

    def pace(self, files: int) -> Pace:
        """From the start of the process to its end. Asserts that it found all of them."""
        self._number += 1
        folder = self._folder / f"{self._config['name']}-{self._number}"
        folder.mkdir(parents=True)
        url = f"sqlite:///{folder / 'readingroom.db'}"
        database = open_database(url)
        migrate(database)
        clock = SystemClock()
        (folder / "nas_config.json").write_text(json.dumps({"sources": [self._config]}))
        source = Catalogue(database, clock).source(self._config["name"], self._config["type"], "bench")
        runs = Runs(database, clock, folder / "run")
        run_id = runs.begin(Wish(source), "bench")
        env = {"READINGROOM_DATA": str(folder), "DATABASE_URL": url, "PYTHONPATH": str(PLUGINS)}
        with timed(files) as pace, (folder / "log").open("wb") as log:
            subprocess.run(
                [self._env.get(PYTHON, sys.executable), "-m", "readingroom.nas_index.worker", run_id],
                env=os.environ | env | self._env,
                stdout=log,
                stderr=log,
                check=True,
            )
        done = runs.get(run_id)
        database.close()
        assert (done.state, done.enumerated_files) == ("done", files), (done.message, done.enumerated_files)
        return pace


def reading(plan: ReaderPlan, tasks: list[Task]) -> Pace:
    """Only the reader processes: how fast they read these, from their first answer on."""
    with timed(len(tasks)) as pace, Readers(plan) as readers:
        warm = tasks[: plan.batch * plan.processes]
        for start in range(0, len(warm), plan.batch):
            readers.give(warm[start : start + plan.batch])
        while readers.under_way:
            readers.take(5)
        began, at = time.monotonic(), 0
        while at < len(tasks) or readers.under_way:
            while at < len(tasks) and readers.room():
                readers.give(tasks[at : at + plan.batch])
                at += plan.batch
            readers.take(5)
        spent = time.monotonic() - began
    pace.files = len(tasks) / spent
    return pace


@dataclass
class Scene:
    """The tree, and the servers that show it from a distance."""

    tree: Path
    tasks: list[Task]
    scratch: Path
    commands: Sshd
    closed: Sshd
    lines: dict[str, Delay]

    @property
    def files(self) -> int:
        """How many a run looks at."""
        return len(self.tasks)

    def sftp(self, name: str, server: Sshd, **said: Any) -> dict[str, Any]:
        """A source's configuration."""
        line = self.lines[name]
        return {
            "name": name,
            "type": "sftp",
            "host": line.host,
            "port": line.port,
            "username": server.user,
            "password": server.password,
            "path": str(self.tree),
            "host_fingerprint": server.host_key_fingerprint,
        } | said


@contextmanager
def scene(scratch: Path) -> Iterator[Scene]:
    """Everything in place."""
    with running_sshd(commands=True) as commands, running_sshd() as closed:
        tree = commands.root / "tree"
        make_tree(tree, FILES)
        with (
            Delay(commands.host, commands.port, ROUND_TRIP_MS) as open_line,
            Delay(closed.host, closed.port, ROUND_TRIP_MS) as closed_line,
        ):
            lines = {"with-commands": open_line, "sftp-only": closed_line}
            yield Scene(tree, _tasks(tree), scratch, commands, closed, lines)


def run(report: Report) -> None:
    """Measure all on one tree."""
    with scene(report.scratch) as at:
        whole(report, at)
        mount_curve(report, at)
        sftp_curve(report, at)


def whole(report: Report, at: Scene) -> None:
    """Whole runs as they are started by a server, all choices left to measurement."""
    title = (
        f"Indexing {at.files:,} files, {ROUND_TRIP_MS:g} ms away: start, enumerate, read, store; choices by measuring"
    )
    table = report.table(title, "files/s")
    usual, mount = "usual script over SFTP", "mount"
    plain, commands = "SFTP, no commands allowed", "SFTP, commands allowed"
    limit = "ssh: find | xargs head, nothing parsed"
    runs = {
        mount: Indexing(at.scratch, {"name": "mount", "type": "local", "path": str(at.tree)}, far_env(at)),
        plain: Indexing(at.scratch, at.sftp("sftp-only", at.closed)),
        commands: Indexing(at.scratch, at.sftp("with-commands", at.commands)),
    }
    paces: dict[str, list[Pace]] = {name: [] for name in (usual, limit, *runs)}
    for _ in range(RUNS):
        paces[usual].append(usual_sftp(at))
        paces[limit].append(only_ssh(at))
        for name, indexing in runs.items():
            paces[name].append(indexing.pace(at.files))
    for name, seen in paces.items():
        note = f"load {os.getloadavg()[0]:.1f}" if name == usual else ""
        table.add(name, *(each.files for each in seen), against=name == usual, note=note)
    for name, aim in ((mount, AIM_MOUNT), (plain, AIM_SFTP), (commands, AIM_SFTP)):
        middle = sorted(each.files for each in paces[name])[RUNS // 2]
        table.aim(f"{name}: {aim:,.0f} files/s: {middle:,.0f}", middle >= aim)
    spent = report.table("Processor time of ours for a file, all processes together", "µs")
    for name, seen in paces.items():
        spent.add(name, *(each.cpu for each in seen), against=name == usual)


def mount_curve(report: Report, at: Scene) -> None:
    """How many workers a mount is worth."""
    table = report.table(f"Reading alone from a mount {ROUND_TRIP_MS:g} ms away, {at.files:,} files", "files/s")
    with environment(far_env(at)):
        for processes in (1, 2):
            for workers in (1, 8, 16, 32, 64):
                if workers < processes:
                    continue
                plan = ReaderPlan(root=str(at.tree), processes=processes, threads=workers // processes, batch=16)
                pace = reading(plan, at.tasks[: min(at.files, workers * 1000)])
                table.add(_said(workers, processes, "worker"), pace.files, note=_note(pace))


def sftp_curve(report: Report, at: Scene) -> None:
    """How many connections SFTP is worth."""
    for name, server in (("sftp-only", at.closed), ("with-commands", at.commands)):
        table = report.table(f"Reading alone by SFTP, {name.replace('-', ' ')}, {ROUND_TRIP_MS:g} ms away", "files/s")
        config = at.sftp(name, server)
        place = parse_location(f"sftp://{server.user}@{config['host']}:{config['port']}{at.tree}")
        settings = SourceSettings(
            sftp_password=server.password,
            sftp_host_fingerprint=server.host_key_fingerprint,
            ssh_commands="use" if name == "with-commands" else "off",
        )
        for processes in (1, 2):
            for lines in (1, 2, 4, 8):
                if lines < processes:
                    continue
                each = lines // processes
                plan = ReaderPlan(
                    location=place, settings=settings, processes=processes, threads=each, connections=each
                )
                pace = reading(plan, at.tasks)
                table.add(_said(lines, processes, "connection"), pace.files, note=_note(pace))


def usual_sftp(at: Scene) -> Pace:
    """`listdir_attr` and pydicom in 8 threads over one paramiko client."""
    line, server = at.lines["sftp-only"], at.closed
    words = [line.host, str(line.port), server.user, server.password, str(at.tree), str(USUAL)]
    with timed(USUAL) as pace:
        out = str(at.scratch / "usual.json")
        done = subprocess.run([sys.executable, "-c", USUAL_SFTP, *words, out], check=True, capture_output=True)
    assert int(done.stdout) == USUAL
    return pace


def only_ssh(at: Scene) -> Pace:
    """OpenSSH's own client takes the same bytes of all files: what line and server give at most."""
    line, server = at.lines["with-commands"], at.commands
    known = at.scratch / "known_hosts"
    known.write_text(f"[{line.host}]:{line.port} {server.known_hosts_line('ed25519').split(' ', 1)[1]}")
    key = at.scratch / "key"
    shutil.copyfile(server.key("ed25519"), key)
    key.chmod(0o600)
    with timed(at.files) as pace:
        subprocess.run(
            [
                *("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={known}", "-i", key),
                *("-p", str(line.port), f"{server.user}@{line.host}"),
                f"cd '{at.tree}' && find . -type f -print0 | xargs -0 head -qc 8192",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return pace


def far_env(at: Scene) -> dict[str, str]:
    """What moves the tree away from processes that are started with it."""
    place = executable(at.scratch)
    return {FOLDER: str(at.tree), MILLISECONDS: str(ROUND_TRIP_MS), PYTHON: str(place)}


@contextmanager
def environment(said: dict[str, str]) -> Iterator[None]:
    """Reader processes that this process starts are started so."""
    before, interpreter = dict(os.environ), sys.executable
    os.environ.update(said)
    sys.executable = said[PYTHON]
    try:
        yield
    finally:
        sys.executable = interpreter
        os.environ.clear()
        os.environ.update(before)


def _tasks(tree: Path) -> list[Task]:
    from readingroom.nas_index.file_names import may_be_dicom

    found = []
    for folder, _, names in os.walk(tree):
        for name in filter(may_be_dicom, names):
            seen = Path(folder, name).stat()
            path = os.path.relpath(f"{folder}/{name}", tree)
            found.append((path, seen.st_size, int(seen.st_mtime) * 10**9, 0))
    return found


def _said(count: int, processes: int, what: str) -> str:
    many = f"{count} {what}{'s' if count > 1 else ''}"
    return f"{many} in {processes} process{'es' if processes > 1 else ''}"


def _note(pace: Pace) -> str:
    return f"{pace.cpu:.0f} µs of processor time a file, load {os.getloadavg()[0]:.1f}"


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
