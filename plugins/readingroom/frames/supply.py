"""Where the frames of one stream come from: passed through as they are stored, kept from before, or made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from readingroom.frames import reading
from readingroom.frames.form import Frame
from readingroom.frames.making import Making
from readingroom.frames.shape import Shapes
from readingroom.frames.wanted import Wanted
from readingroom.manifests import FramePlace, SeriesPlan
from readingroom.series import Origin

AS_STORED = ""
"""The form of a frame that leaves as it lies in its file."""


class Near(Protocol):
    """A frame that needs nothing but being read, and lies near; `length` in bytes."""

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


@dataclass(frozen=True, slots=True)
class Ready:
    """A frame that is in memory already."""

    frame: Frame

    @property
    def encoding(self) -> str:
        """As it was made."""
        return self.frame.encoding

    @property
    def length(self) -> int:
        """As it was made."""
        return len(self.frame.payload)

    def read_into(self, target: memoryview) -> None:
        """See Near."""
        target[:] = self.frame.payload


class Supply:
    """The frames of one series, in the form that one client takes; safe for many threads."""

    def __init__(self, origin: Origin, plan: SeriesPlan, wanted: Wanted, making: Making) -> None:
        self._origin = origin
        self._plan = plan
        self._wanted = wanted
        self._making = making
        self._compresses = wanted.line == "slow" and "jpls" in wanted.accept

    def near(self, index: int) -> Near | None:
        """The frame, where it needs nothing but being read; None where it is far away, or has to be made."""
        place = self._plan.frames[index]
        form = self._form(index)
        if form == AS_STORED:
            return None if self._plan.found.origin == "nas" else Stored(self._origin, self._plan, place)
        kept = self._making.kept(self._plan, place, form)
        return None if kept is None else Ready(kept)

    def size(self, index: int) -> int:
        """About what it takes of memory, in bytes."""
        place = self._plan.frames[index]
        return max(place.length, self._shapes.of(index).size if self._form(index) != AS_STORED else 0)

    def frame(self, index: int) -> Frame:
        """The frame, read or made. Raises Unreadable."""
        place = self._plan.frames[index]
        form = self._form(index)
        if form == AS_STORED:
            return Frame(place.encoding, reading.read(self._origin, self._plan.found, place))
        return self._making.made(self._plan, place, form, self._shapes.of(index))

    def prepare(self, index: int) -> bool:
        """Make the frame for later, where it has to be made and was not yet; True when it was. Raises Unreadable."""
        place, form = self._plan.frames[index], self._form(index)
        if form == AS_STORED or self._making.kept(self._plan, place, form) is not None:
            return False
        self._making.made(self._plan, place, form, self._shapes.of(index))
        return True

    def _form(self, index: int) -> str:
        place = self._plan.frames[index]
        as_stored = not place.decode and place.encoding in self._wanted.accept
        is_raw = not as_stored or place.encoding == "raw"
        if is_raw and self._compresses and self._shapes.of(index).is_grey:
            return "jpls"
        return AS_STORED if as_stored else "raw"

    @cached_property
    def _shapes(self) -> Shapes:
        return Shapes(self._plan.manifest)
