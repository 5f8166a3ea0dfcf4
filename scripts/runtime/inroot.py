"""Runs one command on a given ground, as a process of its own: `inroot WAY SUITE ROOT PYTHON COMMAND…`."""

from __future__ import annotations

from scripts.runtime import refusal
from scripts.runtime.ground import Ground


def main(argv: list[str]) -> int:
    """Run the command on the ground that the arguments before it name; its status."""
    ground, command = Ground.read(argv)
    return ground.run(command)


if __name__ == "__main__":
    refusal.run(main)
