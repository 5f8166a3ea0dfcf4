"""A frame as it leaves."""

from __future__ import annotations

from typing import NamedTuple


class Frame(NamedTuple):
    """Encoding (a name of `record.ENCODINGS`) and bytes."""

    encoding: str
    payload: bytes | bytearray | memoryview
