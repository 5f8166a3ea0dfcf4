"""Knows the store's folder again: an empty mount point must never pass for a store that has lost everything.

The folder carries a mark, `.readingroom`, and the data folder remembers it. A folder without it, where one was before,
is a share that is not mounted.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from readingroom.errors import StorageUnavailable

MARK = ".readingroom"
REMEMBERED = "imaging-folder.json"


class Mounted:
    """Whether the folder is the one it was; `data` is None where nothing is remembered (a folder for a while)."""

    def __init__(self, base: Path, data: Path | None) -> None:
        self._base = base
        self._data = data
        self._known = ""

    def see(self) -> None:
        """Raises StorageUnavailable when the folder is not there or is not the one it was; OSError as it comes."""
        if self._data is not None and self._is_ours(self._data):
            self._base.mkdir(mode=0o750, exist_ok=True)
            return
        if not self._base.is_dir():
            raise StorageUnavailable("The folder where pictures are stored is not there; is its share mounted?")
        if self._data is None:
            return
        mark, known = _read(self._base / MARK), self._known or self._remembered(self._data)
        if not known:
            mark = mark or _kept(self._base / MARK, secrets.token_hex(16))
            remembered = json.dumps({"folder": str(self._base), "mark": mark})
            _replaced(self._data / REMEMBERED, remembered)
        elif mark != known:
            raise StorageUnavailable(
                "The folder where pictures are stored is not the one it was; is its share mounted? "
                f"Where it was changed on purpose, remove {REMEMBERED} from the data folder."
            )
        self._known = mark

    def _is_ours(self, data: Path) -> bool:
        """Whether it is a plain folder in the data folder, and always was: it comes and goes with that."""
        inside = self._base.is_relative_to(data) and not (self._base.is_symlink() or self._base.is_mount())
        return inside and not (self._known or self._remembered(data))

    def _remembered(self, data: Path) -> str:
        try:
            told = json.loads(_read(data / REMEMBERED) or "{}")
            return str(told["mark"]) if told["folder"] == str(self._base) else ""
        except (ValueError, KeyError, TypeError):
            return ""


def _read(place: Path) -> str:
    try:
        return place.read_text().strip()
    except FileNotFoundError:
        return ""


def _kept(place: Path, text: str) -> str:
    """The text, or what another process wrote there first."""
    beside = _beside(place, text)
    try:
        with suppress(FileExistsError):
            os.link(beside, place)
    except OSError:  # no hard links here: of two that start at once, the later wins and the earlier sees it
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
    return _read(place)


def _replaced(place: Path, text: str) -> None:
    _beside(place, text).replace(place)


def _beside(place: Path, text: str) -> Path:
    beside = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    with beside.open("x") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return beside
