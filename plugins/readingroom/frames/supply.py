"""Where the frames of one stream come from: passed through as they are stored, kept from before, or made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from readingroom.frames import reading
from readingroom.frames.wanted import Wanted
from readingroom.manifests import FramePlace, SeriesPlan
from readingroom.series import Origin


class Frame(NamedTuple):
    """A frame as it leaves."""

    encoding: str
    payload: bytes | bytearray


class Near(Protocol):
    """A frame that needs nothing but being read; `length` in bytes."""

    @property
    def encoding(self) -> str:
        """Of its bytes."""
        ...

    @property
    def length(self) -> int:
        """Of its bytes."""
        ...

    def read_into(self, target: memoryview) -> None:
        """Fill `target`, which is as long. Raises Unreadable."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A frame as it lies in its file."""

    origin: Origin
    plan: SeriesPlan
    place: FramePlace

    @property
    def encoding(self) -> str:
        """As it is stored."""
        return self.place.encoding

    @property
    def length(self) -> int:
        """As it is stored."""
        return self.place.length

    def read_into(self, target: memoryview) -> None:
        """See Near."""
        reading.read_into(self.origin, self.plan.found, self.place, target)


class Supply:
    """The frames of one series, in the form that one client takes; safe for many threads."""

    def __init__(self, origin: Origin, plan: SeriesPlan, wanted: Wanted) -> None:
        self._origin = origin
        self._plan = plan
        self._wanted = wanted
        self.is_far = plan.found.origin == "nas"

    def near(self, index: int) -> Near | None:
        """The frame, where it needs nothing but being read; None where it has to be made."""
        place = self._plan.frames[index]
        if place.decode or place.encoding not in self._wanted.accept:
            return None
        return Stored(self._origin, self._plan, place)

    def size(self, index: int) -> int:
        """About what it takes of memory, in bytes."""
        return self._plan.frames[index].length

    def frame(self, index: int) -> Frame:
        """The frame, read or made. Raises Unreadable."""
        near = self.near(index)
        if near is None:
            raise reading.Unreadable(422, "not_decodable", "This image is stored in a form that cannot be shown.")
        target = bytearray(near.length)
        near.read_into(memoryview(target))
        return Frame(near.encoding, target)
