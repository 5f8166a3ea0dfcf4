"""What the pixels of a frame are once they are decoded, as the series' manifest tells it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """Greys of 8, 16 or 32 bits in little endian, or RGB of 8 bits, interleaved."""

    rows: int
    columns: int
    samples: int
    bits: int
    signed: bool
    floating: bool

    @property
    def size(self) -> int:
        """Of a frame, in bytes."""
        return self.rows * self.columns * self.samples * self.bits // 8

    @property
    def is_grey(self) -> bool:
        """Whether JPEG-LS can hold it bit for bit."""
        return self.samples == 1 and self.bits in (8, 16) and not self.floating

    def said(self) -> bytes:
        """As JSON, for a process."""
        return json.dumps(asdict(self)).encode()


class Shapes:
    """Of all frames of a series."""

    def __init__(self, manifest: bytes) -> None:
        said = json.loads(manifest)
        self._defaults: dict[str, Any] = said["defaults"]
        self._columns: dict[str, list[Any]] = said["frames"]

    def of(self, index: int) -> Shape:
        """Of the frame at that place in the display order."""
        return Shape(
            rows=int(self._said("rows", index)),
            columns=int(self._said("columns", index)),
            samples=int(self._said("samplesPerPixel", index)),
            bits=int(self._said("bitsAllocated", index)),
            signed=bool(self._said("pixelRepresentation", index)),
            floating=bool(self._said("float", index)),
        )

    def _said(self, name: str, index: int) -> Any:
        column = self._columns.get(name)
        return self._defaults.get(name) if column is None else column[index]
