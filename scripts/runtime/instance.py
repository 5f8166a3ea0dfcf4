"""A running instance as others find it: `DATA/run/instance.json`, believed only while the instance's lock is held."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Instance:
    """Where a running instance answers. `pid` is the process that SIGTERM stops it by."""

    url: str
    port: int
    dicom_port: int
    orthanc_url: str
    orthanc_port: int
    pid: int
    data: str
    suite: str
    python: str
    version: str

    @staticmethod
    def running(data: Path) -> Instance | None:
        """The healthy instance on that data folder, if there is one."""
        return Instance.read(data) if lock_is_held(data) else None

    @staticmethod
    def read(data: Path) -> Instance | None:
        """What the file says, whether or not the instance still lives."""
        try:
            said = json.loads(file_of(data).read_text())
            return Instance(
                url=said["url"],
                port=said["port"],
                dicom_port=said["dicomPort"],
                orthanc_url=said["orthancUrl"],
                orthanc_port=said["orthancPort"],
                pid=said["pid"],
                data=said["data"],
                suite=said["suite"],
                python=said["python"],
                version=said["version"],
            )
        except (OSError, ValueError, KeyError):
            return None

    def write(self) -> None:
        """Tell others; beside its place, synced, renamed."""
        said = {
            "url": self.url,
            "port": self.port,
            "dicomPort": self.dicom_port,
            "orthancUrl": self.orthanc_url,
            "orthancPort": self.orthanc_port,
            "pid": self.pid,
            "data": self.data,
            "suite": self.suite,
            "python": self.python,
            "version": self.version,
        }
        write_whole(file_of(Path(self.data)), json.dumps(said, indent=2) + "\n")


def file_of(data: Path) -> Path:
    """Where a healthy instance says so."""
    return data / "run" / "instance.json"


def lock_of(data: Path) -> Path:
    """The file that a living supervisor holds locked, with the pid to send SIGTERM to in it."""
    return data / "run" / "supervisor.pid"


def lock_is_held(data: Path) -> bool:
    """Whether a supervisor lives on that data folder; a file left by one that was killed does not count."""
    try:
        with lock_of(data).open("r") as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def lock(data: Path, pid: int) -> Iterator[bool]:
    """Hold the instance's lock with that pid in it; False when another holds it."""
    with lock_of(data).open("a+") as held:
        if not _taken(held):
            yield False
            return
        held.seek(0)
        held.truncate()
        held.write(f"{pid}\n")
        held.flush()
        yield True


def _taken(held: IO[str]) -> bool:
    """Whether the lock could be had; one who only looks whether it is held has it for a moment."""
    for _ in range(20):
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def pid_to_stop(data: Path) -> int | None:
    """The process to send SIGTERM to, while one holds the lock."""
    if not lock_is_held(data):
        return None
    try:
        return int(lock_of(data).read_text().strip())
    except (OSError, ValueError):
        return None


def write_whole(place: Path, text: str, mode: int = 0o644) -> None:
    """Write a file beside its place, sync it, and rename it there."""
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(place)
