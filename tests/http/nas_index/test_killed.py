"""A visit killed at any moment leaves every count right, and the next one stores only what is missing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from readingroom.clock import SystemClock
from readingroom.db import Database
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.tables import nas_series, nas_source
from sqlalchemy import func, select

from tests.http.nas_index.test_catalogue import check, go, series

REPO = Path(__file__).parents[3]

STORES = """
import sys
from readingroom.clock import SystemClock
from readingroom.db import open_database
from readingroom.nas_index.catalogue import Catalogue
from readingroom.sources.entries import FileEntry
from tests.http.nas_index.test_killed import FILES

database = open_database(sys.argv[1])
catalogue = Catalogue(database, SystemClock())
visit = catalogue.visit(catalogue.source("archive", "local", "/mnt/archive"), "run")
files = list(FILES.values())
for i in range(0, len(files), 20):
    batch = {f.path: f for f in files[i : i + 20]}
    wanted = visit.compare([FileEntry(f.path, f.size, f.mtime_ns) for f in batch.values()])
    visit.store([batch[entry.path] for entry in wanted])
    print(i, flush=True)
"""

FILES = {
    path: found
    for number in range(40)
    for path, found in series(f"folder{number % 7}/s{number}", str(number), range(1, 31)).items()
}


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_visit_is_continued(database: Database, database_url: str, seed: int) -> None:
    r = random.Random(seed)
    # Written to before the process opens it, so that it is killed in its work and not in its start.
    catalogue = Catalogue(database, SystemClock())
    source = catalogue.source("archive", "local", "/mnt/archive")
    process = subprocess.Popen(
        [sys.executable, "-c", STORES, database_url],
        cwd=REPO,
        env={"PYTHONPATH": f"{REPO / 'plugins'}:{REPO}", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    for _ in range(r.randrange(1, 20)):
        assert process.stdout.readline()
    time.sleep(r.random() / 50)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    check(database)
    with database.read() as connection:
        stored = connection.scalar(select(nas_source.c.file_count)) or 0
    assert 0 < stored <= len(FILES)
    _, left, read = go(catalogue, source, dict(FILES), batch=100)
    assert (len(read), left.gone) == (len(FILES) - stored, 0)
    check(database)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).where(nas_series.c.integrity == "complete")) == 40
