"""What the process that writes headers as JSON and its parent say to each other: lengths, and so many bytes."""

from __future__ import annotations

import struct
from typing import Final

LARGEST_HEADER: Final = 64 << 20
LARGEST_ANSWER: Final = 64 << 20

LENGTH: Final = struct.Struct("<q")
"""Of what follows; in an answer -1: there is none."""
