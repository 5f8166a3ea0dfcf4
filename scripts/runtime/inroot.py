"""Runs one command on a given ground, as a process of its own: `inroot WAY SUITE ROOT COMMAND…`."""

from __future__ import annotations

from pathlib import Path

from scripts.runtime import refusal
from scripts.runtime.ground import Ground


def main(argv: list[str]) -> int:
    """Run argv[3:] on the ground that argv[:3] name; its status."""
    way, suite, root, *command = argv
    return Ground(way, suite, Path(root) if root else None, Path("/usr/bin/python3")).run(command)


if __name__ == "__main__":
    refusal.run(main)
