"""A range of an object's bytes, held against its size."""

from __future__ import annotations


def inside(start: int, stop: int | None, size: int) -> tuple[int, int]:
    """The range as (start, stop), `stop` excluded. Raises ValueError where it lies outside the object."""
    stop = size if stop is None else stop
    if not 0 <= start <= stop <= size:
        raise ValueError(f"no range {start}–{stop} in {size} bytes")
    return start, stop
