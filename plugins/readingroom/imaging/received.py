"""Which bytes of an upload have come: ranges that are sorted, apart from each other, and end before their stop."""

from __future__ import annotations

import json
from collections.abc import Iterator

from readingroom.errors import BadRequest

Range = tuple[int, int]

MAX_RANGES = 1000
"""A client that sends parts in some order has a few; one that sends every other byte would fill the row."""


class Received:
    """A set of byte ranges, [start, stop) each; never changed, only made anew."""

    def __init__(self, ranges: tuple[Range, ...] = ()) -> None:
        self.ranges = ranges

    @classmethod
    def read(cls, text: str) -> Received:
        """As `text` wrote it."""
        return cls(tuple((start, stop) for start, stop in json.loads(text)))

    def text(self) -> str:
        """For the row: `[[start, stop], …]`."""
        return json.dumps(self.ranges, separators=(",", ":"))

    def with_range(self, start: int, stop: int) -> Received:
        """These and that one, joined where they touch. Raises BadRequest when there are too many apart."""
        kept = []
        for each_start, each_stop in self.ranges:
            if each_stop < start or each_start > stop:
                kept.append((each_start, each_stop))
            else:
                start, stop = min(start, each_start), max(stop, each_stop)
        if start < stop:
            kept.append((start, stop))
        if len(kept) > MAX_RANGES:
            raise BadRequest(
                f"More than {MAX_RANGES} parts of this upload lie apart from each other; fill the gaps first.",
                detail={"limit": MAX_RANGES},
            )
        return Received(tuple(sorted(kept)))

    def within(self, start: int, stop: int) -> Iterator[Range]:
        """What of [start, stop) has come."""
        for each_start, each_stop in self.ranges:
            first, end = max(start, each_start), min(stop, each_stop)
            if first < end:
                yield first, end

    def missing(self, total: int) -> tuple[Range, ...]:
        """What of [0, total) has not come."""
        gaps, at = [], 0
        for start, stop in self.within(0, total):
            if at < start:
                gaps.append((at, start))
            at = stop
        if at < total:
            gaps.append((at, total))
        return tuple(gaps)

    @property
    def end(self) -> int:
        """The stop of the last range; 0 when nothing came."""
        return self.ranges[-1][1] if self.ranges else 0

    @property
    def count(self) -> int:
        """Bytes in all."""
        return sum(stop - start for start, stop in self.ranges)
