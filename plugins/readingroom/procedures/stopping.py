"""How SIGINT and SIGTERM ask a process of ours to stop."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 130
"""The exit status of a command that was asked to stop, as shells have it: 128 + SIGINT."""

SAME_KEY_SECONDS = 1.0
"""One Ctrl-C may come twice, from the terminal and handed on by the script around us."""


def stop_by_signals(
    stopping: threading.Event,
    *,
    first: Callable[[signal.Signals], None] = lambda _: None,
    impatient: bool = False,
) -> None:
    """Set `stopping` at the first SIGINT or SIGTERM, after telling `first` which of them it was.

    With `impatient`, one that comes more than SAME_KEY_SECONDS after the first leaves at once, with SystemExit.
    For the main thread alone.
    """
    asked: float | None = None

    def hear(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked is None:
            asked = time.monotonic()
            first(signal.Signals(number))
            # Not here: this may have interrupted the main thread while it holds the event's own lock.
            _thread.start_new_thread(stopping.set, ())
        elif impatient and time.monotonic() - asked > SAME_KEY_SECONDS:
            sys.exit(INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hear)
