"""How a process of ours begins: its output is a log of JSON lines, and a wish that it ends is an event."""

from __future__ import annotations

import threading

import structlog

from readingroom.procedures.stopping import stop_by_signals


def begin_process() -> threading.Event:
    """Log one JSON object a line from now on; the event that comes back is set by SIGTERM and SIGINT.

    For the main thread alone.
    """
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper("iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )
    stopping = threading.Event()
    stop_by_signals(stopping)
    return stopping
