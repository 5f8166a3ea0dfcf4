"""Steps over one element of a DICOM data set (PS3.5 section 7): what it is, where its value lies, where it ends."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from readingroom.headers.errors import Hostile, Truncated
from readingroom.headers.window import Window

LONG: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""VRs with two reserved bytes and a length of four (PS3.5 table 7.1-1)."""

SHORT: Final = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS"}
    | {b"ST", b"TM", b"UI", b"UL", b"US"}
)
VRS: Final = LONG | SHORT

UNDEFINED: Final = 0xFFFFFFFF
ITEM_GROUP = 0xFFFE
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

MAX_DEPTH = 64
"""Sequences within sequences; real ones stay below ten."""

MAX_ELEMENTS = 100_000
"""Elements looked at in one file, those of skipped sequences included."""

LITTLE_LENGTH = struct.Struct("<I").unpack_from

_LITTLE_EXPLICIT = struct.Struct("<HH2sH").unpack_from
_BIG_EXPLICIT = struct.Struct(">HH2sH").unpack_from
_BIG_LENGTH = struct.Struct(">I").unpack_from


class Encoding(NamedTuple):
    """How the elements of a data set are written."""

    explicit: bool
    """They carry their VR."""
    big: bool = False
    meta: bool = False
    """They are those of group 2 (PS3.10 section 7.1), where a VR that nobody knows has a short length."""
    first: int = 0
    last: int = 0xFFFFFFFF
    """Tags from here to there are looked at; any other is the end."""


class Element(NamedTuple):
    """One element; positions and length in bytes."""

    tag: int
    value: int
    """Where its value begins."""
    length: int
    """Of its value; 0 where it was a sequence of undefined length, which is skipped."""
    end: int
    within: int
    """Elements looked at in it."""


class Head(NamedTuple):
    """How an element begins."""

    tag: int
    vr: bytes
    """As it stands there; of an implicit one two bytes of its length."""
    value: int
    """Where its value begins."""
    length: int
    """Of its value, or UNDEFINED."""


def head_at(window: Window, position: int, encoding: Encoding) -> Head:
    """How the element there begins, whatever it is: items of sequences and of pixel data too.

    Raises Truncated and Hostile.
    """
    window.reach(position, 8)
    at = position - window.base
    explicit, big, *_ = encoding
    unpack, unpack_length = (_BIG_EXPLICIT, _BIG_LENGTH) if big else (_LITTLE_EXPLICIT, LITTLE_LENGTH)
    group, element, vr, length = unpack(window.data, at)
    value = position + 8
    if group != ITEM_GROUP and explicit and vr in LONG:
        length = unpack_length(window.take(value, 4))[0]
        value += 4
    elif group == ITEM_GROUP or not (explicit and vr in SHORT):
        length = unpack_length(window.data, at + 4)[0]
    return Head(group << 16 | element, vr, value, length)


def element_at(window: Window, position: int, encoding: Encoding) -> Element | None:
    """The element there; None at the end, or where fewer bytes are left than an element has.

    Raises Truncated and Hostile.
    """
    size = window.size
    if position + 8 > size:
        return None
    window.reach(position, min(12, size - position))
    at = position - window.base
    explicit, big, meta, first, last = encoding
    unpack, unpack_length = (_BIG_EXPLICIT, _BIG_LENGTH) if big else (_LITTLE_EXPLICIT, LITTLE_LENGTH)
    group, element, vr, length = unpack(window.data, at)
    tag = group << 16 | element
    if not first <= tag <= last:
        return None
    value = position + 8
    unknown = False
    if explicit and vr in LONG:
        length = unpack_length(window.take(value, 4))[0]
        value += 4
        unknown = vr == b"UN"
    elif not meta and not (explicit and vr in SHORT):  # implicit, or a VR that does not exist: a length of four bytes
        length = unpack_length(window.data, at + 4)[0]
    if length == UNDEFINED and not meta:
        # The content of an UN of undefined length is implicit little endian (PS3.5 section 6.2.2, note 2).
        end, within = _behind_sequence(window, value, explicit=explicit and not unknown, big=big and not unknown)
        return Element(tag, value, 0, end, within)
    if value + length > size:
        raise Truncated("A value runs past the end of the file.")
    return Element(tag, value, length, value + length, 0)


def _behind_sequence(window: Window, position: int, *, explicit: bool, big: bool) -> tuple[int, int]:
    """Where a sequence of undefined length ends, and how many elements lay in it (PS3.5 section 7.5.2).

    The stack holds, for each sequence or item that is open, whether its elements carry their VR and its byte order.
    """
    open_ = [(explicit, big)]
    looked_at = 0
    while open_:
        looked_at += 1
        if looked_at > MAX_ELEMENTS or len(open_) > MAX_DEPTH:
            raise Hostile("A sequence in the header does not end within reason.")
        explicit, big = open_[-1]
        window.reach(position, 8)
        at = position - window.base
        group, element, vr, length = (_BIG_EXPLICIT if big else _LITTLE_EXPLICIT)(window.data, at)
        tag = group << 16 | element
        unpack_length = _BIG_LENGTH if big else LITTLE_LENGTH
        position += 8
        if tag in (SEQUENCE_END, ITEM_END):
            open_.pop()
            continue
        if tag == ITEM or not (explicit and vr in VRS):
            length = unpack_length(window.data, at + 4)[0]
        elif vr in LONG:
            length = unpack_length(window.take(position, 4))[0]
            position += 4
        if length == UNDEFINED:
            implicit_inside = tag != ITEM and vr == b"UN" and explicit
            open_.append((False, False) if implicit_inside else (explicit, big))
            continue
        position += length
        if position > window.size:
            raise Truncated("A sequence runs past the end of the file.")
    return position, looked_at
