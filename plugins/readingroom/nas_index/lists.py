"""Reads ready-made lists of files, one path a line, as PowerShell, robocopy, find and people really write them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

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
    r"^(-{3,}|={3,}|FullName|Fullname|Name|Path|Mode\s+LastWriteTime.*|Directory: .*|\s*ROBOCOPY\s+::.*"
    r"|\s*(Started|Ended|Source|Dest|Files|Dirs|Bytes|Times|Speed|Options|Exc Files|Exc Dirs|Total)\s*:.*"
    r"|\s*Total\s+Copied\s+Skipped.*|\s*(Source|Dest)\s+[:=].*)$"
)
_ROBOCOPY_ERROR = re.compile(r"ERROR (\d+) \(0x[0-9A-Fa-f]{8}\) (?P<doing>\D+?)(?P<path>(\\\\|[A-Za-z]:\\).*)$")
_ROBOCOPY_CLASS = re.compile(
    r"^\s*\*?(New File|New Dir|EXTRA File|EXTRA Dir|same|Older|Newer|Changed|Tweaked|lonely|Modified|MISMATCH)\b"
)


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A folder that the lister itself could not read; `reason` is its own word."""

    path: str
    reason: str


def read_list(place: Path) -> Iterator[str | Unlisted]:
    """Every path of a list, streamed, as it stands there (see `path_map`); raises SourceNotFound.

    Takes UTF-8 and UTF-16 with or without a byte order mark, any line ends, quotes, the heading of a column as
    `Select-Object` writes it, and what robocopy prints: class, size, percentages, folders (those end in a backslash).
    """
    try:
        with place.open("rb") as file:
            for line in _lines(file):
                found = parse_line(line)
                if found:
                    yield found
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise SourceNotFound(
            f"The list {place} cannot be read: {error.strerror}",
            suggestion="Make it by one of scripts/windows/*.ps1, or by `find FOLDER -type f > nas_dicom_files.txt`.",
        ) from error


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
    line = line.strip()
    if len(line) > 1 and line[0] == line[-1] == '"':
        line = line[1:-1].replace('""', '"')
    if not line or _NOISE.match(line) or line.endswith(("\\", "/")) or _ROBOCOPY_CLASS.match(line):
        return None
    return line


def _of_robocopy(line: str) -> str | None:
    """A file line of robocopy: class, size and full path, parted by tabs, which no Windows name can hold."""
    *before, path = line.split("\t")
    path = path.strip()
    if not is_windows(path) or path.endswith("\\"):
        return None
    said = " ".join(before).strip()
    # "Extra" files are at the destination, not at the source.
    return None if said.startswith("*EXTRA") else path


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
