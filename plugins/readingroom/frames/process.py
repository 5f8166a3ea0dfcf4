"""A process that decodes and compresses frames: `python -m readingroom.frames.process`, its standard input a socket.

It lives as long as its parent keeps the socket. Files come from strangers, and decoders are written in C: so it has a
bounded memory, cannot write a file, and is ended by the kernel when one frame takes too long.
"""

from __future__ import annotations

import io
import json
import socket
from typing import BinaryIO, cast

from readingroom.confined import handed, receive
from readingroom.confined.process import serve
from readingroom.frames import line

MEMORY = 3 << 30
"""Bytes of address space. The largest mammogram takes 0.5 GB, numpy and the decoders 0.4 before that."""

SECONDS = 30
"""For one frame; most take less than 0.02."""

BUFFER = 64 << 10


def answer(socket_: socket.socket) -> None:
    """Make one frame."""
    kind, size, length = line.QUESTION.unpack(receive(socket_, line.QUESTION.size))
    about = receive(socket_, length)
    try:
        said = line.FRAME
        made = _decoded(socket_, size, about) if kind == line.DECODE else _encoded(receive(socket_, size), about)
    except MemoryError:
        said, made = line.NOTHING, b"too large"
    except _Not as error:
        said, made = line.NOTHING, str(error)[:200].encode()
    handed.say(socket_, said, made)


class _Not(Exception):
    pass


def _decoded(socket_: socket.socket, size: int, about: bytes) -> bytes:
    # pydicom takes a third of a second to load, and compressing needs none of it.
    from readingroom.frames.decoding import decode  # noqa: PLC0415
    from readingroom.thumbnails.rendering import NoPicture  # noqa: PLC0415

    try:
        return decode(cast(BinaryIO, io.BufferedReader(handed.Asked(socket_, size), BUFFER)), about)
    except NoPicture as error:
        raise _Not(str(error)) from None


def _encoded(pixels: bytes, about: bytes) -> bytes:
    """JPEG-LS, lossless (ISO/IEC 14495-1), of all bits that are there: decoding gives them back as they were."""
    import numpy as np  # noqa: PLC0415  # see above
    from imagecodecs import jpegls_encode  # noqa: PLC0415

    said = json.loads(about)
    kind = "<u2" if said["bits"] == 16 else "u1"
    return bytes(jpegls_encode(np.frombuffer(pixels, kind).reshape(said["rows"], said["columns"])))


if __name__ == "__main__":
    serve(answer, memory=MEMORY, seconds=SECONDS)
