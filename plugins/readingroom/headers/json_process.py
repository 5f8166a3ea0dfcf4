"""A process that writes headers as DICOM JSON: `python -m readingroom.headers.json_process`, standard input a socket.

Files come from strangers, and pydicom follows whatever stands in them: so it has a bounded memory and time.
"""

from __future__ import annotations

import io
import json
import socket
from typing import Any, Final

from pydicom import DataElement, Dataset, config, dcmread

from readingroom.confined import receive
from readingroom.confined.process import serve
from readingroom.headers.json_line import LARGEST_ANSWER, LENGTH

MEMORY: Final = 1 << 30
SECONDS: Final = 20

SHORT: Final = 4096
"""Bytes of a binary value that stand in the JSON; longer ones are left out."""

AVAILABLE_SYNTAX: Final = "00083002"
"""AvailableTransferSyntaxUID: the file's own (PS3.18 section 10.4.1.3)."""


def as_json(header: bytes) -> bytes:
    """The DICOM JSON model (PS3.18 annex F) of a file's header: an array of one. Raises what pydicom raises."""
    config.settings.reading_validation_mode = config.IGNORE
    read = dcmread(io.BytesIO(header), stop_before_pixels=True, force=True)
    told = {f"{each.tag:08X}": value for each in read if (value := _value(each)) is not None}
    syntax = read.file_meta.get("TransferSyntaxUID") if hasattr(read, "file_meta") else None
    if syntax:
        told[AVAILABLE_SYNTAX] = {"vr": "UI", "Value": [str(syntax)]}
    return json.dumps([dict(sorted(told.items()))], ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _value(element: DataElement) -> dict[str, Any] | None:
    """One element; None for what is left out: group lengths, long binary values, what cannot be written."""
    if element.tag.element == 0 or element.tag.group == 0x7FE0:
        return None
    if isinstance(element.value, bytes) and len(element.value) > SHORT:
        return None
    alone = Dataset()
    alone.add(element)
    try:
        found: dict[str, Any] | None = alone.to_json_dict(suppress_invalid_tags=True).get(f"{element.tag:08X}")
        json.dumps(found, allow_nan=False)
    except (ValueError, TypeError, AttributeError, KeyError, UnicodeError):
        return None
    return found


def answer(line: socket.socket) -> None:
    """Write one header."""
    (length,) = LENGTH.unpack(receive(line, LENGTH.size))
    header = receive(line, length)
    try:
        said = as_json(header)
    except (Exception, RecursionError):  # a malformed file makes pydicom raise whatever Python has
        said = b""
    if not said or len(said) > LARGEST_ANSWER:
        line.sendall(LENGTH.pack(-1))
    else:
        line.sendall(LENGTH.pack(len(said)) + said)


if __name__ == "__main__":
    serve(answer, memory=MEMORY, seconds=SECONDS)
