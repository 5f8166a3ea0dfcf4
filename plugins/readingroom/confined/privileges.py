"""Takes the privileges of root away from a process that was started with them (capabilities(7))."""

from __future__ import annotations

import ctypes
import struct
from typing import Final

VERSION_3: Final = 0x20080522
"""Linux's: two words of each set."""

DAC_OVERRIDE: Final = 1 << 1
"""Kept: where a checkout is another account's, root reads its modules by this alone; Landlock bounds what it reads."""


def drop() -> bool:
    """Leave this process none but that, and no way to get one back; whether it worked.

    Who was no root has none to lose. Without this, what takes a decoder over could load modules into the kernel, set
    the clock or speak raw to the network: Landlock bounds files, TCP and signals alone.
    """
    libc = ctypes.CDLL(None)
    header = struct.pack("<Ii", VERSION_3, 0)
    held = ctypes.create_string_buffer(24)
    if libc.capget(header, held) != 0:
        return False
    _, permitted, _, _, _, _ = struct.unpack("<6I", held.raw)
    kept = permitted & DAC_OVERRIDE
    return int(libc.capset(header, struct.pack("<6I", kept, kept, 0, 0, 0, 0))) == 0
