"""Lookup tables of grey values as headers have them: Modality LUT and VOI LUT (PS3.3 C.11.1 and C.11.2)."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

Kind = Literal["modality", "voi"]

Span = tuple[float, float]
"""The least and the greatest value that can come to a table."""

MOST_ENTRIES: Final = 1 << 16
LEAST_BITS, MOST_BITS = 8, 16


class Unusable(ValueError):
    """It is no table; the message quotes nothing of the file."""


@dataclass(frozen=True, slots=True)
class LookupTable:
    """One table. Values before `first` have its first entry, those behind the last have the last one."""

    kind: Kind
    first: int
    """The value that has the first entry."""
    bits: int
    """Entries go from 0 to 2**bits - 1."""
    entries: bytes
    """Of 16 bits each, little endian."""
    explanation: str = ""
    unit: str = ""
    """Of what a modality's table gives: (0028,3004), as it stands there."""

    @property
    def count(self) -> int:
        """Of its entries."""
        return len(self.entries) // 2

    @property
    def greatest(self) -> int:
        """What an entry can be at most."""
        return (1 << self.bits) - 1

    def named(self, explanation: str, unit: str) -> LookupTable:
        """The same, with what is said of it."""
        return replace(self, explanation=explanation, unit=unit)


def table(kind: Kind, descriptor: Sequence[int], data: bytes, inputs: Span) -> LookupTable:
    """The table of a LUT Descriptor, three numbers read as unsigned, and LUT Data as bytes of little-endian words.

    Entries of 8 bits lie in bytes, or in words as many writers have them (PS3.3 C.11.1.1.1, note). Raises Unusable.
    """
    if len(descriptor) != 3:
        raise Unusable("It has no descriptor.")
    count, first, bits = (each & 0xFFFF for each in descriptor)
    count = count or MOST_ENTRIES
    if not LEAST_BITS <= bits <= MOST_BITS:
        raise Unusable("Its entries have a size that no table has.")
    if len(data) >= 2 * count:
        entries = _bounded(data[: 2 * count], (1 << bits) - 1)
    elif bits == LEAST_BITS and count <= len(data) <= count + 1:
        entries = bytes(byte for each in data[:count] for byte in (each, 0))
    else:
        raise Unusable("It has fewer entries than it says.")
    return LookupTable(kind, _first(first, inputs), bits, entries)


def _bounded(entries: bytes, greatest: int) -> bytes:
    words = array("H", entries)
    if sys.byteorder == "big":
        words.byteswap()
    if max(words) <= greatest:
        return entries
    words = array("H", (min(each, greatest) for each in words))
    if sys.byteorder == "big":
        words.byteswap()
    return words.tobytes()


def _first(said: int, inputs: Span) -> int:
    """The value that has the first entry: US or SS as what comes to the table (PS3.3 C.11.1.1, C.11.2.1.1).

    The VR is not asked: implicit files have none, and writers put the wrong one. A table is signed where values can be
    below zero, and where else it would begin behind all of them.
    """
    least, greatest = inputs
    signed = said >= 1 << 15 and (least < 0 or said > greatest)
    return said - (1 << 16) if signed else said
