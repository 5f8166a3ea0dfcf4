"""Names that every system can unpack: no way out of the folder, no device, no two that become one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from readingroom.zipstream.limits import MAX_NAME_BYTES

UNNAMED = "unnamed"
"""The name of a file of which nothing safe is left."""

MAX_PART_BYTES = 255
"""The longest file or folder name that ext4, NTFS and APFS all take."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\]')
# Windows device names, with any extension; the superscript digits count too (Microsoft, "Naming Files, Paths,
# and Namespaces").
_DEVICES = "con|prn|aux|nul|conin\\$|conout\\$|(?:com|lpt)[0-9¹²³]"
_DEVICE = re.compile(rf"(?:{_DEVICES})(?=[. ]|$)", re.IGNORECASE)
_DEVICE_IN_LIST = re.compile(rf"[\n/](?:{_DEVICES})(?=[. /\n])")
_DEVICE_STARTS = tuple(mark + start for mark in "\n/" for start in ("con", "prn", "aux", "nul", "com", "lpt"))
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$")
# Format characters (bidirectional overrides among them) make a name look like another one.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def safe_names(raw: Sequence[str]) -> list[str]:
    """The names as they go into a zip, in the same order, each safe and no two alike.

    Two names are alike when a system that ignores case or Unicode composition could not keep them apart, or
    when one would be a file where the other needs a folder. The first keeps its name, later ones get " (2)",
    " (3)" … before the extension. The same input always gives the same output.
    """
    safe = list(raw) if _all_plain(raw) else [safe_name(name) for name in raw]
    return _made_unique(safe)


def safe_name(raw: str) -> str:
    """One relative path with slashes, made safe to unpack on Linux, macOS and Windows.

    Empty, `.` and `..` parts go; control, hidden and forbidden characters become `_`; devices (`CON`,
    `nul.txt`) get a `_` in front; trailing dots and spaces go; parts past 255 bytes are cut before their
    extension.
    """
    parts = [_safe_part(part) for part in raw.split("/") if part not in ("", ".", "..")]
    while len(parts) > 1 and sum(len(part.encode()) + 1 for part in parts) > MAX_NAME_BYTES:
        del parts[0]
    return "/".join(parts) or UNNAMED


def _safe_part(part: str) -> str:
    part = _FORBIDDEN.sub("_", part)
    if not part.isascii():
        part = "".join("_" if unicodedata.category(c) in _HIDDEN_CATEGORIES else c for c in part)
    part = part.rstrip(". ") or "_"
    if _DEVICE.match(part):
        part = f"_{part}"
    return _cut(part, MAX_PART_BYTES)


def _cut(part: str, most: int) -> str:
    if len(part.encode()) <= most:
        return part
    stem, suffix = _split(part)
    return stem.encode()[: most - len(suffix)].decode(errors="ignore").rstrip(". ") + suffix


def _split(part: str) -> tuple[str, str]:
    found = _SUFFIX.search(part)
    # A name that is all extension (".dcm") has none.
    return (part[: found.start()], found[0]) if found and found.start() else (part, "")


def _all_plain(raw: Sequence[str]) -> bool:
    """Whether nothing needs changing; looks at them as one text, for a download may have 30,000."""
    text = "\n" + "\n".join(raw) + "\n"
    if text.count("\n") != len(raw) + 1 or not text.replace("\n", "").isprintable():
        return False
    if any(c in text for c in '<>:"|?*\\'):
        return False
    # An empty part, or one that ends in a dot or space (`.` and `..` end in a dot).
    if any(found in text for found in ("//", "\n/", "/\n", "\n\n", "./", ".\n", " /", " \n")):
        return False
    lower = text.lower()
    if any(start in lower for start in _DEVICE_STARTS) and _DEVICE_IN_LIST.search(lower):
        return False
    return max(map(len, raw), default=0) * (1 if text.isascii() else 4) <= MAX_PART_BYTES


def _key(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _made_unique(names: list[str]) -> list[str]:
    if not names:
        return []
    keys = _key("\n".join(names)).split("\n")
    folders = _folders(keys)
    if len(set(keys)) == len(keys) and folders.isdisjoint(keys):
        return names
    taken = folders | set(keys)
    kept: set[str] = set(folders)
    unique = []
    for name, key in zip(names, keys, strict=True):
        if key in kept:
            name, key = _other(name, taken)  # noqa: PLW2901
            taken.add(key)
        kept.add(key)
        unique.append(name)
    return unique


def _folders(keys: list[str]) -> set[str]:
    found: set[str] = set()
    for folder in {key.rpartition("/")[0] for key in keys if "/" in key}:
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]  # noqa: PLW2901
    return found


def _other(name: str, taken: set[str]) -> tuple[str, str]:
    folder, slash, last = name.rpartition("/")
    stem, suffix = _split(last)
    number = 2
    while True:
        mark = f" ({number})"
        other = f"{folder}{slash}{_cut(stem, MAX_PART_BYTES - len(mark) - len(suffix))}{mark}{suffix}"
        key = _key(other)
        if key not in taken:
            return other, key
        number += 1
