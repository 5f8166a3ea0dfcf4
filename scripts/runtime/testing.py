"""`scripts/test`: linters, type checkers and all tests, in a root that has what they need; nothing is edited."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.runtime import keep, roots, webapp
from scripts.runtime.ground import Ground, python_command, stand
from scripts.runtime.places import REPO, runtime_folder
from scripts.runtime.say import say

SUITES = {
    "unit": "no server at all",
    "http": "the application under its test client, with real PostgreSQL, sshd and smbd",
    "live": "whole instances: Orthanc, plugin and gateway",
    "browser": "the pages, in Chromium",
    "house": "the house's own rules, linters and type checkers, Python and web",
}


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
    wanted = named or ([] if paths else list(SUITES))
    ground = stand("test", said.suite)
    results = list(_checks(ground)) if "house" in wanted else []
    failed = [what for what, passed in results if not passed]
    # Built here, once, and not by each instance that a test starts.
    web = webapp.built(ground) if not wanted or {"live", "browser"} & set(wanted) else None
    status = _pytest(ground, [f"tests/{each}" for each in wanted], rest, web)
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


def _pytest(ground: Ground, paths: list[str], rest: list[str], web: Path | None) -> int:
    cache = runtime_folder() / "cache"
    existing = [path for path in paths if (REPO / path).is_dir()]
    if paths and not existing:
        say(f"there is nothing in {', '.join(paths)}")
        return 1
    command, env = python_command("pytest", ["-o", f"cache_dir={cache / 'pytest'}", *existing, *rest], ground)
    env["HYPOTHESIS_STORAGE_DIRECTORY"] = str(cache / "hypothesis")
    if web:
        env["READINGROOM_WEB"] = str(web)
    # Settings of this machine's own instance are not the tests'.
    kept = {name: "" for name in ("DATABASE_URL", "JWT_SECRET", "READINGROOM_DATA") if name in os.environ}
    return ground.run(command, env={**kept, **env}, cwd=REPO)
