"""A process that makes small pictures: `python -m readingroom.thumbnails.process`, its standard input a socket.

It lives as long as its parent keeps the socket. Files come from strangers, and decoders are written in C: so it has a
bounded memory, cannot write a file, and is ended by the kernel when one picture takes too long.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Buffer
from typing import BinaryIO, cast

from readingroom.confined import receive
from readingroom.confined.process import serve
from readingroom.thumbnails import line, rendering

MEMORY = 2 << 30
"""Bytes of address space. The largest mammogram takes 0.5 GB, numpy and the decoders 0.4 before that."""

SECONDS = 30
"""For one picture; most take less than 0.1."""

BUFFER = 256 << 10


class Asked(io.RawIOBase):
    """The file, whose bytes the parent gives."""

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
        wanted = min(len(target), self._size - self._at, line.LARGEST_READ)
        if wanted <= 0:
            return 0
        self._socket.sendall(line.ANSWER.pack(line.READ, self._at, wanted))
        (given,) = line.GIVEN.unpack(receive(self._socket, line.GIVEN.size))
        if given != wanted:
            raise OSError("the file cannot be read")
        target[:wanted] = receive(self._socket, wanted)
        self._at += wanted
        return wanted


def answer(socket_: socket.socket) -> None:
    """Make one picture."""
    (size,) = line.FILE.unpack(receive(socket_, line.FILE.size))
    try:
        picture = rendering.render(cast(BinaryIO, io.BufferedReader(Asked(socket_, size), BUFFER)))
        if len(picture) > line.LARGEST_PICTURE:
            raise rendering.NoPicture("too large")
        kind, said = line.PICTURE, picture
    except rendering.NoPicture as error:
        kind, said = line.NOTHING, str(error)[:200].encode()
    except MemoryError:
        kind, said = line.NOTHING, b"too large"
    socket_.sendall(line.ANSWER.pack(kind, 0, len(said)) + said)


if __name__ == "__main__":
    serve(answer, memory=MEMORY, seconds=SECONDS)
