"""Knows stretches of headers by heart: bytes that were read once, element by element, are not taken apart again.

The files of a series differ in a handful of elements. What lies between those is remembered as it stands in the file,
with what was found in it. Where the same bytes begin at the beginning of an element, they hold the same elements: one
comparison of memory takes the place of thirty steps. Nothing is guessed, and nothing hangs on where in the file a
stretch lies: values may change their length, elements may come and go, series may alternate.

A stretch is found by the first eight bytes of its first element: tag, VR and length. What proves to change from file
to file of a series is left out of stretches, and stepped over by those eight bytes alone.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from readingroom.headers.elements import MAX_ELEMENTS, Encoding, element_at
from readingroom.headers.errors import Hostile
from readingroom.headers.window import Window

MAX_VALUE = 16_384
"""Bytes kept of one value; the longest text that is wanted (LT) has 10,240 characters."""

ALIKE = 4
"""Stretches that are known to begin with the same element: series may lie mixed in one folder."""

LEARNED_BYTES = 2 << 20
"""After so much everything is forgotten, and learned again from the next few files; two hundred series or so."""

OVERHEAD = 300
"""Bytes that Python takes to know a stretch, beside the stretch."""

STEPS = 8192
"""Beginnings of elements that are known, at most; a scanner's headers have some hundred."""

BEGINNING: Final = 8
"""Bytes that an element is known by: tag, VR and length; at least so many has each."""

END: Final = (0, 0)
UNKNOWN: Final = (1 << 62, 0)
"""In place of an element's length and tag."""


class Stretch:
    """Whole elements as they stand in a file, and what is wanted of them."""

    __slots__ = ("blob", "elements", "texts", "values")

    def __init__(self, blob: bytes, values: list[tuple[int, bytes]], elements: int) -> None:
        self.blob = blob
        self.values = values
        self.elements = elements
        self.texts: tuple[bytes | None, dict[str, str]] = (None, {})
        """The character set that the values were last decoded with, and what came of it (`header` fills it in)."""


Piece = Stretch | tuple[int, bytes]
"""Something of a header: a stretch, or the tag and value of one element."""


class Stretches:
    """Walks through the elements of data sets of one encoding; threads may share it."""

    def __init__(self, encoding: Encoding, wanted: Container[int], alone: int) -> None:
        """Keeps the values of the tags that are `wanted`; the element with the tag `alone` is in no stretch."""
        self._encoding = encoding
        self._wanted = wanted
        self._alone = alone
        self._known: dict[bytes, tuple[Stretch, ...]] = {}
        self._steps: dict[bytes, tuple[int, int]] = {}
        """Of elements whose first eight bytes tell all: how long they are, and their tag if their value is wanted."""
        self._changing: set[bytes] = set()
        self._learned = 0
        self._now = self._before = b""
        """The beginnings of the last two files."""

    def walk(self, window: Window, position: int) -> tuple[int, list[Piece], list[Stretch]]:
        """Where the walk ended, the wanted pieces in their order, and the elements that were new.

        Raises Truncated and Hostile.
        """
        known, steps, changing, alone = self._known, self._steps, self._changing, self._alone
        data, base = window.data, window.base
        self._before, self._now = self._now, data
        at, end = position - base, len(data)
        pieces: list[Piece] = []
        new: list[Stretch] = []
        looked_at = 0
        in_row = 0  # stretches that followed each other: they become one
        row_at, row_looked_at = at, 0
        while True:
            head = data[at : at + BEGINNING]
            for stretch in known.get(head, ()):
                if data.startswith(stretch.blob, at):
                    in_row += 1
                    at += len(stretch.blob)
                    looked_at += stretch.elements
                    pieces.append(stretch)
                    break
            else:
                if in_row > 1:
                    self._join(data[row_at:at], pieces[-in_row:], looked_at - row_looked_at)
                in_row = 0
                begin = at
                length, tag = steps.get(head, UNKNOWN)
                at += length
                if length and at <= end:
                    values = [(tag, data[begin + BEGINNING : at])] if tag else []
                    within = 1
                else:
                    looked = None
                    if length and looked_at <= MAX_ELEMENTS:
                        looked = self._look(window, base + begin, head)
                    if looked is None:
                        at = begin
                        break
                    stop, values, within = looked
                    at = stop - base
                    if window.base != base or at > end:  # it goes beyond these bytes: nothing to remember
                        data, base = window.data, window.base
                        begin = at = stop - base
                        end = len(data)
                looked_at += within
                if head not in changing and begin < at and not (values and values[0][0] == alone):
                    new.append(Stretch(data[begin:at], values, within))
                    self._learn(new[-1])
                pieces += values
                row_at, row_looked_at = at, looked_at
        if looked_at > MAX_ELEMENTS:
            raise Hostile("The header has too many elements.")
        return base + at, pieces, new

    def _look(self, window: Window, position: int, head: bytes) -> tuple[int, list[tuple[int, bytes]], int] | None:
        """Where the element there ends, its value if it is wanted, and how many elements it is; None at the end."""
        base = window.base
        found = element_at(window, position, self._encoding)
        if found is None:
            if len(head) == BEGINNING:
                self._steps[head] = END
            return None
        tag, value, length, stop, within = found
        values = []
        if tag in self._wanted and length:
            values = [(tag, window.take(value, min(length, MAX_VALUE)))]
        if window.base == base and value == position + BEGINNING and value + length == stop:
            self._steps[head] = (stop - position, tag if values else 0)
        return stop, values, within + 1

    def leave_out(self, new: list[Stretch]) -> None:
        """Have no stretch hold these elements any more: the file before was of the same series, and had others."""
        for each in new:
            if each.blob not in self._before:  # else it was only forgotten
                self._changing.add(each.blob[:BEGINNING])

    def _join(self, blob: bytes, pieces: list[Piece], elements: int) -> None:
        """Know as one what stood in a row."""
        row = [each for each in pieces if isinstance(each, Stretch)]
        values = [value for each in row for value in each.values]
        self._learn(Stretch(blob, values, elements))

    def _learn(self, stretch: Stretch) -> None:
        self._learned += len(stretch.blob) + OVERHEAD
        if self._learned > LEARNED_BYTES or len(self._steps) > STEPS:
            self._known.clear()
            self._steps.clear()
            self._changing.clear()
            self._learned = 0
        head = stretch.blob[:BEGINNING]
        self._known[head] = (stretch, *self._known.get(head, ())[: ALIKE - 1])
