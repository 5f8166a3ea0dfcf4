"""Keeps the work that a listing finds on disk until an uploader takes it: a long list never fills the memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Condition
from typing import Any

from readingroom.cases.import_plan import Recorded, Slot
from readingroom.sources.entries import FileEntry


@dataclass(frozen=True, slots=True)
class Task:
    """One file to bring in."""

    entry: FileEntry
    slot: Slot
    recorded: Recorded | None
    deidentify: bool
    lost: bool = False
    """It was imported before, and Orthanc no longer has it."""


class Spool:
    """A queue of tasks with one end that adds and many that take; a nameless temporary file holds them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by `close`
        self._write_at = 0
        self._read_at = 0
        self._changed = Condition()
        self._ended = False

    def add(self, tasks: list[Task]) -> None:
        """Append tasks."""
        lines = b"".join(_pack(task) for task in tasks)
        with self._changed:
            self._file.seek(self._write_at)
            self._file.write(lines)
            self._write_at = self._file.tell()
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self._ended

    def end(self) -> None:
        """Say that nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody take anything more."""
        with self._changed:
            self._ended = True
            self._read_at = self._write_at
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Task]:
        """Tasks in order, each taken once whoever asks; waits for more until `end`."""
        while True:
            with self._changed:
                while self._read_at == self._write_at and not self._ended:
                    self._changed.wait()
                if self._read_at >= self._write_at:
                    return
                self._file.seek(self._read_at)
                line = self._file.readline()
                self._read_at += len(line)
            yield _unpack(line)

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()


def _pack(task: Task) -> bytes:
    recorded = astuple(task.recorded) if task.recorded else None
    whole = [task.entry, astuple(task.slot), recorded, task.deidentify, task.lost]
    return json.dumps(whole).encode() + b"\n"  # ASCII: lone surrogates in names survive


def _unpack(line: bytes) -> Task:
    entry, slot, recorded, deidentify, lost = _parts(line)
    known = Recorded(*recorded) if recorded else None
    return Task(FileEntry(*entry), Slot(*slot), known, deidentify, lost)


def _parts(line: bytes) -> tuple[list[Any], list[Any], list[Any] | None, bool, bool]:
    entry, slot, recorded, deidentify, lost = json.loads(line)
    return entry, slot, recorded, deidentify, lost
