"""What the outlet carries: an answer that is taken piece by piece, and whoever gives it for a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from flask import Response

from readingroom.identity import Caller


class Flow(Protocol):
    """An answer, as it is taken piece by piece; for one thread at a time."""

    @property
    def is_over(self) -> bool:
        """Whether all of it was taken."""
        ...

    @property
    def taken(self) -> int:
        """Bytes that were taken so far."""
        ...

    def head(self) -> Response:
        """Status and headers of the answer."""
        ...

    def take(self, room: memoryview) -> int:
        """Put what comes next into `room`; how many bytes that are. What it raises cuts the answer."""
        ...

    def close(self) -> None:
        """It is over, one way or another."""
        ...


Giver = Callable[[str, Caller, Mapping[str, str]], Flow]
"""What is answered to a key, a caller and headers by their names in small letters; an error it raises is told."""
