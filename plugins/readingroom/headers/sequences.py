"""Reads what is wanted of a sequence's items, and steps over the rest (PS3.5 section 7.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from readingroom.headers.elements import (
    ITEM,
    ITEM_END,
    MAX_DEPTH,
    SEQUENCE_END,
    UNDEFINED,
    element_at,
    head_at,
)
from readingroom.headers.elements import Encoding as Writing
from readingroom.headers.errors import Hostile, Truncated
from readingroom.headers.window import Window

MAX_LOOKED_AT: Final = 2_000_000
"""Elements of one file's sequences that are looked at: some ten seconds of a processor, twice what the largest real
ones have (private groups of each of 5,000 frames)."""

MAX_VALUE: Final = 4096
"""Bytes of a value in a sequence that are kept: all that is wanted there are numbers and short texts, but for
lookup tables: see `SequenceReader`."""

type Wanted = Mapping[int, Wanted | None]
"""Tags, and for sequences what is wanted in their items."""

type Item = dict[int, bytes | list[Item]]
"""Values by tag."""


class Sequence(NamedTuple):
    """What was wanted of a sequence, and where it ends."""

    items: list[Item]
    end: int


class SequenceReader:
    """Reads sequences of one file; the bound on their elements holds for all of them together."""

    def __init__(
        self, window: Window, *, explicit: bool, big: bool, most: int = MAX_LOOKED_AT, long_bytes: int = 0
    ) -> None:
        """Values longer than MAX_VALUE are cut, but for the first of them: those of `long_bytes` in all."""
        self._window = window
        self._long_bytes = long_bytes
        self._writing = Writing(explicit, big)
        self._left = most

    def read(self, position: int, wanted: Wanted) -> Sequence:
        """The sequence whose element begins there. Raises Truncated and Hostile."""
        _, vr, value, length = head_at(self._window, position, self._writing)
        # The content of an UN of undefined length is implicit little endian (PS3.5 section 6.2.2, note 2).
        writing = Writing(False, False) if vr == b"UN" and length == UNDEFINED else self._writing
        return self._items(value, length, wanted, writing, 0)

    def _items(self, position: int, length: int, wanted: Wanted, writing: Writing, depth: int) -> Sequence:
        if depth > MAX_DEPTH:
            raise Hostile("Sequences in the header lie too deep within each other.")
        stop = self._stop(position, length)
        items: list[Item] = []
        while stop is None or position + 8 <= stop:
            tag, _, value, item_length = head_at(self._window, position, writing)
            self._count()
            if tag == SEQUENCE_END:
                return Sequence(items, value)
            if tag != ITEM:
                raise Truncated("A sequence in the header holds something else than items.")
            item, position = self._item(value, item_length, wanted, writing, depth)
            items.append(item)
        return Sequence(items, position if stop is None else stop)

    def _item(self, position: int, length: int, wanted: Wanted, writing: Writing, depth: int) -> tuple[Item, int]:
        stop = self._stop(position, length)
        found: Item = {}
        while stop is None or position + 8 <= stop:
            tag, vr, value, value_length = head_at(self._window, position, writing)
            self._count()
            if tag == ITEM_END:
                return found, value
            if tag in wanted:
                within = wanted[tag]
                if within is not None:
                    inner = Writing(False, False) if vr == b"UN" and value_length == UNDEFINED else writing
                    sequence = self._items(value, value_length, within, inner, depth + 1)
                    found[tag], position = sequence
                    continue
                if value_length != UNDEFINED:
                    self._stop(value, value_length)
                    found[tag] = self._window.take(value, self._kept_of(value_length))
                    position = value + value_length
                    continue
            element = element_at(self._window, position, writing)
            if element is None:
                raise Truncated("A sequence runs past the end of the file.")
            self._count(element.within)
            position = element.end
        return found, position if stop is None else stop

    def _kept_of(self, length: int) -> int:
        """How many bytes of a value are kept."""
        if MAX_VALUE < length <= self._long_bytes:
            self._long_bytes -= length
            return length
        return min(length, MAX_VALUE)

    def _stop(self, position: int, length: int) -> int | None:
        if length == UNDEFINED:
            return None
        if position + length > self._window.size:
            raise Truncated("A sequence runs past the end of the file.")
        return position + length

    def _count(self, looked_at: int = 1) -> None:
        self._left -= looked_at
        if self._left < 0:
            raise Hostile("The header's sequences have too many elements.")


def first(items: bytes | list[Item] | None) -> Item:
    """The first item of what was found under a sequence's tag; empty where there is none."""
    return items[0] if isinstance(items, list) and items else {}


def value(item: Item, tag: int) -> bytes:
    """A plain value of an item, b"" where it has none."""
    return cast(bytes, item.get(tag, b""))
