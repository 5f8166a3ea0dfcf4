"""Reads of one file what a viewer has need of: values, functional groups, and where the pixel data lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from readingroom.headers.beginning import DEFLATED, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Beginning, Beginnings
from readingroom.headers.elements import MAX_ELEMENTS, UNDEFINED, Encoding, element_at, head_at
from readingroom.headers.errors import HeaderError, Hostile, NotDicom
from readingroom.headers.sequences import Item, SequenceReader, first
from readingroom.headers.stretches import Stretch, Stretches
from readingroom.headers.window import FIRST_BYTES, Read, Window
from readingroom.manifests import tags

FAR_BYTES: Final = 256 << 20
"""Looked at of a file with functional groups; of 5,000 frames with a vendor's private ones they have some 100 MB."""

FAR_READS: Final = 20_000
FAR_STEP: Final = 128 << 10

LUT_BYTES: Final = 2 << 20
"""Kept of the lookup tables of one file: sixteen of the largest."""

_BEFORE_LUTS: Final = tags.MODALITY_LUTS - 1
_BEFORE_GROUPS: Final = tags.SHARED_GROUPS - 1
_BEFORE_PIXELS: Final = tags.OFFSETS - 1
_BEFORE_INJECTION: Final = tags.RADIOPHARMACEUTICALS - 1

AT_THE_END: Final = frozenset({tags.OFFSETS, tags.LENGTHS, tags.FLOAT_PIXELS, tags.DOUBLE_PIXELS, tags.PIXELS})


@dataclass(frozen=True, slots=True)
class PixelData:
    """Where a file's pixel data lies, in bytes from its start."""

    tag: int
    start: int
    length: int | None
    """None where it is encapsulated."""
    offsets: tuple[int, int] | None = None
    """Of the extended offset table and its length (PS3.3 C.7.6.3.1.8)."""
    lengths: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class FileHeader:
    """The header of one file; values as their bytes, by tag."""

    size: int
    syntax: str
    explicit: bool
    big: bool
    values: Mapping[int, bytes]
    pixels: PixelData | None
    """None where the file has none; of a deflated one the place is that in the inflated data set."""
    shared: Item
    frames: list[Item]
    injection: Item
    modality_luts: list[Item] | None
    """Items of the Modality LUT Sequence; None where it is damaged."""
    voi_luts: list[Item] | None

    @property
    def deflated(self) -> bool:
        """Whether nothing can be had of the file without inflating it."""
        return self.syntax == DEFLATED


class FileReader:
    """Reads file after file, the quicker the more alike they are; threads may share it."""

    def __init__(self) -> None:
        self._beginnings = Beginnings()
        self._series = b""
        kinds = [(explicit, big) for explicit in (True, False) for big in (False, True)]
        self._data, self._behind_luts = (
            {kind: Stretches(Encoding(*kind, last=last), tags.KEPT, tags.CHARSET) for kind in kinds}
            for last in (_BEFORE_LUTS, _BEFORE_GROUPS)
        )

    def read(self, read: Read, size: int) -> FileHeader:
        """The header of a file of `size` bytes.

        Raises HeaderError, and what `read` raises; nothing else, whatever the file holds.
        """
        if size == 0:
            raise NotDicom("The file is empty.")
        begun = self._beginnings.of(Window(read, size, read(0, min(FIRST_BYTES, size))))
        window = begun.window
        before, behind = (each[begun.explicit, begun.big] for each in (self._data, self._behind_luts))
        position, pieces, new = before.walk(window, begun.position)
        luts, position = _luts(begun, read, size, position)
        position, more, new_behind = behind.walk(window, position)
        values: dict[int, bytes] = {}
        for piece in (*pieces, *more):
            if isinstance(piece, Stretch):
                values.update(piece.values)
            else:
                values[piece[0]] = piece[1]
        series = values.get(tags.SERIES, b"")
        if series == self._series:  # what differs from file to file of a series is not learnt by heart
            before.leave_out(new)
            behind.leave_out(new_behind)
            self._beginnings.leave_out(begun.new)
        self._series = series
        shared, frames, position = self._groups(begun, read, size, position, values)
        return FileHeader(
            size=size,
            syntax=begun.syntax or (EXPLICIT_LITTLE if begun.explicit else IMPLICIT_LITTLE),
            explicit=begun.explicit,
            big=begun.big,
            values=values,
            pixels=_pixels(window, position, begun),
            shared=shared,
            frames=frames,
            injection=self._injection(begun, values),
            modality_luts=luts.get(tags.MODALITY_LUTS, []),
            voi_luts=luts.get(tags.VOI_LUTS, []),
        )

    def _groups(
        self, begun: Beginning, read: Read, size: int, position: int, values: dict[int, bytes]
    ) -> tuple[Item, list[Item], int]:
        """The shared groups, those of each frame, and where the walk ended before the pixel data.

        What is told of overlays comes to the other values.
        """
        window = begun.window
        rest = Encoding(begun.explicit, begun.big, last=_BEFORE_PIXELS)
        shared: Item = {}
        frames: list[Item] = []
        looked_at = 0
        while position + 8 <= window.size:
            looked_at += 1
            if looked_at > MAX_ELEMENTS:
                raise Hostile("The header has too many elements.")
            tag, _, _, _ = head_at(window, position, rest)
            if tag in (tags.SHARED_GROUPS, tags.FRAME_GROUPS):
                if begun.syntax != DEFLATED:
                    window = Window(read, size, reads=FAR_READS, most=FAR_BYTES, step=FAR_STEP)
                reader = SequenceReader(window, explicit=begun.explicit, big=begun.big, long_bytes=LUT_BYTES)
                found = reader.read(position, tags.GROUPS)
                if tag == tags.SHARED_GROUPS:
                    shared = first(found.items)
                else:
                    frames = found.items
                position = found.end
                continue
            element = element_at(window, position, rest)
            if element is None:
                break
            if tag in tags.OVERLAY_BITS and element.length >= 2:
                values[tag] = window.take(element.value, 2)
            position = element.end
        return shared, frames, position

    def _injection(self, begun: Beginning, values: Mapping[int, bytes]) -> Item:
        if begun.syntax == DEFLATED or not values.get(tags.MODALITY, b"").startswith(b"PT"):
            return {}
        encoding = Encoding(begun.explicit, begun.big, last=_BEFORE_INJECTION)
        position = begun.position
        try:
            while (element := element_at(begun.window, position, encoding)) is not None:
                position = element.end
            if head_at(begun.window, position, encoding).tag != tags.RADIOPHARMACEUTICALS:
                return {}
            read = SequenceReader(begun.window, explicit=begun.explicit, big=begun.big)
            return first(read.read(position, tags.INJECTION).items)
        except HeaderError:
            return {}  # a picture without SUV is a picture


def _luts(begun: Beginning, read: Read, size: int, position: int) -> tuple[dict[int, list[Item] | None], int]:
    """The items of both lookup table sequences by their tag, None for a damaged one, and where the walk ended."""
    found: dict[int, list[Item] | None] = {}
    writing = Encoding(begun.explicit, begun.big, last=tags.VOI_LUTS)
    window = begun.window
    looked_at = 0
    while position + 8 <= window.size and (head := head_at(window, position, writing)).tag <= tags.VOI_LUTS:
        if head.tag in (tags.MODALITY_LUTS, tags.VOI_LUTS):
            # What is wrong within them costs their own reads, not those of the header.
            own = window if begun.syntax == DEFLATED else Window(read, size, most=2 * LUT_BYTES)
            reader = SequenceReader(
                own, explicit=begun.explicit, big=begun.big, most=MAX_ELEMENTS, long_bytes=LUT_BYTES
            )
            try:
                found[head.tag] = reader.read(position, tags.LUT).items
            except HeaderError:
                found[head.tag] = None
        element = element_at(window, position, writing)
        looked_at += 1
        if element is None or looked_at > MAX_ELEMENTS:
            break
        position = element.end
    return found, position


def _pixels(window: Window, position: int, begun: Beginning) -> PixelData | None:
    tables: dict[int, tuple[int, int]] = {}
    writing = Encoding(begun.explicit, begun.big)
    for _ in range(len(AT_THE_END) + 1):
        if position + 8 > window.size:
            return None
        tag, _, value, length = head_at(window, position, writing)
        if tag in (tags.PIXELS, tags.FLOAT_PIXELS, tags.DOUBLE_PIXELS):
            known = None if length == UNDEFINED else length
            return PixelData(tag, value, known, tables.get(tags.OFFSETS), tables.get(tags.LENGTHS))
        if tag not in AT_THE_END and tag != 0x7FE00003 and tag & 0xFFFF0000 != 0x7FE00000:
            return None
        if length == UNDEFINED or value + length > window.size:
            raise Hostile("The header has a table of frames without an end.")
        tables[tag] = (value, length)
        position = value + length
    return None
