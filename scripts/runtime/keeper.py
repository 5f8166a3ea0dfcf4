"""The process outside the sandbox that an instance belongs to: a signal to it, or its end, stops the instance."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import FrameType

from scripts.runtime import refusal
from scripts.runtime.ground import Ground, Run
from scripts.runtime.options import Options
from scripts.runtime.places import REPO


def started(ground: Ground, options: Options) -> Run:
    """Start the supervisor on that ground, held by this process."""
    options.folder.mkdir(parents=True, exist_ok=True)
    command = [
        "/usr/bin/python3",
        "-m",
        "scripts.runtime.supervisor",
        replace(options, pid=os.getpid()).text(),
    ]
    more = [Path(each).parent for each in (options.tls_certificate, options.tls_key) if each]
    return Run(
        ground,
        command,
        env={"PYTHONPATH": str(REPO)},
        cwd=Path("/"),
        writable=[options.folder],
        readable=more,
        used=[Path(each) for each in (options.web, options.ohif) if each],
    )


def stop_on_signals(run: Run, told: threading.Event) -> None:
    """Let SIGINT, SIGTERM and SIGHUP ask the supervisor to stop, once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        if not told.is_set():
            run.say(signal.SIGTERM)
            # Not here: this may have interrupted the main thread while it holds the event's own lock.
            _thread.start_new_thread(told.set, ())

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def main(argv: list[str]) -> int:
    """`keeper WAY SUITE ROOT PYTHON OPTIONS`: keep one instance until it ends."""
    ground, (options,) = Ground.read(argv)
    run = started(ground, Options.read(options))
    stop_on_signals(run, threading.Event())
    while (status := run.wait(3600)) is None:
        pass
    return status


if __name__ == "__main__":
    refusal.run(main)
