"""A file that a confined process sees piece by piece: it asks for bytes, its parent gives them, or says that it cannot.

Nothing that comes from the process is more than bytes and numbers: it may have been taken over by a file.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import time
from collections.abc import Buffer, Callable
from typing import Final

from readingroom.confined.line import receive
from readingroom.confined.pool import Worker

SIZE: Final = struct.Struct("<Q")
"""Begins a question: the length of the file."""

SAID: Final = struct.Struct("<cQQ")
"""Kind, and two numbers. READ offset length; any other kind is an answer: 0 length, and so many bytes."""

READ: Final = b"r"

GIVEN: Final = struct.Struct("<q")
"""How many bytes follow; -1: they cannot be had."""

LARGEST_READ: Final = 4 << 20

Read = Callable[[int, int], bytes]
"""Bytes of the file, by offset and length."""


class Overreach(Exception):
    """A process asked for more than there is or may be, or said more than it may."""


class Asked(io.RawIOBase):
    """The file, inside the process."""

    name = ""  # pydicom wants to know one

    def __init__(self, socket_: socket.socket, size: int) -> None:
        self._socket = socket_
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def tell(self) -> int:
        """Where the next bytes come from."""
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        """Some of the next bytes."""
        target = memoryview(buffer).cast("B")
        wanted = min(len(target), self._size - self._at, LARGEST_READ)
        if wanted <= 0:
            return 0
        self._socket.sendall(SAID.pack(READ, self._at, wanted))
        (given,) = GIVEN.unpack(receive(self._socket, GIVEN.size))
        if given != wanted:
            raise OSError("the file cannot be read")
        target[:wanted] = receive(self._socket, wanted)
        self._at += wanted
        return wanted


def say(socket_: socket.socket, kind: bytes, content: bytes | memoryview) -> None:
    """Answer, inside the process."""
    socket_.sendall(SAID.pack(kind, 0, len(content)))
    socket_.sendall(content)


def heard(worker: Worker, size: int, read: Read, until: float, *, in_all: int, largest: int) -> tuple[bytes, bytes]:
    """Give a process what it asks for of a file of that size, until it answers: kind and content.

    `until` is a time of `time.monotonic`; `in_all` bytes are read at most, and `largest` is the longest answer. Raises
    TimeoutError, EOFError or another OSError where the process ended, Overreach, and what `read` raises.
    """
    read_in_all = 0
    while True:
        worker.line.settimeout(max(until - time.monotonic(), 0.001))
        kind, offset, length = SAID.unpack(receive(worker.line, SAID.size))
        if kind != READ:
            if length > largest:
                raise Overreach
            return kind, receive(worker.line, length)
        read_in_all += length
        if not 0 < length <= LARGEST_READ or offset + length > size or read_in_all > in_all:
            raise Overreach
        data = read(offset, length)
        worker.line.sendall(GIVEN.pack(len(data)) + data)
