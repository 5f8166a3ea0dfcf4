"""What a person sees while something is being made: short lines, and the end of a log when a step failed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.runtime.refusal import Refusal

TAIL_LINES = 25


def say(line: str) -> None:
    """Tell the person one thing."""
    print(line, file=sys.stderr, flush=True)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; empty when there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def step(
    what: str,
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    shown: Callable[[str], str | None] = lambda line: None,
    why: Callable[[str], str | None] = lambda text: None,
) -> None:
    """Run one long step with its output in `log`, showing the lines that `shown` picks and the time it took.

    Raises Refusal with what `why` makes of the log, else with the end of the log.
    """
    say(f"{what} …")
    began = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as kept:
        process = subprocess.Popen(
            list(command),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                kept.write(line)
                picked = shown(line.rstrip())
                if picked:
                    say(f"  {time.monotonic() - began:4.0f} s  {picked}")
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if status:
        text = log.read_text(errors="replace")
        known = known_reason(text)
        raise Refusal(known or why(text) or f"{what}: failed ({log}).\n{tail(log)}", final=bool(known))
    say(f"  {time.monotonic() - began:4.0f} s  done")


def known_reason(text: str) -> str | None:
    """A sentence for what most often goes wrong while something is fetched or unpacked."""
    lower = text.lower()
    if "no space left on device" in lower or "enospc" in lower or "you don't have enough free space" in lower:
        return (
            "The disk is full. Free some space, or name a folder on another disk in "
            "READINGROOM_RUNTIME, and start again."
        )
    if any(sign in lower for sign in _NO_NETWORK):
        return (
            "The package servers cannot be reached. The first start needs the network (Debian, Python "
            "and npm packages);\n"
            "set http_proxy/https_proxy if this site has a proxy, and start again: what was finished is kept."
        )
    if "certificate verify failed" in lower or "self-signed certificate" in lower:
        return (
            "A package server's certificate is not trusted. Name this site's CA bundle in "
            "SSL_CERT_FILE and start again."
        )
    return None


_NO_NETWORK = (
    "could not resolve",
    "temporary failure resolving",
    "temporary failure in name resolution",
    "network is unreachable",
    "could not connect to",
    "unable to connect to",
    "failed to establish a new connection",
    "getaddrinfo eai_again",
    "getaddrinfo enotfound",
    "econnrefused",
    "connection timed out",
)
