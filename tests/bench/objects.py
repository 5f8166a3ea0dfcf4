"""A file of 100 MB into a folder and a bucket and out again, beside `cp`, and beside boto3's own upload and download.

The bucket is at rclone's S3 server on this machine, which shares the processors and takes most of the time: what our
own process spends stands beside it.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from readingroom.objects import NfsStore, ObjectStore, original_key
from readingroom.objects.s3 import S3Store

from scripts.runtime.report import Report
from tests.fixtures.s3 import client_of, running_s3

SIZE = 100_000_000
RUNS = 5
CHUNK = 256 << 10
MB = 1_000_000
AIM = 1.5


def run(report: Report) -> None:
    """Each store in its turn, ours and the other by turns."""
    source = report.scratch / "source"
    with source.open("wb") as file:
        for _ in range(SIZE // MB):
            file.write(os.urandom(MB))
    subprocess.run(["sha256sum", source], check=True, stdout=subprocess.DEVNULL)  # into the page cache
    folder(report, source)
    with running_s3("rclone") as server:
        bucket = server.new_bucket()
        client = client_of(bucket)
        s3(report, source, S3Store(bucket), lambda key: client.upload_file(str(source), bucket.name, key),
           lambda key, to: client.download_file(bucket.name, key, str(to)))  # fmt: skip


def folder(report: Report, source: Path) -> None:
    """Against a copy that is on the disk, too, and hashed, too: what has to be done at least."""
    base = report.scratch / "store"
    base.mkdir()
    store, copy = NfsStore(base), report.scratch / "copy"
    out = memory(report) / "out"  # of a copy on the same disk, the file system need not move a byte
    measured = Measured(report, f"A folder, {SIZE // MB} MB, {RUNS} runs in turns")

    def copied() -> None:
        subprocess.run(["cp", "--reflink=never", source, copy], check=True)
        subprocess.run(["sync", copy, report.scratch], check=True)
        subprocess.run(["sha256sum", source], check=True, stdout=subprocess.DEVNULL)

    for number in range(RUNS):
        measured.take("cp, sync and sha256sum", copied)
        measured.take("put", lambda number=number: put(store, source, number))
        measured.take("cp into memory", lambda: subprocess.run(["cp", base / key(0), out], check=True))
        measured.take("get", lambda number=number: get(store, number, out))
    shutil.rmtree(out.parent)
    measured.tell({"put": "cp, sync and sha256sum", "get": "cp into memory"})


def s3(
    report: Report,
    source: Path,
    store: ObjectStore,
    upload: Callable[[str], None],
    download: Callable[[str, Path], None],
) -> None:
    """Against boto3's own way with a file, which uses ten threads."""
    copy = report.scratch / "copy"
    measured = Measured(report, f"A bucket at rclone's server, {SIZE // MB} MB, {RUNS} runs in turns")
    for number in range(RUNS):
        measured.take("boto3's upload_file", lambda number=number: upload(f"theirs/{number}"))
        measured.take("put", lambda number=number: put(store, source, number))
        measured.take("boto3's download_file", lambda number=number: download(f"theirs/{number}", copy))
        measured.take("get", lambda number=number: get(store, number, copy))
    measured.tell({"put": "boto3's upload_file", "get": "boto3's download_file"})


def memory(report: Report) -> Path:
    """A folder in memory."""
    folder = Path("/dev/shm") / f"{report.scratch.name}-out"  # its name is the scratch folder's own
    folder.mkdir()
    return folder


class Measured:
    """Time by the clock and processor time of this process and its children, as often as it was taken."""

    def __init__(self, report: Report, title: str) -> None:
        self._clock = report.table(f"{title}, load {os.getloadavg()[0]:.1f}", "s")
        self._processor = report.table(f"{title}: processor time of the one that asks", "s")
        self._taken: dict[str, list[tuple[float, float]]] = {}

    def take(self, what: str, act: Callable[[], object]) -> None:
        """Once more."""
        began, spent = time.monotonic(), processor()
        act()
        self._taken.setdefault(what, []).append((time.monotonic() - began, processor() - spent))

    def tell(self, pairs: dict[str, str]) -> None:
        """All rows; ours shall take at most AIM times what the other takes, by the clock."""
        for what, taken in self._taken.items():
            self._clock.add(what, *(clock for clock, _ in taken), note=f"{SIZE / MB / min(taken)[0]:.0f} MB/s at best")
            self._processor.add(what, *(spent for _, spent in taken))
        for ours, theirs in pairs.items():
            times = self._clock.ratio(ours, theirs)
            self._clock.aim(f"{ours}: at most {AIM:g} × {theirs}: {times:.2f} ×", times <= AIM)


def processor() -> float:
    """Seconds that this process and those that it waited for have spent."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def key(number: int) -> str:
    """The key of that run's object."""
    return original_key(1, 1, 1, number + 1, datetime(2026, 1, 1, tzinfo=UTC), "png")


def put(store: ObjectStore, source: Path, number: int) -> None:
    """As an upload puts it."""
    assert store.put(key(number), chunks(source), expected_size=SIZE).size == SIZE


def get(store: ObjectStore, number: int, to: Path) -> None:
    """Into a file, as `cp` does."""
    with store.open(key(number)) as blob, to.open("wb") as file:
        for piece in blob.read_range():
            file.write(piece)


def chunks(source: Path) -> Iterator[bytes]:
    """The file in pieces."""
    with source.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece
