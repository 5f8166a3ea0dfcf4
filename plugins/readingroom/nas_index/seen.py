"""Which known files were seen during a visit: one bit for each, 1.25 MB for ten million."""

from __future__ import annotations


class Seen:
    """A set of file ids that stays small."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._count = 0

    def add(self, file_id: int) -> None:
        """Remember one."""
        at, bit = file_id >> 3, 1 << (file_id & 7)
        if at >= len(self._bits):
            self._bits.extend(bytes(max(at + 1 - len(self._bits), len(self._bits), 4096)))
        if not self._bits[at] & bit:
            self._bits[at] |= bit
            self._count += 1

    def __contains__(self, file_id: int) -> bool:
        at = file_id >> 3
        return at < len(self._bits) and bool(self._bits[at] >> (file_id & 7) & 1)

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self._bits)
