"""Importing CT slices, against the bare upload of as many by as many clients; and importing them again."""

from __future__ import annotations

import resource
import shutil
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from readingroom.pacs_http import HttpPacs

from scripts.runtime.report import Report
from tests.factories import ct_series
from tests.fixtures.instance import LiveInstance, running

SLICES = 2000
"""In each run; 512 × 512 pixels of 16 bits, about 0.5 MB a file."""

RUNS = 3
"""Of each kind, taking turns."""

CLIENTS = 4
"""Uploads at a time, the import's own default."""

MOST_TIMES = 1.3
MOST_MS = 1.0


def run(report: Report) -> None:
    """Measure both kinds in turns on one instance."""
    with running(report.scratch / "data") as live:
        rates = report.table(
            f"Storing {SLICES} CT slices of 512 × 512, {CLIENTS} at a time, "
            f"{RUNS} runs of each in turns, files read from disk",
            "files/s",
        )
        bare, imported, again, commands = [], [], [], []
        for number in range(RUNS):
            folder = report.scratch / "bare"
            ct_series(folder, SLICES, 512, 512, name=f"bare {number}")
            bare.append(_posted(live, folder))
            shutil.rmtree(folder)
            source = report.scratch / f"bestof-{number}"
            ct_series(source / f"CT/{number + 1:04d}/series", SLICES, 512, 512, name=f"imported {number}")
            imported.append(SLICES / _imported(live, source, "added"))
            for _ in range(2):
                began = time.monotonic()
                again.append(_imported(live, source, "unchanged") * 1000 / SLICES)
                commands.append((time.monotonic() - began) * 1000 / SLICES)
            shutil.rmtree(source)
        rates.add("bare POST /instances, by Python threads", *bare, against=True)
        rates.add("import", *imported, note=f"importer's peak {_peak_mb():.0f} MB")
        times = rates.ratio("bare POST /instances, by Python threads", "import")
        rates.aim(f"an import takes at most {MOST_TIMES} × as long: {times:.2f} ×", times <= MOST_TIMES)

        spent = report.table(f"Importing {SLICES} unchanged slices again, nothing uploaded", "ms/file")
        spent.add("the import", *again)
        spent.add("the whole command", *commands, note="with starting the interpreter and finding the instance")
        most = max(again)
        spent.aim(f"less than {MOST_MS:.0f} ms per file: {most:.2f} ms", most < MOST_MS)


def _posted(live: LiveInstance, folder: Path) -> float:
    """Upload a folder's files as they are; files per second."""
    authorization = f"Bearer {live.admin.token()}"
    pacs = HttpPacs(live.orthanc_url, lambda: authorization)
    files, lock = iter(sorted(folder.iterdir())), threading.Lock()

    def client() -> None:
        while True:
            with lock:
                file = next(files, None)
            if file is None:
                return
            pacs.post("/instances", file.read_bytes())

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return SLICES / (time.monotonic() - began)


def _imported(live: LiveInstance, source: Path, outcome: str) -> float:
    """Import a folder; the seconds from the run's beginning to its end, by its own record."""
    done = live.script("import_cases", str(source), "--workers", str(CLIENTS))
    assert done.returncode == 0, done.stdout + done.stderr
    newest: dict[str, Any] = live.admin.get("/api/bestof/imports?limit=1").json()["items"][0]
    assert newest[outcome] == SLICES, newest
    began, ended = (datetime.fromisoformat(newest[name]) for name in ("startedAt", "finishedAt"))
    return (ended - began).total_seconds()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
