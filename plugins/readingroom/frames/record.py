"""The record format of a frame stream, byte by byte: what one frame, an error and the end look like.

A stream is records one behind the other, little endian, a head of 20 bytes before each payload:

     0  magic     "RRF1"
     4  index     u32  place of the frame in the display order; 0xFFFFFFFF: the end
     8  encoding  u8   see ENCODINGS; 255: an error
     9  flags     u8   bit 0: the last record
    10  status    u16  200; 404, 422, 503 of an error
    12  length    u32  of the payload
    16  crc32     u32  of the payload (ISO 3309, as in zip)
    20  payload        the frame, or an error as JSON {"error", "message"}

A stream that ends before its last record was cut.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from readingroom.zipstream import crc32

MAGIC: Final = b"RRF1"

HEAD: Final = struct.Struct("<4sIBBHII")
"""Magic, index, encoding, flags, status, length, crc32."""

ENCODINGS: Final = {"raw": 0, "jpeg": 1, "jpegll": 2, "jpls": 3, "jp2": 4, "htj2k": 5, "rle": 6}
"""By the names that a manifest and a request have for them."""

ERROR: Final = 255
LAST: Final = 1
NOBODY: Final = 0xFFFFFFFF
"""The index of the last record."""

LARGEST: Final = 1 << 30
"""Bytes of a payload; what claims more is no frame of ours."""

MIME: Final = "application/x-readingroom-frames"


def head(index: int, encoding: str, length: int, crc: int) -> bytes:
    """The 20 bytes before a frame."""
    return HEAD.pack(MAGIC, index, ENCODINGS[encoding], 0, 200, length, crc)


def error(index: int, status: int, code: str, message: str) -> bytes:
    """A whole record in a frame's place: it cannot be had, and why."""
    payload = json.dumps({"error": code, "message": message}).encode()
    return HEAD.pack(MAGIC, index, ERROR, 0, status, len(payload), crc32(payload, 0)) + payload


END: Final = HEAD.pack(MAGIC, NOBODY, 0, LAST, 200, 0, 0)
"""The last record of a stream."""


class Broken(ValueError):
    """This is no frame stream, it was cut, or a frame was damaged on its way."""


class Record(NamedTuple):
    """One record as it was read; `encoding` is a name of ENCODINGS, or "error"."""

    frame: int  # index, in the display order
    encoding: str
    status: int
    payload: bytes


def read(take: Callable[[int], bytes]) -> Iterator[Record]:
    """The records of a stream, without the last one; `take(n)` gives the next n bytes, fewer where it ends.

    Raises Broken where the stream is none, was cut, or a checksum does not fit.
    """
    names = {number: name for name, number in ENCODINGS.items()} | {ERROR: "error"}
    while True:
        found = take(HEAD.size)
        if len(found) < HEAD.size:
            raise Broken("the stream was cut")
        magic, index, encoding, flags, status, length, crc = HEAD.unpack(found)
        if magic != MAGIC or encoding not in names or length > LARGEST:
            raise Broken("this is no frame stream")
        if flags & LAST:
            return
        payload = take(length)
        if len(payload) < length:
            raise Broken("the stream was cut")
        if crc32(payload, 0) != crc:
            raise Broken(f"frame {index} was damaged on its way")
        yield Record(index, names[encoding], status, payload)
