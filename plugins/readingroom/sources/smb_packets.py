"""What is asked of an SMB server about files, and what it answers: packed and read by hand ([MS-SMB2] 2.2).

smbprotocol's structures take 2 to 4 ms of processor time for opening and reading one file; these take some 20 µs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from readingroom.sources.entries import bounded_size

HEADER = struct.Struct("<4sHHIHHIIQIIQ16s")
"""[MS-SMB2] 2.2.1.2: protocol, 64, credit charge, status, command, credits, flags, next command, message id,
(process id), tree id, session id, signature."""

PROTOCOL = b"\xfeSMB"
CREATE, CLOSE, READ, QUERY_DIRECTORY, QUERY_INFO = 0x05, 0x06, 0x08, 0x0E, 0x10

FROM_SERVER, ASYNC, RELATED, SIGNED = 0x1, 0x2, 0x4, 0x8
"""Flags of a header."""

SAME_FILE = b"\xff" * 16
"""In a chain of requests: the file that the first of them opens."""

GENERIC_READ, READ_ATTRIBUTES = 0x80000000, 0x80
ANY_KIND, ONLY_FOLDER, ONLY_FILE = 0x0, 0x1, 0x40
FOLDER_ATTRIBUTE, REPARSE_ATTRIBUTE = 0x10, 0x400

_CREATE = struct.Struct("<HBBIQQIIIIIHHII")
_CREATED = struct.Struct("<24xQ16xQI4x16s")
"""Last write, size, attributes, file id."""
_CLOSE = struct.Struct("<HHI16s")
_READ = struct.Struct("<HBBIQ16sIIIHH")
_QUERY_DIRECTORY = struct.Struct("<HBBI16sHHI")
_QUERY_INFO = struct.Struct("<HBBIHHIII16s")
_BUFFER = struct.Struct("<2xHI")

_SHARED = 0x7  # reading, writing and deleting by others goes on
_OPEN_EXISTING, _IMPERSONATION = 1, 2
_FILE_ID_FULL_DIRECTORY, _FILE_INTERNAL = 38, 6
_KB64 = 65536


class Question(NamedTuple):
    """One request without its header; `charge` is what it costs in credits."""

    command: int
    body: bytes
    charge: int = 1


class Answer(NamedTuple):
    """One answer; `packet` is the whole message from its header on, where offsets in the body count from."""

    status: int
    packet: memoryview


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a file or folder told; times in units of 100 ns since 1601."""

    file_id: bytes
    size: int
    written: int
    attributes: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return bool(self.attributes & FOLDER_ATTRIBUTE)


def create(where: str, access: int = GENERIC_READ, kind: int = ANY_KIND) -> Question:
    """Open what is there (2.2.13)."""
    name = where.encode("utf-16-le", "surrogatepass")  # Windows allows halves of surrogate pairs in names
    head = _CREATE.pack(
        57, 0, 0, _IMPERSONATION, 0, 0, access, 0, _SHARED, _OPEN_EXISTING, kind, HEADER.size + 56, len(name), 0, 0
    )
    return Question(CREATE, head + (name or bytes(8)))


def close(file_id: bytes = SAME_FILE) -> Question:
    """Close it (2.2.15)."""
    return Question(CLOSE, _CLOSE.pack(24, 0, 0, file_id))


def read(offset: int, size: int, file_id: bytes = SAME_FILE) -> Question:
    """Read from it (2.2.19)."""
    body = _READ.pack(49, HEADER.size + 16, 0, size, offset, file_id, 0, 0, 0, 0, 0) + b"\0"
    return Question(READ, body, _charge(size))


def query_directory(size: int, restart: bool, file_id: bytes = SAME_FILE) -> Question:
    """List it, as FileIdFullDirectoryInformation (2.2.33)."""
    pattern = b"*\0"
    head = _QUERY_DIRECTORY.pack(
        33, _FILE_ID_FULL_DIRECTORY, int(restart), 0, file_id, HEADER.size + 32, len(pattern), size
    )
    return Question(QUERY_DIRECTORY, head + pattern, _charge(size))


def query_identity(file_id: bytes = SAME_FILE) -> Question:
    """Ask for its file id on the disk, FileInternalInformation (2.2.37)."""
    return Question(QUERY_INFO, _QUERY_INFO.pack(41, 1, _FILE_INTERNAL, 8, 0, 0, 0, 0, 0, file_id) + b"\0")


def opened(answer: Answer) -> Opened:
    """What a CREATE answered (2.2.14). Raises ValueError."""
    try:
        written, size, attributes, file_id = _CREATED.unpack_from(answer.packet, HEADER.size)
    except struct.error as error:
        raise ValueError("an answer that is too short") from error
    return Opened(file_id, bounded_size(size), written, attributes)


def buffer(answer: Answer) -> memoryview:
    """The bytes that a query answered (2.2.34, 2.2.38). Raises ValueError."""
    return _part(answer, *_fields(_BUFFER, answer))


def data(answer: Answer) -> memoryview:
    """The bytes that were read (2.2.20). Raises ValueError."""
    offset, size = _fields(_BUFFER, answer)
    return _part(answer, offset & 0xFF, size)


def _fields(layout: struct.Struct, answer: Answer) -> tuple[int, int]:
    try:
        offset, size = layout.unpack_from(answer.packet, HEADER.size)
    except struct.error as error:
        raise ValueError("an answer that is too short") from error
    return offset, size


def _part(answer: Answer, offset: int, size: int) -> memoryview:
    if size and (offset < HEADER.size or offset + size > len(answer.packet)):
        raise ValueError("an answer whose data lies outside of it")
    return answer.packet[offset : offset + size]


def _charge(size: int) -> int:
    return max(0, size - 1) // _KB64 + 1
