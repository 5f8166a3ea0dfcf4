"""Names of files as people sent them: refused where they are paths, cleaned for showing, made honest for saving."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote

from readingroom.errors import BadFileName
from readingroom.objects import ending_of

MAX_BYTES = 255
"""Of UTF-8: the longest name that the file systems of Linux take."""

_NOT_OF_A_LINE = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters (NUL and ends of lines among them), halves of characters, ends of lines and of paragraphs."""

_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns a line's direction, so that exe.png is read where gnp.exe stands (Unicode, annex 9, 2.1 to 2.5)."""

_NOT_SEEN = {"Cf", "Co", "Cn"}
"""Characters without a picture of their own. Some scripts join letters by them: left out, and no reason to refuse."""

_PATH = re.compile(r"[/\\]|^.:")
_PATH_IN_HEADER = re.compile(r'/|\\(?!")')
"""Some clients quote a quotation mark by a backslash; most write every other backslash as it is, against RFC 9110."""

_SAME = {"jpg": {"jpg", "jpeg", "jpe", "jfif"}, "tif": {"tif", "tiff"}, "heic": {"heic", "heif"}}


def checked_name(said: str) -> str:
    """What a client called its file, cleaned; it is shown and offered for saving, and no place of ours has it.

    Raises BadFileName for a path, for characters that nobody should meet in a name, for nothing, for too much.
    What percent signs stand for counts too: browsers read them in the name that they save a file by.
    """
    if len(unicodedata.normalize("NFC", said).encode(errors="surrogatepass")) > MAX_BYTES:
        raise BadFileName(f"The name of this file has more than {MAX_BYTES} bytes. Shorten it, then send it again.")
    for read in _readings(said):
        if any(c in _TURNING or unicodedata.category(c) in _NOT_OF_A_LINE for c in read):
            raise BadFileName(
                "The name of this file holds characters that are not seen or turn its direction. "
                "Rename the file, then send it again."
            )
        name = _cleaned(read)
        if _PATH.search(name):
            raise _is_a_path()
        if not name:
            raise BadFileName("This file has no name. Give it one, such as bite.png, then send it again.")
    return _cleaned(said)


def name_in_header(disposition: str, read: str | None) -> str:
    """The checked name in a Content-Disposition, as `read` by a parser; "" where it says none.

    The header counts as well: parsers drop backslashes as quoting, and what stands behind a name that is not quoted.
    """
    if read is None and "filename" not in disposition.lower():
        return ""
    if _PATH_IN_HEADER.search(disposition):
        raise _is_a_path()
    if read is None:
        raise BadFileName("The name of this file cannot be read: its Content-Disposition is cut short or misspelt.")
    return checked_name(read)


def saving_name(name: str, asset_id: int, mime_type: str) -> str:
    """The name under which a browser saves an original: its ending is that of what it holds, whatever it was called."""
    ending = ending_of(mime_type)
    if not name:
        return f"{asset_id}.{ending}"
    fits = PurePosixPath(name).suffix.lower().lstrip(".") in _SAME.get(ending, {ending})
    return name if fits else f"{name}.{ending}"


def _is_a_path() -> BadFileName:
    return BadFileName(
        "The name of this file is a path. Send the name alone, such as bite.png: no folder, no drive, "
        "neither / nor \\ in it."
    )


def _readings(said: str) -> Iterator[str]:
    """As it is, and as it is shown with its percent signs read, until there are none to read."""
    yield said
    while (read := unquote(shown := _cleaned(said))) != shown:
        yield read
        said = read


def _cleaned(name: str) -> str:
    seen = (
        c if unicodedata.category(c) != "Zs" else " "
        for c in unicodedata.normalize("NFC", name)
        if unicodedata.category(c) not in _NOT_SEEN
    )  # fmt: skip
    return re.sub(r" +", " ", "".join(seen)).strip(" .")
