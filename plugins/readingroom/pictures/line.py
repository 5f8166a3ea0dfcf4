"""What a process that makes pictures and its parent say to each other, on one socket.

Parent: LOOK, with the open file; or MAKE, with the open file and two to write to. Process: a few numbers, or an error
by its code and words. What comes from the process is checked: it may have been taken over by a file.
"""

from __future__ import annotations

import struct
from typing import Final

QUESTION: Final = struct.Struct("<c")
LOOK: Final = b"l"
MAKE: Final = b"m"

ANSWER: Final = struct.Struct("<cI")
"""Kind, and how many bytes of it follow."""

LOOKED: Final = b"k"
MADE: Final = b"p"
REFUSED: Final = b"e"

KIND: Final = struct.Struct("<20sIIII")
"""MIME type, width, height, pages, bits."""

SIZES: Final = struct.Struct("<II")
"""Of the web variant: width and height; follows KIND in MADE."""

CLOCK: Final = 3
"""How many times as long by the clock a picture may take as it may keep a processor busy: others work too."""

LARGEST_ANSWER: Final = 2048
"""REFUSED: the error's code, a zero byte, its words, a zero byte, its detail as JSON."""
