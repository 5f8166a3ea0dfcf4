"""What one visit took of the servers: requests and bytes by the gateway's log, processor time of every process."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fixtures.instance import LiveInstance
from tests.fixtures.processes import children

PIXELS = ("/frames", "/file", "/dicomweb", "/rendered")
"""What an address ends with, or holds before a number, that carries pixels."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Between two moments."""

    requests: int
    """To the server's API: not the page's own files."""
    bytes: int
    page_requests: int
    page_bytes: int
    pixel_requests: int
    processor: float
    """Seconds of Orthanc, the gateway and our workers."""
    paths: list[str]


class Meter:
    """Reads what the servers have done since `begin`."""

    def __init__(self, live: LiveInstance) -> None:
        self._live = live
        self._log = live.data / "logs" / "gateway-access.log"
        self._since = 0
        self._before = 0.0

    def begin(self) -> None:
        """From now on."""
        self._since = self._log.stat().st_size if self._log.exists() else 0
        self._before = tree_seconds(self._live.pid)

    def end(self) -> Spent:
        """What was done since then."""
        processor = tree_seconds(self._live.pid) - self._before
        time.sleep(0.1)  # nginx writes a line when the answer is out
        api, page = [], []
        for line in self.lines():
            ours = line["path"].startswith(("/api/", "/dicom-web/"))
            (api if ours else page).append(line)
        return Spent(
            requests=len(api),
            bytes=sum(line["bytes"] for line in api),
            page_requests=len(page),
            page_bytes=sum(line["bytes"] for line in page),
            pixel_requests=sum(_has_pixels(line["path"]) for line in api),
            processor=processor,
            paths=[f"{line['method']} {line['path']}" for line in api],
        )

    def lines(self) -> list[dict[str, Any]]:
        """The gateway's log since `begin`."""
        with self._log.open("rb") as log:
            log.seek(self._since)
            return [json.loads(line) for line in log.read().splitlines()]


def _has_pixels(path: str) -> bool:
    head, _, last = path.rstrip("/").rpartition("/")
    return (head if last.isdigit() else f"{head}/{last}").endswith(PIXELS)


def tree_seconds(root: int) -> float:
    """Processor time of a process and all below it, and of those below that have ended."""
    ticks = 0
    for process in [root, *children(root)]:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended; its parent has its time
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def private_mb(process: int) -> float:
    """Memory that this process shares with nobody, in millions of bytes."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_")) / 1e6
