"""The Python environment with the plugin's packages: made inside the root from a hash-locked list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.runtime import keep, say
from scripts.runtime.places import PROVISION, REQUIREMENTS, REQUIREMENTS_DEV, runtime_folder

if TYPE_CHECKING:
    from scripts.runtime.ground import Ground


def python(ground: Ground, kind: str) -> Path:
    """The environment's interpreter; for tests it holds the tests' packages too. Raises Refusal when it
    cannot be made."""
    requirements = REQUIREMENTS_DEV if kind == "test" else REQUIREMENTS
    base = ground.root.name if ground.root else ground.suite
    key = keep.key_of(base, requirements.read_bytes(), PROVISION.read_bytes())
    folder = runtime_folder() / "venvs" / f"{ground.suite}-{kind}-{key}"

    def make(place: Path) -> None:
        log = runtime_folder() / "logs" / f"venv-{ground.suite}-{kind}.log"
        # A process of its own, because a step shows its progress while the sandbox runs.
        command = [sys.executable, "-m", "scripts.runtime.inroot", *ground.arguments()]
        command += [str(PROVISION), "venv", str(place), str(requirements)]
        say.step(
            f"installing the Python packages ({ground.suite}, {kind})",
            command,
            log,
            # pip compiles what it installs: to where the plugin will look for it.
            env=keep.module_environment() | {"PYTHONPYCACHEPREFIX": str(compiled(place / "bin" / "python"))},
            why=_why,
        )

    fresh = not (folder / keep.WHOLE).exists()
    keep.made(folder, make, in_place=True, needs_mb=600)
    if fresh:
        keep.pruned(folder.parent, f"{ground.suite}-{kind}-")
    return folder / "bin" / "python"


def compiled(python: Path) -> Path:
    """Where that interpreter keeps compiled Python: the repository may be read-only, or hold another version's."""
    return python.parents[1] / "pycache"


def _why(text: str) -> str | None:
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in text:
        return (
            "A Python package is not the one that the lock names; nothing was installed. Try again, "
            "or look at the package server."
        )
    if "No matching distribution found" in text and "Retrying" in text:
        return say.known_reason("could not resolve")
    return None
