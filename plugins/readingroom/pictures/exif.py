"""The orientation in a picture's EXIF data, and nothing else of them (CIPA DC-008, 4.6.4)."""

from __future__ import annotations

import struct

ORIENTATION = 0x0112
SHORT = 3
ENTRIES = 512
"""As many of an IFD as are looked at; cameras write some twenty."""


def orientation(exif: bytes) -> int:
    """1 to 8; 1 also where there is none, or nonsense. `exif` begins with its TIFF header, or `Exif` before it."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for n in range(min(count, ENTRIES)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * n)
            if tag == ORIENTATION:
                return value if kind == SHORT and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
