"""Things made once and kept: under a key of what they are made of, behind a lock, used only when whole."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.runtime.places import REPO
from scripts.runtime.refusal import Refusal
from scripts.runtime.say import say

WHOLE = ".whole"
"""Written into a folder as the last thing: without it the folder is a broken build and is made anew."""

KEPT = 2
"""Newest of each kind that stay; the one before is kept so that going back a commit costs nothing."""


def key_of(*parts: str | bytes) -> str:
    """A short name for exactly these parts."""
    digest = hashlib.sha256()
    for part in parts:
        piece = part.encode() if isinstance(part, str) else part
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()[:12]


def key_of_files(folder: Path, files: Iterable[Path]) -> str:
    """A short name for the names and bytes of these files below a folder."""
    parts: list[str | bytes] = []
    for file in sorted(files):
        parts += [file.relative_to(folder).as_posix(), file.read_bytes()]
    return key_of(*parts)


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold a lock file, waiting for another process that holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  another start is making the same thing; waiting for it …")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def made(folder: Path, make: Callable[[Path], None], *, in_place: bool = False, needs_mb: int = 0) -> Path:
    """The folder, made by `make(place)` unless a whole one is there already.

    It is made beside its place and renamed, or `in_place` where what is made holds its own path (a Python
    environment).
    Raises Refusal when less than `needs_mb` is free.
    """
    if not (folder / WHOLE).exists():
        with locked(folder.parent / f".{folder.name}.lock"):
            if not (folder / WHOLE).exists():
                enough_space(folder.parent, needs_mb)
                place = folder if in_place else folder.parent / f".{folder.name}.making"
                removed(place)
                make(place)
                (place / WHOLE).touch()
                if not in_place:
                    removed(folder)
                    place.rename(folder)
    os.utime(folder / WHOLE)
    return folder


def enough_space(folder: Path, needs_mb: int, option: str = "in READINGROOM_RUNTIME") -> None:
    """Raises Refusal, naming what changes it, when `folder` cannot be written to or has less than that free."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise Refusal(f"{folder} cannot be written to ({error.strerror}). Name another folder {option}.") from None
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < needs_mb:
        raise Refusal(
            f"The disk below {folder} is nearly full: {free} MB free, {needs_mb} MB needed.\n"
            f"Free some space, or name a folder on another disk {option}.",
            final=True,
        )


def removed(folder: Path) -> None:
    """Delete a folder whatever it holds, if it is there; never what another file system shows in it."""
    _unmounted(folder)
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(folder, ignore_errors=False)


def _unmounted(folder: Path) -> None:
    """A build that was killed can leave /proc and the like mounted in its root."""
    for point in _mounted_below(folder):
        subprocess.run(["umount", "--lazy", str(point)], stderr=subprocess.DEVNULL, check=False)
    left = _mounted_below(folder)
    if left:
        raise Refusal(f"{left[0]} is still mounted, left by a start that was killed. As root: umount {left[0]}")


def _mounted_below(folder: Path) -> list[Path]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [Path(line.split()[4].encode().decode("unicode_escape")) for line in lines]
    return [point for point in reversed(points) if point.is_relative_to(folder)]


def module_environment() -> dict[str, str]:
    """The environment in which `python -m scripts.runtime.…` finds itself."""
    return {**os.environ, "PYTHONPATH": str(REPO)}


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Keep a folder from being pruned while something runs from it; it may be another's, to read only."""
    with (folder / WHOLE).open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        yield


def pruned(parent: Path, prefix: str, *, kept: int = KEPT) -> None:
    """Delete all but the most recently used of a kind, sparing those in use."""
    found = [each for each in parent.glob(f"{prefix}*") if (each / WHOLE).exists()]
    found.sort(key=lambda each: (each / WHOLE).stat().st_mtime, reverse=True)
    for old in found[kept:]:
        with (old / WHOLE).open("a") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            say(f"removing {old.name}, which nothing uses any more")
            removed(old)
