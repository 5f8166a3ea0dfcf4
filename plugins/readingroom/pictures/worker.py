"""A process that looks at pictures and makes their variants: `… worker PIXELS PAGES SECONDS`, the last for each.

Its standard input is a socket, and files come open through it: it needs no path, no secret and no network. It has a
bounded memory, may write what a variant takes and no more, and is ended by the kernel when one picture takes too long.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
import sys
from contextlib import suppress

from readingroom.confined.process import serve
from readingroom.errors import BrokenPicture, PicturesUnavailable, ReadingRoomError
from readingroom.pictures import line
from readingroom.pictures.limits import Data, Limits
from readingroom.pictures.looking import look
from readingroom.pictures.rendering import render

WRITTEN = 64 << 20
"""Bytes of one variant; most have a tenth of a million."""

BYTES_BASE = 512 << 20
BYTES_A_PIXEL = 12
"""Of address space: 0.2 GB are libraries. Four bytes a pixel, as decoded, as converted, and what a decoder needs."""


def memory(pixels: int) -> int:
    """Bytes of address space for pictures of so many pixels."""
    return BYTES_BASE + BYTES_A_PIXEL * pixels


def answer(socket_: socket.socket, limits: Limits) -> None:
    """Answer one question."""
    asked, files, _, _ = socket.recv_fds(socket_, line.QUESTION.size, 3)
    try:
        kind, said = _answered(asked, files, limits)
    except ReadingRoomError as error:
        detail = json.dumps(error.detail) if error.detail is not None else ""
        kind, said = line.REFUSED, "\0".join((error.code, error.message, detail)).encode()
    finally:
        for file in files:
            os.close(file)
    socket_.sendall(line.ANSWER.pack(kind, len(said)) + said)


def _answered(asked: bytes, files: list[int], limits: Limits) -> tuple[bytes, bytes]:
    data = _mapped(files[0])
    try:
        looked = look(data, limits)
        kind = looked.kind
        about = line.KIND.pack(kind.mime.encode(), kind.width, kind.height, kind.pages, kind.bits)
        if asked == line.LOOK:
            return line.LOOKED, about
        painted = render(data, looked)
    finally:
        if isinstance(data, mmap.mmap):
            with suppress(BufferError):  # something that failed still looks at it; it goes with that
                data.close()
    try:
        for file, written in ((files[1], painted.thumb), (files[2], painted.web)):
            with open(file, "wb", closefd=False) as out:
                out.write(written)
    except OSError as error:
        raise PicturesUnavailable(f"The variants cannot be written: {error.strerror}.") from None
    return line.MADE, about + line.SIZES.pack(painted.width, painted.height)


def _mapped(file: int) -> Data:
    if os.fstat(file).st_size == 0:
        return b""
    try:
        return mmap.mmap(file, 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError, MemoryError):
        raise BrokenPicture("The file cannot be read.") from None


def main(argv: list[str]) -> None:
    """Serve until the parent is gone."""
    limits = Limits(int(argv[0]), int(argv[1]))
    seconds = int(argv[2])
    serve(
        lambda line_: answer(line_, limits),
        memory=memory(limits.pixels),
        seconds=seconds,
        clock=line.CLOCK * seconds,
        written=WRITTEN,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
