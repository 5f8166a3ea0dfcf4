"""The web app: built from `web/` in a folder of the runtime's own, under a key of its sources."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.runtime import keep, say
from scripts.runtime.ground import Ground
from scripts.runtime.places import WEB, runtime_folder
from scripts.runtime.refusal import Refusal

_NOT_SOURCES = {"node_modules", "dist", "coverage", ".vite", "test-results"}


def sources() -> list[Path]:
    """The files that the app is built from."""
    found = []
    for folder, below, names in os.walk(WEB):
        below[:] = [each for each in below if each not in _NOT_SOURCES]
        found += [Path(folder) / name for name in names if not name.endswith(".tsbuildinfo")]
    return sorted(found)


def built(ground: Ground) -> Path:
    """The folder of the built app: one built elsewhere if READINGROOM_WEB names it. Raises Refusal when it
    cannot be built."""
    elsewhere = os.environ.get("READINGROOM_WEB")
    if elsewhere:
        return Path(elsewhere).resolve()
    folder = runtime_folder() / "web" / keep.key_of_files(WEB, sources())

    def make(place: Path) -> None:
        with workshop(ground) as shop:
            npm(ground, shop, "building the web app", "run", "build")
            shutil.copytree(shop / "dist", place)

    fresh = not (folder / keep.WHOLE).exists()
    keep.made(folder, make, needs_mb=300)
    if fresh:
        keep.pruned(folder.parent, "")
    return folder


@contextmanager
def workshop(ground: Ground) -> Iterator[Path]:
    """A copy of `web/` with its packages installed, held by this process alone; the repository itself stays
    as it is."""
    if not (WEB / "package-lock.json").exists():
        raise Refusal("web/package-lock.json is missing from the repository.")
    key = keep.key_of((WEB / "package-lock.json").read_bytes(), ground.suite)
    parent = runtime_folder() / "web-work"
    folder = parent / key

    def install(place: Path) -> None:
        place.mkdir(parents=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            if (WEB / name).exists():
                shutil.copy(WEB / name, place / name)
        npm(ground, place, "installing the web app's packages", "ci", "--no-audit", "--no-fund")

    keep.made(folder, install, needs_mb=800)
    keep.pruned(parent, "")
    with (folder / keep.WHOLE).open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        _copy_sources(folder)
        yield folder


def npm(ground: Ground, folder: Path, what: str, *arguments: str) -> None:
    """Run npm in that folder inside the root, showing what it is doing. Raises Refusal with the end of its output."""
    command = [
        sys.executable,
        "-m",
        "scripts.runtime.inroot",
        *ground.arguments(),
        "npm",
        "--prefix",
        str(folder),
    ]
    env = keep.module_environment() | {
        "npm_config_cache": str(runtime_folder() / "cache" / "npm"),
        "CI": "1",
        "NO_COLOR": "1",
    }
    say.step(what, [*command, *arguments], runtime_folder() / "logs" / f"npm-{arguments[0]}.log", env=env)


def _copy_sources(folder: Path) -> None:
    wanted = {each.relative_to(WEB) for each in sources()}
    for old in folder.iterdir():
        if old.name not in {"node_modules", keep.WHOLE, ".vite"}:
            keep.removed(old)
    for each in wanted:
        (folder / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(WEB / each, folder / each)
