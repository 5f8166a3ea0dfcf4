"""Tries a source: whether it answers, how fast, encrypted or not; in a process of its own, which may hang by itself.

`python -m readingroom.nas_index.connection_test` takes a source's configuration by standard input, as JSON, and writes
what it found to standard output: a mount that says nothing then holds up nobody but that process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel

from readingroom.errors import ReadingRoomError, SourceError
from readingroom.nas_index.firebird import Kind, recognise
from readingroom.nas_index.firebird.trying import look_into
from readingroom.nas_index.nas_config import SourceConfig
from readingroom.nas_index.place import Place
from readingroom.nas_index.run_source import list_roots, path_map_of
from readingroom.nas_index.told import report
from readingroom.settings import Settings
from readingroom.sources import SourceSettings

MOST_SECONDS = 45.0
"""A person waits for the answer."""

ANSWER_SECONDS = 10.0
READ_SECONDS = 2.0
CHUNK = 1 << 20

SILENT = {
    "error_type": "network",
    "error_code": "no_answer",
    "message": f"The source said nothing for {MOST_SECONDS:.0f} seconds.",
    "suggestion": "Check that the NAS is on; a mount that hangs comes free when it is back, or by `umount -f`.",
}


class Tested(BaseModel):
    """What a test found; times in milliseconds, throughput in 10⁶ bytes a second of one reader."""

    ok: bool = False
    error_type: str = ""
    error_code: str = ""
    message: str = ""
    suggestion: str = ""
    latency_ms: float | None = None
    listing_ms: float | None = None
    throughput_mb_s: float | None = None
    encrypted: bool | None = None
    """None where the path is one of this machine: what lies behind a mount it does not tell."""
    files_sampled: int = 0
    far: bool = False
    """Whether a network lies between, by measurement."""
    method: str = ""
    """How a run would enumerate it."""
    workers: int = 0
    """Files that a run would read at a time."""
    reading: str = ""
    """Of sftp: whether a command on the server would read them, and why."""
    content: Kind = "unknown"
    """What it is recognised as, by files from all over it."""
    pictures_sampled: int = 0
    """Pictures that its database names first and that were found; 0 where no database is configured."""


def tested(settings: Settings, config: SourceConfig) -> Tested:
    """Try a source in a process of its own. Never raises for what is wrong with the source."""
    plugins = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [settings.python or sys.executable, "-m", "readingroom.nas_index.connection_test"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "READINGROOM_DATA": str(settings.data), "PYTHONPATH": str(plugins)}
        | {"NAS_PATH_MAP": settings.nas_path_map, "NAS_ALLOWED_ROOTS": ",".join(settings.nas_roots)},
        cwd=plugins,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(json.dumps(config.model_dump()).encode(), timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return Tested.model_validate(SILENT)
    if process.returncode or not said:
        return Tested.model_validate(report(ReadingRoomError(f"The test ended with status {process.returncode}.")))
    return Tested.model_validate_json(said)


def look(config: SourceConfig, settings: Settings) -> Tested:
    """Try it here and now."""
    hasty = config.model_copy(
        update={"timeout": min(config.timeout, ANSWER_SECONDS), "retry_attempts": 1, "retry_delay": 0.5}
    )
    paths = path_map_of(settings)
    roots = list_roots(settings, config, paths)
    try:
        with Place(hasty, SourceSettings.of(settings), paths, list_roots=roots) as place:
            measured, plan = place.measured, place.plan()
            throughput = _throughput(place)
            if place.is_list and not measured.files:
                raise SourceError(
                    "None of the first files of the list can be read",
                    suggestion="Say by NAS_PATH_MAP where its paths are mounted on this machine.",
                )
            found = look_into(config, place)
            return Tested(
                ok=True,
                content=recognise(place.sample(), has_mapping=config.firebird is not None),
                pictures_sampled=found,
                message=_said(place, found),
                latency_ms=round(measured.latency * 1000, 3) if measured.files else None,
                listing_ms=round(measured.listing * 1000, 3),
                throughput_mb_s=round(throughput / 1e6, 1) if throughput else None,
                encrypted=place.encrypted,
                files_sampled=measured.files,
                far=place.is_far,
                method=place.method,
                workers=plan.processes * plan.threads,
                reading=_reading(place),
            )
    except (ReadingRoomError, OSError) as error:
        return Tested.model_validate(report(error))


def _said(place: Place, pictures: int) -> str:
    if pictures:
        return "The source answers, and so does its database."
    if not place.measured.files:
        return "The source answers; no file was found in the folders that were looked at."
    return "The source answers."


def _reading(place: Place) -> str:
    tried = place.measured.commands
    if tried is None:
        return ""
    return f"{'By a command on the server' if tried.use else 'By SFTP alone'}: {tried.why}."


def _throughput(place: Place) -> float:
    """Bytes a second of one reader, of the largest files of the sample; 0.0 when there is too little to tell."""
    done, began = 0, perf_counter()
    for path, size in sorted(place.measured.sampled, key=lambda each: each[1], reverse=True):
        for offset in range(0, max(size, 1), CHUNK):
            try:
                done += len(place.read(path, offset, CHUNK))
            except (SourceError, OSError):
                break
            if perf_counter() - began > READ_SECONDS:
                return done / (perf_counter() - began)
    return done / max(perf_counter() - began, 1e-6)


def main() -> int:
    """Test what comes in."""
    config = SourceConfig.model_construct(None, **json.load(sys.stdin))
    found = look(config, Settings.load())
    sys.stdout.write(found.model_dump_json())
    sys.stdout.flush()
    # A thread that hangs in a library is not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
