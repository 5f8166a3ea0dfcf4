"""`scripts/test`: linters, type checkers and all tests, in a root that has what they need; nothing is edited."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from scripts.runtime import keep, roots, webapp
from scripts.runtime.ground import Ground, Run, python_command, stand
from scripts.runtime.places import REPO, runtime_folder
from scripts.runtime.say import say

SUITES = {
    "unit": "no server at all",
    "http": "the application under its test client, with real PostgreSQL, sshd and smbd",
    "live": "whole instances: Orthanc, plugin and gateway",
    "browser": "the pages, in Chromium",
    "house": "the house's own rules, linters and type checkers, Python and web",
}

WHOLE = ("live", "browser")
"""Kinds that wait for instances of their own more than they reckon, so that others can be run beside them."""

INTERRUPTED = (2, 130, 143)
"""How pytest, or what is around it, ends when it was asked to."""


class _Options(TypedDict):
    env: dict[str, str]
    cwd: Path
    used: list[Path]


def main(argv: list[str]) -> int:
    """Run what is named, or everything; status 0 when all of it passed."""
    made = argparse.ArgumentParser(
        prog="scripts/test",
        usage="scripts/test [--suite forky|trixie] [unit|http|live|browser|house …] [pytest arguments]",
        description="Run the tests. Kinds: " + "; ".join(f"{name}: {what}" for name, what in SUITES.items()) + ".",
        epilog=(
            "What is not understood here goes to pytest: scripts/test unit -k zip -x; scripts/test "
            "tests/live/test_guard.py"
        ),
        allow_abbrev=False,
    )
    made.add_argument("--suite", choices=roots.SUITES, help="Debian release to test on (default: forky, else trixie)")
    said, rest = made.parse_known_args(argv)
    named = []
    while rest and rest[0] in SUITES:
        named.append(rest.pop(0))
    # A path among pytest's arguments says by itself what to run.
    paths = [word for word in rest if not word.startswith("-") and (REPO / word.partition("::")[0]).exists()]
    wanted = [] if paths else named or list(SUITES)
    ground = stand("test", said.suite)
    results = list(_checks(ground)) if "house" in (named or wanted) else []
    failed = [what for what, passed in results if not passed]
    # Built here, once, and not by each instance that a test starts.
    web = webapp.built(ground) if not wanted or {"live", "browser"} & set(wanted) else None
    first, second = _groups(wanted, rest)
    status = _pytest(ground, first, rest, web, second)
    if failed:
        print(f"\nfailed beside the tests: {', '.join(failed)}")
    return status or (1 if failed else 0)


def _checks(ground: Ground) -> Iterator[tuple[str, bool]]:
    """Linters and type checkers, one after the other: name, and whether it was content."""
    cache = runtime_folder() / "cache"
    python = str(ground.python)
    yield _check(ground, "ruff", [python, "-m", "ruff", "check", "--no-cache", "."])
    yield _check(ground, "ruff format", [python, "-m", "ruff", "format", "--no-cache", "--check", "."])
    yield _check(ground, "mypy", [python, "-m", "mypy", "--cache-dir", str(cache / "mypy")])
    with webapp.workshop(ground) as shop:
        for what, script in (("eslint", "lint"), ("tsc", "typecheck"), ("vitest", "test")):
            yield _check(ground, what, ["npm", "--prefix", str(shop), "run", "--silent", script])


def _check(ground: Ground, what: str, command: list[str]) -> tuple[str, bool]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "scripts.runtime.inroot", *ground.arguments(), *command],
        cwd=REPO,
        env=keep.module_environment() | {"NO_COLOR": "1", "CI": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    passed = done.returncode == 0
    print(f"{what:12} {'ok' if passed else 'FAILED'} ({time.monotonic() - began:.1f} s)", flush=True)
    if not passed:
        print(done.stdout, flush=True)
    return what, passed


def _groups(wanted: list[str], rest: list[str]) -> tuple[list[str], list[str]]:
    """The kinds of tests of one pytest and, where all are asked for without a word to pytest, of one beside it."""
    second = [each for each in wanted if each in WHOLE]
    if rest or second == wanted or (os.cpu_count() or 1) < 2:
        return wanted, []
    return [each for each in wanted if each not in WHOLE], second


def _pytest(ground: Ground, kinds: list[str], rest: list[str], web: Path | None, beside: list[str]) -> int:
    """Run the tests of these kinds, and others beside them; what those said comes after."""
    if not all((REPO / "tests" / each).is_dir() for each in [*kinds, *beside]):
        say(f"there is nothing in {', '.join(f'tests/{each}' for each in [*kinds, *beside])}")
        return 1
    if not beside:
        command, options = _command(ground, kinds, rest, web)
        return ground.run(command, **options)
    say(f"{' and '.join(beside)} tests run beside the others; what they say comes at the end")
    command, options = _command(ground, beside, rest, web)
    with tempfile.TemporaryFile() as said:
        other = Run(ground, command, output=said, **options)
        command, options = _command(ground, kinds, rest, web)
        status = ground.run(command, **options)
        if status in INTERRUPTED:
            other.say(signal.SIGINT)
        second = other.wait_passing_signals()
        said.seek(0)
        shutil.copyfileobj(said, sys.stdout.buffer)
        sys.stdout.flush()
    return status or second


def _command(ground: Ground, kinds: list[str], rest: list[str], web: Path | None) -> tuple[list[str], _Options]:
    cache = runtime_folder() / "cache"
    words = ["-o", f"cache_dir={cache / '-'.join(['pytest', *kinds])}", *(f"tests/{each}" for each in kinds), *rest]
    command, env = python_command("pytest", words, ground)
    env["HYPOTHESIS_STORAGE_DIRECTORY"] = str(cache / "hypothesis")
    if web:
        env["READINGROOM_WEB"] = str(web)
    # Settings of this machine's own instance are not the tests'.
    kept = {name: "" for name in ("DATABASE_URL", "JWT_SECRET", "READINGROOM_DATA") if name in os.environ}
    return command, {"env": {**kept, **env}, "cwd": REPO, "used": [web] if web else []}
