"""Indexing a tree of 100,000 files on a local disk, against the usual script and against only opening the files.

The files are as scanners write them (see `tests.fixtures.scanner_trees`): what makes ours fast is that files of a
series are alike, so they must not be more alike than real ones.

Two settings of the environment:

READINGROOM_BENCH_GDCM   a folder that the test root sees (below the repository, say) with GDCM's Python module, made
                         by `pip install --target`: its scanner takes part. It is given the DICOM files alone, because
                         at some truncated files it ends the whole process.
READINGROOM_BENCH_FILES  1000000, say: the memory of so many files too; that takes minutes, and 5 GB for the files.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.runs import Runs, Wish

from scripts.runtime.report import Report
from tests.fixtures.processes import children
from tests.fixtures.scanner_trees import make_tree

FILES, FEW = 100_000, 10_000
SAMPLE = 3_000
"""Files that the usual script reads: it would need minutes for all; its pace does not depend on their number."""

RUNS = 3
"""Of the first indexing and of the bare reads, taking turns."""

AIM, AIM_AGAIN, AIM_MB = 25.0, 5.0, 150.0

SCRIPT = "os.walk + pydicom in 8 threads + JSON"
SCANNER = "GDCM's scanner, one process"
PACE = "whole run: enumerate, read, store"
AGAIN = "again, nothing changed"

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"

USUAL = """
import json, os, sys
from concurrent.futures import ThreadPoolExecutor
import pydicom
root, most = sys.argv[1], int(sys.argv[2])
paths = []
for folder, _, names in os.walk(root):
    paths += [os.path.join(folder, name) for name in names]
    if len(paths) >= most:
        break
paths = paths[:most]
def read(path):
    try:
        ds = pydicom.dcmread(path, stop_before_pixels=True)
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
with open(sys.argv[3], "w") as out:
    json.dump(list(series.values()), out)
print(len(paths))
"""

BARE = """
import os, sys
done, stack = 0, [sys.argv[1]]
while stack:
    with os.scandir(stack.pop()) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                stack.append(entry.path)
            else:
                fd = os.open(entry.path, os.O_RDONLY)
                os.pread(fd, 4096, 0)
                os.close(fd)
                done += 1
print(done)
"""


GDCM = """
import os, sys
import gdcm
paths = []
for folder, _, names in os.walk(sys.argv[1]):
    paths += [os.path.join(folder, name) for name in names if "IM" in name]
scanner = gdcm.Scanner()
tags = [gdcm.Tag(group, element) for group, element in (
    (0x10, 0x10), (0x10, 0x20), (0x10, 0x30), (0x08, 0x20), (0x08, 0x1030), (0x08, 0x103E), (0x20, 0x11),
    (0x08, 0x60), (0x20, 0x0E), (0x20, 0x0D), (0x08, 0x18), (0x20, 0x13))]
for tag in tags:
    scanner.AddTag(tag)
scanner.Scan(paths)
series = {}
for path in paths:
    if scanner.IsKey(path):
        header = {str(tag): scanner.GetValue(path, tag) for tag in tags}
        series.setdefault(header["(0020,000e)"], []).append((path, header))
print(len(paths))
"""

MORE = int(os.environ.get("READINGROOM_BENCH_FILES", "0"))
GDCM_AT = os.environ.get("READINGROOM_BENCH_GDCM", "")
"""See above."""


class Index:
    """An empty catalogue of its own, and the worker that a server starts."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._url = f"sqlite:///{folder / 'readingroom.db'}"
        database = open_database(self._url)
        migrate(database)
        clock = SystemClock()
        self._source = Catalogue(database, clock).source(str(tree), "local", str(tree))
        self.runs = Runs(database, clock, folder / "run")
        self.peak_mb = 0.0

    def seconds(self) -> float:
        """Run once, from the start of the process to its end."""
        run_id = self.runs.begin(Wish(self._source), "bench")
        env = {
            **os.environ,
            "READINGROOM_DATA": str(self._folder),
            "DATABASE_URL": self._url,
            "PYTHONPATH": str(PLUGINS),
        }
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "readingroom.nas_index.worker", run_id],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        watching = threading.Thread(target=self._watch, args=(process,))
        watching.start()
        process.wait()
        spent = time.monotonic() - began
        watching.join()
        self.last = self.runs.get(run_id)
        assert self.last.state == "done", self.last.message
        return spent

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """The most memory that worker and readers had together (what they share counted once)."""
        while process.poll() is None:
            pids = [process.pid, *children(process.pid)]
            self.peak_mb = max(self.peak_mb, sum(_own_mb(pid) for pid in pids))
            time.sleep(0.25)


def run(report: Report) -> None:
    """Measure all on one tree."""
    tree, small = report.scratch / "tree", report.scratch / "small"
    made = make_tree(tree, FILES)
    make_tree(small, FEW)
    total = made["files"] + made["junk"]
    os.sync()

    speed = report.table(
        f"Indexing {total:,} files ({made['series']:,} series, {made['junk']:,} not DICOM), warm, catalogue on SQLite, "
        f"Python {platform.python_version()} for all, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        "files/s",
    )
    usual, bare, first, gdcm = [], [], [], []
    usual_cpu, first_cpu, gdcm_cpu = [], [], []
    has_gdcm = bool(GDCM_AT)
    for number in range(RUNS):
        before = _cpu_seconds()
        usual.append(_script(USUAL, tree, str(SAMPLE), str(report.scratch / "usual.json")))
        usual_cpu.append((_cpu_seconds() - before) / SAMPLE * 1e6)
        bare.append(_script(BARE, tree))
        index = Index(report.scratch / f"index-{number}", tree)
        before = _cpu_seconds()
        first.append(total / index.seconds())
        first_cpu.append((_cpu_seconds() - before) / total * 1e6)
        if has_gdcm:
            before = _cpu_seconds()
            try:
                gdcm.append(_script(GDCM, tree))
            except subprocess.CalledProcessError as ended:
                speed.title += f"; GDCM's scanner ended with status {ended.returncode}"
                has_gdcm = False
            gdcm_cpu.append((_cpu_seconds() - before) / made["files"] * 1e6)
    speed.add(SCRIPT, *usual, against=True, note=f"the first {SAMPLE:,} files of the tree")
    speed.add("only open + read 4 KB, one process", *bare, note="the limit")
    if has_gdcm:
        speed.add(SCANNER, *gdcm, note="nothing stored; names as raw bytes")
    speed.add(PACE, *first, note=f"the worker's start included; found {index.last.series_count:,} series")
    again = [total / index.seconds() for _ in range(RUNS)]
    speed.add(AGAIN, *again, note=f"unchanged {index.last.unchanged:,}")
    times = speed.ratio(PACE, SCRIPT)
    speed.aim(f"{AIM:.0f} × the usual script: {times:.1f} ×", times >= AIM)
    quicker = speed.ratio(AGAIN, PACE)
    speed.aim(f"a second run {AIM_AGAIN:.0f} × as fast as the first: {quicker:.1f} ×", quicker >= AIM_AGAIN)
    assert index.last.series_count == made["series"]
    assert index.last.unchanged == total - _skipped(tree)

    spent = report.table("Processor time of a file, all processes together: what a busy machine changes less", "µs")
    spent.add(SCRIPT, *usual_cpu)
    if has_gdcm:
        spent.add(SCANNER, *gdcm_cpu)
    spent.add(PACE, *first_cpu, against=True)

    cold = report.table("The same with no file's content in memory (names still are)", "files/s")
    bare, first = [], []
    for number in range(RUNS):
        _forget(tree)
        bare.append(_script(BARE, tree))
        _forget(tree)
        fresh = Index(report.scratch / f"index-cold-{number}", tree)
        first.append(total / fresh.seconds())
    cold.add("only open + read 4 KB, one process", *bare, against=True)
    cold.add(PACE, *first)

    memory = report.table("Most memory of worker and readers together (proportional set size)", "MB")
    few = Index(report.scratch / "index-few", small)
    few.seconds()
    memory.add(f"{FEW:,} files", few.peak_mb)
    memory.add(f"{FILES:,} files", fresh.peak_mb)
    most = fresh.peak_mb
    if MORE:
        shutil.rmtree(tree)
        make_tree(tree, MORE)
        many = Index(report.scratch / "index-many", tree)
        seconds = many.seconds()
        most = max(most, many.peak_mb)
        memory.add(f"{MORE:,} files", many.peak_mb, note=f"{many.last.files_processed / seconds:,.0f} files/s")
    memory.aim(f"under {AIM_MB:.0f} MB: {most:.0f} MB", most < AIM_MB)


def _script(code: str, tree: Path, *arguments: str) -> float:
    """Files a second of a script that prints how many it did."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tree), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": GDCM_AT if code is GDCM else ""},
    )
    return int(done.stdout) / (time.monotonic() - began)


def _cpu_seconds() -> float:
    """Of all processes that were started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _own_mb(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass  # it ended
    return 0.0


def _forget(tree: Path) -> None:
    """Let the system drop the files' content: of this tree alone, other work on the machine keeps its cache."""
    for folder, _, names in os.walk(tree):
        for name in names:
            descriptor = os.open(f"{folder}/{name}", os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def _skipped(tree: Path) -> int:
    from readingroom.nas_index.file_names import may_be_dicom

    return sum(not may_be_dicom(name) for _, _, names in os.walk(tree) for name in names)
