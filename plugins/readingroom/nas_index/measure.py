"""Measures how long a source takes to answer, and picks how many files to read at a time from that."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from readingroom.errors import SourceError
from readingroom.headers.window import FIRST_BYTES
from readingroom.nas_index.listing import Folder, Lister
from readingroom.sources import CommandTrial, FileEntry, Source
from readingroom.sources.names import join

SAMPLES = 24
"""Files and folders that are looked at: half a second at 10 ms each."""

SAMPLED_AGAIN = 4
"""How often the sample is in one trial of reading many: some hundred files, as in a run."""

MEASURED_BYTES = 4096

FAR_SECONDS = 0.0005
"""A local disk, cold too, opens and reads faster than this; a network does not."""

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "afs", "9p", "fuse.sshfs", "fuse.rclone", "davfs"}
)


@dataclass(slots=True)
class Measured:
    """What was seen; times in seconds."""

    latency: float = 0.0
    """Median of opening a file and reading its first bytes."""
    throughput: float = 0.0
    """Bytes per second of one reader, where it was asked for."""
    files: int = 0
    listing: float = 0.0
    """Median of listing a folder."""
    sampled: list[tuple[str, int]] = field(default_factory=list)
    """Paths and sizes of the files that were looked at."""
    commands: CommandTrial | None = None
    """Whether files are read by a command on the server, and why; None where that was not tried."""

    @property
    def by_command(self) -> bool:
        """Whether a command on the server is the faster way."""
        return self.commands is not None and self.commands.use

    @property
    def is_far(self) -> bool:
        """Whether waiting, not computing, is what takes time."""
        return max(self.latency, self.listing / 2) > FAR_SECONDS


def measure(lister: Lister, read: Callable[[str, int], object]) -> Measured:
    """List a few folders and read the beginnings of a few files. Raises SourceError where not even the first goes."""
    listings: list[float] = []
    reads: list[float] = []
    seen = Measured()
    for path, size, spent in _first_files(lister, listings):
        if spent is not None or len(reads) >= SAMPLES:
            continue
        began = perf_counter()
        try:
            read(path, min(size, MEASURED_BYTES) if size > 0 else MEASURED_BYTES)
        except (SourceError, OSError):
            continue
        reads.append(perf_counter() - began)
        seen.sampled.append((path, size))
        if len(reads) >= SAMPLES:
            break
    seen.files = len(reads)
    seen.latency = statistics.median(reads) if reads else 0.0
    seen.listing = statistics.median(listings) if listings else 0.0
    return seen


def tried_commands(source: Source, measured: Measured) -> CommandTrial | None:
    """Whether a server reads files faster by a command, told by the sample; None where no command is known for it."""
    sample = [FileEntry(path, size, 0) for path, size in measured.sampled] * SAMPLED_AGAIN
    return source.try_command(sample, FIRST_BYTES)


def _first_files(lister: Lister, listings: list[float]) -> Iterator[tuple[str, int, float | None]]:
    open_: list[Folder] = [lister.start()]
    looked = 0
    while open_ and looked < SAMPLES:
        folder = open_.pop()
        looked += 1
        began = perf_counter()
        try:
            part = next(iter(lister.listed(folder)), None)
        except SourceError:
            if looked == 1:
                raise
            continue
        listings.append(perf_counter() - began)
        if part is None:
            continue
        # A few files of each folder, so that the sample is not of one folder alone.
        yield from ((join(part.folder, each.name), each.size, None) for each in part.files[: SAMPLES // 4])
        open_ += part.folders[-4:]


def file_system(path: str) -> str:
    """The kind of file system that a folder lies on; "" where the system does not tell."""
    real = os.path.realpath(path)
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ").replace("\\011", "\t")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def cores() -> int:
    """Processors that this process may use."""
    return max(1, len(os.sched_getaffinity(0)))
