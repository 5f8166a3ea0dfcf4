"""A process that reads headers: tasks come in by standard input, outcomes go out by standard output.

A process of its own, because Python reads one header at a time in one process however many threads it has; and one that
does nothing else, so that a file that brings it down costs nothing but itself. It ends when its input does.
"""

from __future__ import annotations

import json
import marshal
import os
import queue
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

from readingroom.nas_index.reading import LocalReading, Outcome, Task, safely
from readingroom.nas_index.shortening import shortened

LENGTH = struct.Struct("<I")
"""Each message is its length and that many bytes of marshal."""


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message."""
    data = marshal.dumps(message)
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message; None when there will be no more."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    return marshal.loads(data) if len(data) == length else None  # noqa: S302  # only our own parent writes here


def main() -> None:
    """Serve until the input ends."""
    # pydicom does its part of our work, character sets, without these; each process is 20 MB smaller for it.
    for name in ("numpy", "PIL", "requests"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # how Python says "not there"
    # Whatever prints must not get between the messages. Buffered: a bare write ends short where a signal comes.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    incoming = sys.stdin.buffer
    begun = json.loads(receive(incoming))
    read = reading_of(begun)
    tasks: queue.SimpleQueue[tuple[int, list[Task]] | None] = queue.SimpleQueue()
    writing = threading.Lock()

    def work() -> None:
        while (batch := tasks.get()) is not None:
            number, batch_tasks = batch
            answer = shortened(read(batch_tasks))
            with writing:
                try:
                    send(output, (number, *answer))
                except BrokenPipeError:
                    os._exit(0)  # the run is over, or its process was killed

    workers = [threading.Thread(target=work, daemon=True) for _ in range(begun["threads"])]
    for each in workers:
        each.start()
    try:
        # Always reading: else both sides could wait for each other to take what they write.
        while (batch := receive(incoming)) is not None:
            tasks.put(batch)
        for _ in workers:
            tasks.put(None)
        for each in workers:
            each.join()
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # the run is over
    # What still hangs on a mount that says nothing is not waited for.
    os._exit(0)


def reading_of(begun: dict[str, Any]) -> Callable[[list[Task]], list[Outcome]]:
    """What reads the files of that source."""
    if "root" in begun:
        read = LocalReading(os.fsdecode(bytes.fromhex(begun["root"]))).read
        return lambda tasks: [safely(read, task) for task in tasks]
    # A local run needs none of these.
    from readingroom.nas_index.source_reading import SourceReading  # noqa: PLC0415
    from readingroom.sources import Location, SourceSettings, open_source  # noqa: PLC0415

    known = {field.name: field.type for field in fields(SourceSettings)}
    settings: dict[str, Any] = {
        name: Path(value) if value and "Path" in str(known[name]) else value
        for name, value in begun["settings"].items()
    }
    return SourceReading(open_source(Location(**begun["location"]), SourceSettings(**settings))).read


if __name__ == "__main__":
    main()
