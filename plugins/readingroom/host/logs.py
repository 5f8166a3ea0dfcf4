"""Structured JSON logs in the data folder; warnings and errors are told to Orthanc's own log too."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from readingroom.host.orthanc_module import Orthanc

MAX_BYTES = 50 << 20
KEPT_FILES = 5

HIDDEN = frozenset(
    {"password", "token", "secret", "authorization", "ticket", "passcode", "patient_name", "patientname"}
)
"""Keys whose values never reach a log, should a caller slip."""


def configure(folder: Path, level: str, orthanc: Orthanc | None = None, name: str = "readingroom.jsonl") -> None:
    """Send everything that structlog and the libraries say to `folder/name`, one JSON object a line."""
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        folder / name, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8"
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide,
    ]
    json_lines = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    file.setFormatter(json_lines)
    handlers: list[logging.Handler] = [file]
    if orthanc is not None:
        handlers.append(ToOrthanc(orthanc))
    # To name its thread and task, each record asks in vain: Orthanc's threads are strangers to Python. Inside Orthanc
    # (Python 3.14) the exceptions of that never let go of the frames above them: each request stayed in memory with
    # its answer, 8 MB for a slice of a zip. Nobody reads those names.
    logging.logThreads = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # typeshed does not list it
    logging.basicConfig(level=level, handlers=handlers, force=True)
    for chatty in ("paramiko", "smbprotocol", "urllib3", "pydicom", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def hide(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank the values of keys that name a secret or a patient."""
    for key in event:
        if key.lower() in HIDDEN:
            event[key] = "…"
    return event


class ToOrthanc(logging.Handler):
    """Tells Orthanc's log of warnings and errors, by event name alone: the details stand in our own log."""

    def __init__(self, orthanc: Orthanc) -> None:
        super().__init__(logging.WARNING)
        self._orthanc = orthanc

    def emit(self, record: logging.LogRecord) -> None:
        """One line, without values."""
        said = record.msg.get("event") if isinstance(record.msg, dict) else record.name
        line = f"Reading Room: {said} (see readingroom.jsonl)"
        (self._orthanc.LogError if record.levelno >= logging.ERROR else self._orthanc.LogWarning)(line)
