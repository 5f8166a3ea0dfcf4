"""Reading from the one socket between a confined process and its parent."""

from __future__ import annotations

import socket


def receive(line: socket.socket, length: int) -> bytes:
    """Exactly so many bytes. Raises EOFError where the other side is gone, TimeoutError."""
    parts = bytearray(length)
    view = memoryview(parts)
    while view:
        count = line.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return bytes(parts)
