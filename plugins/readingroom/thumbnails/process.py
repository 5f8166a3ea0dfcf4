"""A process that makes small pictures: `python -m readingroom.thumbnails.process`, its standard input a socket.

It lives as long as its parent keeps the socket. Files come from strangers, and decoders are written in C: so it has a
bounded memory, cannot write a file, and is ended by the kernel when one picture takes too long.
"""

from __future__ import annotations

import io
import socket
from typing import BinaryIO, cast

from readingroom.confined import handed, receive
from readingroom.confined.process import serve
from readingroom.thumbnails import line, rendering

MEMORY = 2 << 30
"""Bytes of address space. The largest mammogram takes 0.5 GB, numpy and the decoders 0.4 before that."""

SECONDS = 30
"""For one picture; most take less than 0.1."""

BUFFER = 256 << 10


def answer(socket_: socket.socket) -> None:
    """Make one picture."""
    (size,) = handed.SIZE.unpack(receive(socket_, handed.SIZE.size))
    try:
        picture = rendering.render(cast(BinaryIO, io.BufferedReader(handed.Asked(socket_, size), BUFFER)))
        if len(picture) > line.LARGEST_PICTURE:
            raise rendering.NoPicture("too large")
        kind, said = line.PICTURE, picture
    except rendering.NoPicture as error:
        kind, said = line.NOTHING, str(error)[:200].encode()
    except MemoryError:
        kind, said = line.NOTHING, b"too large"
    handed.say(socket_, kind, said)


if __name__ == "__main__":
    serve(answer, memory=MEMORY, seconds=SECONDS)
