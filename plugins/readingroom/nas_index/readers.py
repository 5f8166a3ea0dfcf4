"""The reader processes of a run: gives them files to read, takes what came of it, starts dead ones anew."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from readingroom.errors import ReadingRoomError
from readingroom.nas_index.reader_process import receive, send
from readingroom.nas_index.reading import Task
from readingroom.nas_index.shortening import Headers, Short
from readingroom.sources import Location, SourceSettings

WAITING = 2
"""Batches a process has beside those it is at: it never waits for us."""

PLUGINS = Path(__file__).resolve().parents[2]

CRASHED = ("system", "reader_crashed", "Reading this file brought the reading process down.")


@dataclass(frozen=True)
class ReaderPlan:
    """How many processes with how many threads read what."""

    root: str = ""
    """A folder of this machine; else `location` says where."""
    location: Location | None = None
    settings: SourceSettings = field(default_factory=SourceSettings)
    processes: int = 2
    threads: int = 1
    connections: int = 1
    """Of each process, where a source has any."""
    batch: int = 128
    """Files that a thread is given at a time."""

    def begin(self) -> str:
        """The first message to a process. It goes by pipe: a password is never in an environment or a command line."""
        if self.location is None:
            return json.dumps({"root": os.fsencode(self.root).hex(), "threads": self.threads})
        settings = {each.name: getattr(self.settings, each.name) for each in fields(self.settings)}
        return json.dumps(
            {
                "location": {each.name: getattr(self.location, each.name) for each in fields(self.location)},
                "settings": {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
                | {"connections": self.connections},
                "threads": self.threads,
            }
        )


class ReadersFailed(ReadingRoomError):
    """The reading processes do not come up."""

    code = "readers_failed"


@dataclass(eq=False)
class _Reader:
    process: subprocess.Popen[bytes]
    under_way: dict[int, list[Task]] = field(default_factory=dict)
    answered: bool = False

    def end(self) -> None:
        """Be done with it, and give its pipes back."""
        self.process.kill()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass  # it hangs in the kernel, on a mount that says nothing; it ends when that does
        for stream in (self.process.stdin, self.process.stdout):
            try:
                if stream:
                    stream.close()
            except OSError:
                pass  # it died with something still to be written


Answer = tuple[list[Task], list[Short], Headers]
"""What was asked, and what came of it."""


class Readers:
    """Used by one thread; leave the block to end all processes. They start as they are needed: a run that finds nothing
    new needs none.
    """

    def __init__(self, plan: ReaderPlan) -> None:
        self._plan = plan
        self._answers: queue.SimpleQueue[tuple[_Reader, int, list[Short] | None, Headers]] = queue.SimpleQueue()
        self._next = 0
        self._fallen = 0
        self._readers: list[_Reader] = []

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers:
            reader.process.kill()
        for reader in self._readers:
            reader.end()

    @property
    def under_way(self) -> int:
        """Files that are being read."""
        return sum(len(tasks) for reader in self._readers for tasks in reader.under_way.values())

    @property
    def batch(self) -> int:
        """Files that a batch should have."""
        return self._plan.batch

    def room(self) -> bool:
        """Whether some process would wait if it got nothing."""
        return self._lacks_one() or any(
            len(reader.under_way) < self._plan.threads + WAITING for reader in self._readers
        )

    def give(self, tasks: Sequence[Task]) -> None:
        """Have these files read; call it while there is `room`."""
        if self._lacks_one() and all(reader.under_way for reader in self._readers):
            self._readers.append(self._start())
        self._give(min(self._readers, key=lambda each: len(each.under_way)), list(tasks))

    def take(self, timeout: float) -> Answer | None:
        """What came of one batch; None after `timeout` seconds without any. Raises ReadersFailed."""
        try:
            reader, number, outcomes, headers = self._answers.get(timeout=timeout)
        except queue.Empty:
            return None
        if outcomes is None:
            return self._replace(reader)
        reader.answered = True
        return reader.under_way.pop(number), outcomes, headers

    def _lacks_one(self) -> bool:
        return len(self._readers) < self._plan.processes

    def _give(self, reader: _Reader, tasks: list[Task]) -> None:
        self._next += 1
        reader.under_way[self._next] = tasks
        assert reader.process.stdin is not None  # noqa: S101  # it was started with a pipe
        try:
            send(reader.process.stdin, (self._next, tasks))
        except OSError:
            pass  # it died; whoever listens to it tells so

    def _replace(self, dead: _Reader) -> Answer | None:
        """Start another process; of the files that the dead one was at, each is read alone, to find the one."""
        if dead not in self._readers:
            return None
        dead.end()  # one that no longer speaks our language may well live
        self._fallen = 0 if dead.answered else self._fallen + 1
        if self._fallen > self._plan.processes + 2:
            raise ReadersFailed(
                f"The processes that read headers end with status {dead.process.returncode} before they read anything."
            )
        self._readers.remove(dead)
        fresh = self._start()
        self._readers.append(fresh)
        lonely = [tasks for tasks in dead.under_way.values() if len(tasks) == 1]
        for tasks in dead.under_way.values():
            for task in tasks if len(tasks) > 1 else ():
                self._give(fresh, [task])
        if not lonely:
            return None
        # Several files were under way alone: the oldest is the one it was at, the others come again.
        for tasks in lonely[self._plan.threads :]:
            self._give(fresh, tasks)
        at = [tasks[0] for tasks in lonely[: self._plan.threads]]
        return at, [("bad", task[1], task[2], CRASHED, -1) for task in at], []

    def _start(self) -> _Reader:
        process = subprocess.Popen(
            [sys.executable, "-m", "readingroom.nas_index.reader_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(PLUGINS)},
            cwd=PLUGINS,
        )
        reader = _Reader(process)
        assert process.stdin is not None  # noqa: S101  # see above
        try:
            send(process.stdin, self._plan.begin())
        except OSError:
            pass
        threading.Thread(target=self._listen, args=(reader,), name="index-listen", daemon=True).start()
        return reader

    def _listen(self, reader: _Reader) -> None:
        assert reader.process.stdout is not None  # noqa: S101  # see above
        try:
            while (answer := receive(reader.process.stdout)) is not None:
                self._answers.put((reader, *answer))
        except (OSError, ValueError, EOFError, TypeError):
            pass  # closed at the end of the run, or no message of ours
        finally:
            self._answers.put((reader, 0, None, []))
