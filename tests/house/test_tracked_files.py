"""What must not be in the repository: addresses of registries, paths of one machine, big files, hidden skips."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Put together from parts, so that this file does not hold what it looks for.
REGISTRIES = re.compile(
    "|".join(
        re.escape(".".join(p))
        for p in [("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"), ("deb", "debian", "org")]
    )
)
MAX_BYTES = 1_000_000


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        ).stdout.decode()
        return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        pytest.fail("git cannot list the repository's files")


def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        try:
            found.append((str(path.relative_to(ROOT)), path.read_text()))
        except UnicodeDecodeError:
            continue
    return found


def test_no_tracked_file_names_a_package_registry() -> None:
    assert [name for name, text in texts() if REGISTRIES.search(text)] == []


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    machine = re.compile(r"(?<![\w.-])/(work|farm)/(main|shared|team)\b|/var/tmp/rr-" + "dev")
    assert [name for name, text in texts() if machine.search(text)] == []


def test_no_tracked_file_is_big() -> None:
    assert [str(path) for path in tracked() if path.stat().st_size > MAX_BYTES] == []


def test_every_skip_and_every_silenced_check_says_why() -> None:
    """A reason stands on the same line or on the one above it."""
    quiet = re.compile(r"pytest\.skip\(|mark\.skip|mark\.xfail|# *type: *ignore|# *noqa|eslint-disable")
    culprits = []
    for name, text in texts():
        if not name.endswith((".py", ".ts", ".tsx")) or name.endswith("test_tracked_files.py"):
            continue
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if not quiet.search(line):
                continue
            # The check's own code counts as the reason for naming rules that a foreign API breaks.
            told = re.search(r"(ignore\[[\w-]+\]|noqa: [A-Z0-9, ]+|eslint-disable\S* [\w@/-]+|skip\(|reason=)", line)
            if not told:
                culprits.append(f"{name}:{number + 1}")
    assert culprits == []


def test_scripts_can_be_run() -> None:
    for name in ("serve", "stop", "test", "bench", "import_cases", "admin"):
        assert (ROOT / "scripts" / name).stat().st_mode & 0o111, f"scripts/{name} has no run bit"
