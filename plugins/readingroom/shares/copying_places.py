"""Where de-identified copies lie: one folder a link, made beside its place and renamed when it is whole.

data/shares/<link id>/0001.dcm …, series.json, files.json
data/shares/.<link id>/0001.dcm …, state.json           while it is being made

All of it is de-identified already; nothing of the original is written down here.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from readingroom.series.model import FACTS

SERIES, FILES, STATE = "series.json", "files.json", "state.json"

LINK_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """One file of a copy."""

    size: int
    crc32: int
    sop_instance_uid: str
    instance_number: int | None


@dataclass(frozen=True, slots=True)
class CopiedSeries:
    """A whole copy; `made_ns` is the time that its files carry, for all of them the same."""

    series_uid: str
    study_uid: str
    facts: dict[str, str]
    file_count: int
    size_bytes: int
    version: str
    made_ns: int


def file_name(index: int) -> str:
    """How file `index`, from 0, is called in its folder."""
    return f"{index + 1:04d}.dcm"


def shown_name(index: int) -> str:
    """How it is called at the reader's."""
    return f"IM{index + 1:04d}.dcm"


class CopyPlaces:
    """The folders of all copies."""

    def __init__(self, data: Path) -> None:
        self.root = data / "shares"

    def whole(self, link: str) -> Path:
        """Where a link's copy lies when it is whole."""
        return self.root / link

    def begun(self, link: str) -> Path:
        """Where it is being made."""
        return self.root / f".{link}"

    def begin(self, link: str, version: str) -> Path:
        """The folder to make a copy in. What is there of another version of the series is thrown away first."""
        folder = self.begun(link)
        remove(self.whole(link))  # it was asked for, and had no description that could be read
        for place in folder.glob(".*"):
            place.unlink()  # what was being written when a process was killed
        if read_json(folder / STATE) != {"version": version}:
            remove(folder)
            folder.mkdir(parents=True, mode=0o700)
            write(folder / STATE, json.dumps({"version": version}).encode())
        return folder

    def finish(self, link: str, series: CopiedSeries, files: list[CopiedFile]) -> None:
        """Make it a copy."""
        folder = self.begun(link)
        write(folder / FILES, json.dumps([list(asdict(each).values()) for each in files]).encode())
        write(folder / SERIES, json.dumps(asdict(series)).encode())
        (folder / STATE).unlink(missing_ok=True)
        _sync(folder)
        folder.replace(self.whole(link))
        _sync(self.root)

    def series(self, link: str) -> CopiedSeries | None:
        """What a whole copy is; None where there is none."""
        said = read_json(self.whole(link) / SERIES)
        if not isinstance(said, dict) or set(said.get("facts", ())) != set(FACTS):
            return None
        return CopiedSeries(**said)

    def files(self, link: str) -> list[CopiedFile]:
        """Its files, in order; none where there is no copy."""
        said = read_json(self.whole(link) / FILES)
        return [CopiedFile(*each) for each in said] if isinstance(said, list) else []

    def links(self) -> Iterator[str]:
        """Ids of all links that something lies here of."""
        if self.root.is_dir():
            yield from {place.name.lstrip(".") for place in self.root.iterdir() if LINK_ID.search(place.name)}

    def drop(self, link: str) -> None:
        """Remove all that lies here of a link."""
        remove(self.whole(link))
        remove(self.begun(link))


def write(place: Path, data: bytes | memoryview) -> None:
    """Write a file beside its place, synced, for our own eyes alone, and rename it. Raises OSError."""
    fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def read_json(place: Path) -> Any:
    """What is in that file; None where there is nothing to be read."""
    try:
        return json.loads(place.read_bytes())
    except (OSError, ValueError):
        return None


def remove(folder: Path) -> None:
    """Remove a folder if it is there; what cannot be removed is left to the next sweep."""
    shutil.rmtree(folder, ignore_errors=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
