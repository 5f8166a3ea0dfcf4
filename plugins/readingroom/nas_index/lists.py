"""Reads ready-made lists of files, one path a line, as PowerShell, robocopy, find and people really write them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from readingroom.errors import SourceNotFound
from readingroom.nas_index.path_map import is_windows

SNIFFED = 4096
"""Bytes that tell the encoding: enough for several paths."""

CHUNK = 1 << 16
MAX_LINE = 1 << 16
"""Characters of a line that are looked at; the longest path of Windows has 32,767."""

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_PERCENT = re.compile(r"^\s*\d{1,3}([.,]\d+)?\s*%\s*")
_NOISE = re.compile(
    r"^([-\s]{3,}|={3,}|FullName|Fullname|Name|Path|Mode\s+LastWriteTime.*|d[arhsl-]{4,5}\s+\d.*|At \S+:\d+ char:\d+"
    r"|\s*\+ .*|\s*ROBOCOPY\s+::.*|\s*Total\s+Copied\s+Skipped.*|\s+[^\\:]+:\s.*)$"
)
"""Headings, folders, banners, and labels before a colon: `    Directory: `, `   Quelle : `, `     Dest : `."""

_PROPERTY = re.compile(r"^FullName\s*:\s+")  # as Format-List writes it
_TABLE = re.compile(r"^[la-][arhsl-]{4,5}\s+\d.*?\s\d+\s(?P<name>\S.*)$")
_DENIED = re.compile(r"^Get-ChildItem\s?:.*'(?P<path>(\\\\|[A-Za-z]:\\).*)'")

_BANNER = re.compile(r"^\s*ROBOCOPY\s+::")
_ROBOCOPY_ERROR = re.compile(r"\s(\d+) \(0x[0-9A-Fa-f]{8}\) (?P<doing>\D+?)(?P<path>(\\\\|[A-Za-z]:\\).*)$")
"""The word before the number is Windows' own: ERROR, FEHLER, ERREUR."""
_ROBOCOPY_CLASS = re.compile(
    r"^\s*\*?(New File|New Dir|EXTRA File|EXTRA Dir|same|Older|Newer|Changed|Tweaked|lonely|Modified|MISMATCH)\b"
)
_SIZE = re.compile(r"(^|\s)\d+([.,]\d+)?( [kmgt])?$")

USELESS = "this line has no full path"
SHORTENED = "this path was cut to the width of a window"
UNUSABLE = frozenset({USELESS, SHORTENED})
"""Reasons why a line names no file that could be opened."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A folder that the lister itself could not read, `reason` being its own word; or a line that says too little."""

    path: str
    reason: str
    why: Literal["forbidden", "name"] = "forbidden"


def read_list(place: Path) -> Iterator[str | Unlisted]:
    """Every path of a list, streamed, as it stands there (see `path_map`); raises SourceNotFound.

    Takes UTF-8 and UTF-16 with or without a byte order mark, any line ends, quotes, the heading of a column as
    `Select-Object` writes it, and what robocopy prints in any language: class, size, percentages, folders (those end
    in a backslash), errors.
    """
    of_robocopy = False
    try:
        with place.open("rb") as file:
            for line in _lines(file):
                of_robocopy = of_robocopy or is_of_robocopy(line)
                found = parse_line(line)
                # What else stands in its log are sentences: "Zugriff verweigert".
                if found and not (of_robocopy and isinstance(found, str) and not is_windows(found)):
                    yield found
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise SourceNotFound(
            f"The list {place} cannot be read: {error.strerror}",
            suggestion="Make it by one of scripts/windows/*.ps1, or by `find FOLDER -type f > nas_dicom_files.txt`.",
        ) from error


def is_of_robocopy(line: str) -> bool:
    """Whether only robocopy writes such a line."""
    return bool(_BANNER.match(line) or _ROBOCOPY_ERROR.search(line)) or (
        "\t" in line and not line.startswith("/") and _of_robocopy(line) is not None
    )


def parse_line(line: str) -> str | Unlisted | None:
    """The file that a line names; None for what is no file: headings, folders, percentages, totals."""
    line = line[:MAX_LINE].strip("\r\n\0\ufeff")
    if not line or line.isspace():
        return None
    if line.startswith("/"):  # of Unix: anything may be in its name, tabs and blanks at its end too
        return None if line.endswith("/") else line
    error = _ROBOCOPY_ERROR.search(line)
    if error:
        return Unlisted(error["path"].rstrip("\\"), f"robocopy: error {error[1]} {error['doing'].strip().lower()}")
    while _PERCENT.match(line):
        line = _PERCENT.sub("", line)
    if "\t" in line:
        return _of_robocopy(line)
    denied = _DENIED.match(line)
    if denied:
        return Unlisted(denied["path"], "Get-ChildItem: access denied")
    if _NOISE.match(line):
        return None
    line = _PROPERTY.sub("", line).strip()
    if len(line) > 1 and line[0] == line[-1] == '"':
        line = line[1:-1].replace('""', '"')
    if not line or _NOISE.match(line) or line.endswith(("\\", "/")) or _ROBOCOPY_CLASS.match(line):
        return None
    row = _TABLE.match(line)
    if row:
        return Unlisted(row["name"], USELESS, "name")
    return _whole(line)


def _whole(path: str) -> str | Unlisted:
    """The path, unless a table cut it: no name on Windows ends in a dot."""
    if is_windows(path) and path.endswith(("...", "\N{HORIZONTAL ELLIPSIS}")):
        return Unlisted(path, SHORTENED, "name")
    return path


def _of_robocopy(line: str) -> str | Unlisted | None:
    """A file line of robocopy: class, size and full path, parted by tabs, which no Windows name can hold."""
    *before, path = line.split("\t")
    path = path.strip()
    said = " ".join(before).strip()
    # Classes with an asterisk, in any language, are files of the destination: "*EXTRA File", "*Fichier SUPPL.".
    if not path or path.endswith("\\") or said.startswith("*"):
        return None
    if is_windows(path):
        return path
    return Unlisted(path, USELESS, "name") if _SIZE.search(said) else None


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines of a file in whatever encoding, never more than one chunk of it in memory."""
    head = file.read(SNIFFED)
    encoding, skip = _encoding(head)
    file.seek(skip)
    if encoding:
        yield from _decoded(file, encoding)
        return
    left = b""
    while chunk := file.read(CHUNK):
        *whole, left = (left + chunk).replace(b"\r", b"\n").split(b"\n")
        yield from map(_eight_bit, whole)
        if len(left) > MAX_LINE * 4:
            left = b""  # no list of paths
    yield _eight_bit(left)


def _decoded(file: BinaryIO, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    left = ""
    while True:
        chunk = file.read(CHUNK)
        *whole, left = (left + decoder.decode(chunk, final=not chunk)).replace("\r", "\n").split("\n")
        yield from whole
        if not chunk:
            yield left
            return
        if len(left) > MAX_LINE * 4:
            left = ""


def _encoding(head: bytes) -> tuple[str, int]:
    """Encoding and length of its mark; "" for one of eight bits, which is decided line by line."""
    for mark, name in _UTF16.items():
        if head.startswith(mark):
            return name, len(mark)
    if head.startswith(codecs.BOM_UTF8):
        return "", len(codecs.BOM_UTF8)
    # Every other byte of a path in UTF-16 without a mark is nought, but for names beyond Latin.
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if odd or even:
        return ("utf-16-le" if odd >= even else "utf-16-be"), 0
    return "", 0


def _eight_bit(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        windows = b"\\" in line[:3] or b"\\\\" in line or line[1:3] == b":\\"
        # `-Encoding Default` of PowerShell 5 is the ANSI code page; a name of Unix is kept byte for byte.
        return line.decode("cp1252", "replace") if windows else line.decode("utf-8", "surrogateescape")
