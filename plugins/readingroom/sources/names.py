"""Keeps paths inside a source, and makes any file name fit for a report or a table.

Inside this package a path is a `str` relative to the source, parts parted by `/`. A name whose bytes
are not UTF-8 is carried in Python's `surrogateescape` form, so that it opens the file it came from.
"""

from __future__ import annotations

import re
import unicodedata

from readingroom.errors import SourceNotFound

_SURROGATE_BYTES = range(0xDC80, 0xDD00)
# Of bytes only those from 0x80 on are ever written so: the others are UTF-8, and a surrogate for them opens no file.
_WRITTEN = re.compile(r"\\(?:x([89a-f][0-9a-f])|u([0-9a-f]{4})|(\\))")


def inside(path: str) -> str:
    """The path in its one spelling (no empty or `.` part); "" is the source itself.

    Raises SourceNotFound for a path that is absolute, climbs (`..`) or holds a NUL: nothing of
    that name can be in the source.
    """
    if path.startswith("/") or "\0" in path:
        raise SourceNotFound("That is not a path inside the source", path=printable(path))
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise SourceNotFound("A path inside a source cannot climb out of it", path=printable(path))
    return "/".join(parts)


def join(folder: str, name: str) -> str:
    """The path of `name` in `folder`; "" is the source itself."""
    return f"{folder}/{name}" if folder else name


def is_plain(name: str) -> bool:
    """Whether a server's name for one entry is really one name: a hostile one could answer `../x`."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def printable(path: str) -> str:
    """The path as text that can be shown, logged and stored in any table.

    Bytes that are no UTF-8 become `\\xNN`, control and other unprintable characters `\\uNNNN`, a
    backslash is doubled: two different paths never look the same. `from_printable` undoes it.
    """
    if path.isprintable() and "\\" not in path:
        return path
    return "".join(_shown(character) for character in path)


def from_printable(text: str) -> str:
    """The path that `printable` made this text of; what it never writes stays as it is."""
    return _WRITTEN.sub(_unwritten, text)


def _shown(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if code in _SURROGATE_BYTES:
        return f"\\x{code - 0xDC00:02x}"
    # Everything unprintable outside the basic plane is unassigned or private: it harms no terminal.
    if code <= 0xFFFF and (unicodedata.category(character)[0] == "C" or not character.isprintable()):
        return f"\\u{code:04x}"
    return character


def _unwritten(match: re.Match[str]) -> str:
    byte, code, _ = match.groups()
    if byte:
        return chr(0xDC00 + int(byte, 16))
    return chr(int(code, 16)) if code else "\\"
