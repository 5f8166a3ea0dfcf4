"""What a process that makes frames and its parent say to each other, beside what confined/handed.py has.

Parent: DECODE, with the size of a file whose bytes it then gives as they are asked for; or ENCODE, and pixels behind.
Process: the frame, or why there is none. What comes from the process is checked: it may have been taken over by a file.
"""

from __future__ import annotations

import struct
from typing import Final

QUESTION: Final = struct.Struct("<cQI")
"""Kind, size of the file or of the pixels, and how many bytes of JSON follow."""

DECODE: Final = b"d"
ENCODE: Final = b"e"

FRAME: Final = b"f"
NOTHING: Final = b"n"
"""FRAME and its bytes; NOTHING and text."""

LARGEST: Final = 512 << 20
"""Bytes of a frame."""
