"""Makes the lock files of the Python packages anew: `python3 -m scripts.runtime.lock`, after a change of a `.in` file.

One lock serves Python 3.13 and 3.14, holds the hashes of every wheel, and names no package server.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from scripts.runtime import refusal
from scripts.runtime.ground import Ground, stand
from scripts.runtime.places import REPO, runtime_folder
from scripts.runtime.refusal import Refusal

FOLDER = REPO / "plugins"
FLOOR = "3.13"


def main(argv: list[str]) -> int:
    """Write requirements.txt, then requirements-dev.txt with the same versions; `--upgrade` takes newer ones."""
    ground = stand("serve")
    upgrade = ["--upgrade"] if "--upgrade" in argv else []
    with tempfile.TemporaryDirectory(dir=runtime_folder()) as scratch:
        work = Path(scratch)
        # The repository is read-only inside, and uv keeps the versions of a lock that it finds.
        for file in FOLDER.glob("requirements*"):
            shutil.copy(file, work)
        _run(ground, ["/usr/bin/python3", "-m", "venv", str(work / "uv")])
        _run(ground, [str(work / "uv/bin/python"), "-m", "pip", "install", "-q", "--only-binary=:all:", "uv"])
        for name, more in (("requirements", upgrade), ("requirements-dev", ["-c", "requirements.txt", *upgrade])):
            options = ["--universal", "--python-version", FLOOR, "--generate-hashes", "--only-binary", ":all:"]
            options += ["--no-emit-index-url", "--no-annotate", "--no-header", "--quiet"]
            uv = [str(work / "uv/bin/python"), "-m", "uv", "pip", "compile", *options, *more]
            _run(ground, [*uv, "-o", f"{name}.txt", f"{name}.in"], work)
        for name in ("requirements.txt", "requirements-dev.txt"):
            shutil.copy(work / name, FOLDER / name)
    return 0


def _run(ground: Ground, command: list[str], cwd: Path | None = None) -> None:
    if ground.run(command, cwd=cwd):
        raise Refusal("The lock files are as they were.")


if __name__ == "__main__":
    refusal.run(main)
