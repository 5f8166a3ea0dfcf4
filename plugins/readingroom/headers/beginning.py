"""Finds where a file's data set begins and how it is written (PS3.10 section 7, PS3.5 section 10)."""

from __future__ import annotations

from typing import Final, NamedTuple

from readingroom.headers.elements import LITTLE_LENGTH, VRS, Encoding
from readingroom.headers.errors import NotAnImage, NotDicom, Truncated
from readingroom.headers.stretches import MAX_VALUE, Stretch, Stretches
from readingroom.headers.text import uid
from readingroom.headers.window import FIRST_BYTES, Inflating, Window

MEDIA_CLASS, SYNTAX = 0x00020002, 0x00020010
META: Final = frozenset({MEDIA_CLASS, SYNTAX})

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
GE_IMPLICIT = "1.2.840.113619.5.2"  # implicit little endian with big-endian pixels
DICOMDIR = "1.2.840.10008.1.3.10"


class Beginning(NamedTuple):
    """Where a data set begins, and what is known before its first element."""

    window: Window
    """Of the file; of the inflated data set where it is deflated."""
    position: int
    syntax: str
    """Transfer syntax UID; '' where the file does not say."""
    explicit: bool
    big: bool
    new: list[Stretch]
    """What was new in the meta group."""


class Beginnings:
    """Reads beginning after beginning; threads may share it."""

    def __init__(self) -> None:
        self._meta = Stretches(Encoding(True, False, True, 0x00020000, 0x0002FFFF), META, SYNTAX)

    def of(self, window: Window) -> Beginning:
        """The beginning of a file's data set. Raises NotDicom, NotAnImage, Truncated, Hostile."""
        position, syntax, new = self._found(window)
        if syntax == DEFLATED:
            inflating = Inflating(window, position)
            # How far it inflates nobody knows before; its own bounds hold.
            window, position = Window(inflating.read, 1 << 40, inflating.read(0, FIRST_BYTES)), 0
        return Beginning(window, position, syntax, _is_explicit(window, position, syntax), syntax == EXPLICIT_BIG, new)

    def leave_out(self, new: list[Stretch]) -> None:
        """See `Stretches.leave_out`."""
        self._meta.leave_out(new)

    def _found(self, window: Window) -> tuple[int, str, list[Stretch]]:
        data = window.data
        if data.startswith(b"DICM", 128):
            return self._behind_meta(window, 132)
        # Files without preamble begin with the meta group or with the data set itself.
        if data[:2] == b"\x02\x00" and data[4:6] in VRS:
            return self._behind_meta(window, 0)
        if data[:2] == b"\x00\x08" and data[4:6] in VRS:
            return 0, EXPLICIT_BIG, []
        if _looks_like_a_data_set(data, window.size):
            return 0, "", []
        raise NotDicom("The file is not DICOM.")

    def _behind_meta(self, window: Window, position: int) -> tuple[int, str, list[Stretch]]:
        """Walk the meta group (PS3.10 section 7.1): always explicit little endian, its own length is not believed."""
        position, pieces, new = self._meta.walk(window, position)
        syntax = ""
        for piece in pieces:
            for tag, raw in piece.values if isinstance(piece, Stretch) else (piece,):
                if tag == SYNTAX:
                    syntax = uid(raw)
                elif uid(raw) == DICOMDIR:
                    raise NotAnImage("The file is a DICOMDIR: a list of other files.")
        return position, syntax, new


def _looks_like_a_data_set(data: bytes, size: int) -> bool:
    if len(data) < 16 or data[:2] != b"\x08\x00" or data[3] > 0x30:
        return False
    if data[4:6] in VRS:
        return True
    length: int = LITTLE_LENGTH(data, 4)[0]
    return length <= min(size - 8, MAX_VALUE)


def _is_explicit(window: Window, start: int, syntax: str) -> bool:
    """Whether elements carry their VR; what stands there counts more than what the meta group says."""
    if start + 8 > window.size:
        raise Truncated("The file ends where its data set should begin.")
    vr = window.take(start, 6)[4:6]
    if syntax in (IMPLICIT_LITTLE, GE_IMPLICIT):
        # Some writers say implicit and write explicit. A length whose low bytes happen to spell a VR is over 16 KB.
        return vr in VRS and LITTLE_LENGTH(window.take(start + 4, 4))[0] > MAX_VALUE
    return vr in VRS
