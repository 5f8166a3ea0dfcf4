"""Starts a process of ours beside Orthanc: it outlives Orthanc, and its output has a log of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from readingroom.settings import Settings

log = structlog.get_logger(__name__)


def start_process(
    settings: Settings,
    module: str,
    arguments: Sequence[str],
    log_name: str,
    ended: Callable[[int], None],
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run `python -m module arguments…`, output to logs/log_name; `ended` is told its exit status, in a thread.

    `variables` are added to its environment. Raises OSError when it cannot be started.
    """
    plugins = Path(__file__).resolve().parents[2]
    environment = os.environ | {
        "READINGROOM_DATA": str(settings.data),
        "READINGROOM_ORTHANC_URL": settings.orthanc_url,
        "DATABASE_URL": settings.database_url,
        "PYTHONPATH": str(plugins),
        **(variables or {}),
    }
    # Inside Orthanc sys.executable is no interpreter.
    command = [settings.python or sys.executable, "-m", module, *arguments]
    logs = settings.data / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / log_name).open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=plugins,
            start_new_session=True,
        )

    def wait() -> None:
        status = process.wait()
        log.info("procedure ended", module=module, arguments=list(arguments), status=status)
        try:
            ended(status)
        except Exception:
            log.exception("procedure could not be closed", module=module)

    threading.Thread(target=wait, name="procedure-wait", daemon=True).start()
