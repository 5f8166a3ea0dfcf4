"""`scripts/stop`: stops an instance and waits for its end."""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path

from scripts.runtime import instance
from scripts.runtime.places import data_folder
from scripts.runtime.refusal import Refusal

PATIENCE = 60.0
"""Longer than the keeper, the supervisor, the gateway and Orthanc take together."""


def main(argv: list[str]) -> int:
    """Stop the instance on --data; nothing to stop is no failure."""
    made = argparse.ArgumentParser(
        prog="scripts/stop", description="Stop a running Reading Room and wait until it has ended."
    )
    made.add_argument("--data", metavar="DIR", help="the instance's folder (default: data)")
    data = data_folder(made.parse_args(argv).data)
    pid = instance.pid_to_stop(data)
    if pid is None:
        left = instance.file_of(data)
        if left.exists():
            left.unlink(missing_ok=True)
            print(f"Nothing is running on {data}; what a killed instance had left was tidied up.")
        else:
            print(f"Nothing is running on {data}.")
        return 0
    running = instance.Instance.running(data)
    began = time.monotonic()
    _signal(pid, signal.SIGTERM, data)
    while instance.lock_is_held(data):
        if time.monotonic() - began > PATIENCE:
            _signal(pid, signal.SIGKILL, data)
            raise Refusal(f"Reading Room on {data} (process {pid}) did not end in {PATIENCE:.0f} s and was killed.")
        time.sleep(0.1)
    where = f" at {running.url}" if running else ""
    print(f"Stopped Reading Room{where} on {data} ({time.monotonic() - began:.1f} s).")
    return 0


def _signal(pid: int, number: int, data: Path) -> None:
    try:
        if b"scripts" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            # The instance was started inside another sandbox, whose process numbers mean others here.
            raise Refusal(f"Reading Room on {data} was started elsewhere (process {pid}); stop it there.")
        os.kill(pid, number)
    except (ProcessLookupError, FileNotFoundError):
        return  # it has ended meanwhile; the lock says when the rest has
    except PermissionError:
        raise Refusal(
            f"Reading Room on {data} (process {pid}) belongs to another user; stop it as that user or as root."
        ) from None
