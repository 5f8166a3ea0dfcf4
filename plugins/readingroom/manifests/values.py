"""Turns the bytes of a header's values into numbers and text; what is damaged counts as absent."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from readingroom.headers.text import PADDING, text

MOST_TEXT = 256
"""Characters of a text that are told: a description is a line."""

GREATEST: Final = 1e30
"""No length, time or dose comes near. With what lies beyond, what is reckoned would end in numbers that JSON lacks."""


@lru_cache(maxsize=8192)  # the files of a series share most of them
def floats(raw: bytes) -> tuple[float, ...]:
    """Numbers of VR DS or IS; () where one of them is none."""
    if not raw:
        return ()
    try:
        found = tuple(float(each) for each in raw.decode("latin-1").strip(PADDING).split("\\"))
    except ValueError:
        return ()
    return tuple(map(_sound, found)) if all(abs(each) < GREATEST for each in found) else ()


def _sound(said: float) -> float:
    return said if abs(said) * GREATEST > 1 else 0.0


def number(raw: bytes) -> float | None:
    """The first number of VR DS or IS."""
    found = floats(raw)
    return found[0] if found else None


def whole(raw: bytes) -> int | None:
    """The first whole number of VR IS; some writers give it a point."""
    found = number(raw)
    return None if found is None or abs(found) >= 1 << 53 else int(found)


def short(raw: bytes, *, big: bool, signed: bool = False) -> int | None:
    """A number of VR US or SS."""
    if len(raw) < 2:
        return None
    return int.from_bytes(raw[:2], "big" if big else "little", signed=signed)


def long(raw: bytes, *, big: bool) -> int | None:
    """A number of VR UL."""
    return int.from_bytes(raw[:4], "big" if big else "little") if len(raw) >= 4 else None


def double(raw: bytes, *, big: bool) -> float | None:
    """A number of VR FD."""
    if len(raw) < 8:
        return None
    found: float = struct.unpack_from(">d" if big else "<d", raw)[0]
    return _sound(found) if abs(found) < GREATEST else None


@lru_cache(maxsize=8192)
def word(raw: bytes) -> str:
    """A text without character set: CS, DA, TM, UI."""
    return raw.decode("latin-1").strip(PADDING)[:MOST_TEXT]


def words(raw: bytes, charset: bytes, *, is_name: bool = False) -> str:
    """A text in the file's character set."""
    return text(raw, word(charset), is_name=is_name)[:MOST_TEXT]


def texts(raw: bytes, charset: bytes) -> tuple[str, ...]:
    """Several of them."""
    return tuple(each.strip() for each in words(raw, charset).split("\\")) if raw else ()
