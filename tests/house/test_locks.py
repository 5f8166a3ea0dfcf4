"""The lock files: whole, by hash, with no package server's name, and never behind what they lock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
LOCKS = ("requirements", "requirements-dev")


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_asked_for_is_locked(name: str) -> None:
    missing = asked(PLUGINS / f"{name}.in") - locked(f"{name}.txt").keys()
    assert not missing, "run python3 -m scripts.runtime.lock"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (PLUGINS / f"{name}.txt").read_text()
    assert "http" not in text
    assert "--index" not in text
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_tests_run_on_the_versions_that_are_served() -> None:
    served, tested = locked("requirements.txt"), locked("requirements-dev.txt")
    assert served.items() <= tested.items()


def asked(file: Path) -> set[str]:
    names: set[str] = set()
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            names |= asked(file.parent / line[3:].strip())
        elif found := re.match(r"[A-Za-z0-9._-]+", line):
            names.add(normal(found[0]))
    return names


def locked(name: str) -> dict[str, str]:
    return {
        normal(found[1]): found[2]
        for found in re.finditer(r"^([A-Za-z0-9._-]+)==(\S+)", (PLUGINS / name).read_text(), re.MULTILINE)
    }


def normal(name: str) -> str:
    """As package servers compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
