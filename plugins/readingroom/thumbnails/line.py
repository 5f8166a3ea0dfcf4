"""What a process that makes pictures and its parent say to each other, on one socket.

Parent: how long a file is. Process: give me bytes from there on, as often as it likes; then a picture, or why not.
Nothing that comes from the process is more than bytes and numbers: it may have been taken over by a file.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

FILE = struct.Struct("<Q")
"""The length of a file to be looked at."""

ANSWER = struct.Struct("<cQQ")
"""Kind, and two numbers."""

READ, PICTURE, NOTHING = b"r", b"p", b"n"
"""READ offset length; PICTURE 0 length and so many bytes; NOTHING 0 length and so many bytes of text."""

GIVEN = struct.Struct("<q")
"""How many bytes follow; -1: they cannot be had."""

LARGEST_READ = 4 << 20
LARGEST_PICTURE = 1 << 20


class Said(NamedTuple):
    """One message of the process."""

    kind: bytes
    offset: int
    length: int
