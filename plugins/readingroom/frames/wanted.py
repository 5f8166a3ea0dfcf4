"""What a client asks for: which frames, in which order, and how it would like to have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from readingroom.errors import BadRequest
from readingroom.frames.record import ENCODINGS

MOST: Final = 2_000
"""Frames of one request. A viewer that jumps asks anew: it wants short ones."""

Line = Literal["fast", "slow"]

Span = int | tuple[int, int]
"""One frame, or the first and the last of several: upwards, or downwards where the last is less."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Frames by their place in the display order, in the order in which they are to come."""

    indices: Sequence[int]
    accept: frozenset[str]
    line: Line = "fast"


def wanted(spans: Iterable[Span], count: int, accept: Iterable[str], line: Line) -> Wanted:
    """The frames that these spans name of a series of `count` frames.

    Raises BadRequest for a frame that is none, more than MOST in all, and an encoding that nobody knows; "raw" is
    always accepted: what cannot leave otherwise leaves so.
    """
    indices: list[int] = []
    for span in spans:
        first, last = (span, span) if isinstance(span, int) else span
        if not (0 <= first < count and 0 <= last < count):
            raise BadRequest(f"The series has frames 0 to {count - 1}; {first} to {last} are not among them.")
        if len(indices) + abs(last - first) + 1 > MOST:
            raise BadRequest(f"One request carries at most {MOST} frames: ask for the others in another one.")
        indices.extend(range(first, last + 1) if first <= last else range(first, last - 1, -1))
    if not indices:
        raise BadRequest("The request names no frame.")
    unknown = sorted(set(accept) - set(ENCODINGS))
    if unknown:
        raise BadRequest(f"No such encoding: {', '.join(unknown)[:100]}. There are {', '.join(ENCODINGS)}.")
    return Wanted(indices, frozenset(accept) | {"raw"}, line)
