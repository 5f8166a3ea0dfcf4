"""A process that makes small pictures: `python -m readingroom.thumbnails.process`, its standard input a socket.

It lives as long as its parent keeps the socket. Files come from strangers, and decoders are written in C: so it has a
bounded memory, cannot write a file, and is ended by the kernel when one picture takes too long.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import socket
from collections.abc import Buffer
from typing import BinaryIO, cast

from readingroom.thumbnails import line, rendering

MEMORY = 2 << 30
"""Bytes of address space. The largest mammogram takes 0.5 GB, numpy and the decoders 0.4 before that."""

SECONDS = 30
"""For one picture; most take less than 0.1."""

FILES_OPEN = 64
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
        (given,) = line.GIVEN.unpack(line.receive(self._socket, line.GIVEN.size))
        if given != wanted:
            raise OSError("the file cannot be read")
        target[:wanted] = line.receive(self._socket, wanted)
        self._at += wanted
        return wanted


def answer(socket_: socket.socket, size: int) -> None:
    """Make one picture."""
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


def confine() -> None:
    """Take away what a picture does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_OPEN, FILES_OPEN))
    os.nice(5)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})  # Orthanc's threads hand their mask on


def main() -> None:
    """Serve until the parent is gone."""
    socket_ = socket.socket(fileno=os.dup(0))
    # Whatever reads or prints must not get between the messages.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    confine()
    try:
        while True:
            (size,) = line.FILE.unpack(line.receive(socket_, line.FILE.size))
            signal.alarm(SECONDS)  # nobody catches it: decoders do not come back to Python to be asked
            answer(socket_, size)
            signal.alarm(0)
    except (EOFError, OSError):
        os._exit(0)


if __name__ == "__main__":
    main()
