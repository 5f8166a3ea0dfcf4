"""Names of files as people sent them: cleaned for showing, and made honest for saving."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from readingroom.objects import ending_of

MAX_NAME = 200
"""Characters; no file system takes more than 255 bytes."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Control characters, and those that turn a line's direction or are not seen at all."""

_SAME = {"jpg": {"jpg", "jpeg", "jpe", "jfif"}, "tif": {"tif", "tiff"}, "heic": {"heic", "heif"}}


def shown_name(said: str | None) -> str:
    """The last part of what a client called its file, without anything that is not to be seen; "" for nothing.

    It is shown and offered for saving; no place of ours is named after it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", said or ""))[-1]
    seen = "".join(
        c if unicodedata.category(c) != "Zs" else " " for c in last if unicodedata.category(c) not in _HIDDEN
    )
    name = re.sub(r" +", " ", seen).strip(" .")
    if len(name) <= MAX_NAME:
        return name
    ending = PurePosixPath(name).suffix[:10]
    return name[: MAX_NAME - len(ending)] + ending


def saving_name(name: str, asset_id: int, mime_type: str) -> str:
    """The name under which a browser saves an original: its ending is that of what it holds, whatever it was called."""
    ending = ending_of(mime_type)
    if not name:
        return f"{asset_id}.{ending}"
    fits = PurePosixPath(name).suffix.lower().lstrip(".") in _SAME.get(ending, {ending})
    return name if fits else f"{name}.{ending}"
