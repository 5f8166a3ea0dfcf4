"""What `scripts/build_index` writes: never half a file, nothing left of one, and a status that is never old."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from readingroom.nas_index import build_index_cli, series_file
from readingroom.nas_index.nas_config import SourceConfig
from readingroom.nas_index.path_map import PathMap
from readingroom.nas_index.place import Wanted
from readingroom.nas_index.progress import Progress
from rich.progress import Progress as Bar

PLUGINS = Path(series_file.__file__).resolve().parents[2]

FULL = """
import resource, sys
from pathlib import Path
from readingroom.nas_index.series_file import replacing
place = Path(sys.argv[1])
with replacing(place) as out:
    out.write("before")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # as a disk that has room for 1,000 bytes
try:
    with replacing(place) as out:
        out.write("x" * 5000)
except OSError as error:
    print(error.strerror)
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_of_the_new_one(tmp_path: Path) -> None:
    place = tmp_path / "index.json"
    command = [sys.executable, "-c", FULL, str(place)]
    done = subprocess.run(command, env={"PYTHONPATH": str(PLUGINS)}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "File too large"
    assert [each.name for each in tmp_path.iterdir()] == ["index.json"]
    assert place.read_text() == "before"


def test_the_status_tells_at_once_that_a_source_is_waited_for_and_is_never_old(
    tmp_path: Path, monkeypatch: Any
) -> None:
    now = [1000.0]
    monkeypatch.setattr(build_index_cli, "monotonic", lambda: now[0])
    config = SourceConfig(name="x", type="local", path=str(tmp_path))
    building = build_index_cli._Building(config, tmp_path / "index.json", 0, Wanted(), PathMap({}))
    building._kept = series_file.SeriesFile()
    building._progress = progress = Progress(phase="reading", processed=10)
    place = tmp_path / "index_status.json"
    bar = Bar(disable=True)
    task = bar.add_task("")

    def told() -> dict[str, Any] | None:
        place.unlink(missing_ok=True)
        building._tick(progress, 50, bar, task)
        return dict(json.loads(place.read_text())) if place.exists() else None

    assert (told() or {})["files_processed"] == 10
    progress.processed = 59
    assert told() is None
    progress.processed = 60
    assert (told() or {})["files_processed"] == 60
    progress.phase = "waiting"
    assert (told() or {})["phase"] == "waiting"
    now[0] += 4
    assert told() is None
    now[0] += 1
    assert (told() or {})["running"] is True
    building._kept.close()
