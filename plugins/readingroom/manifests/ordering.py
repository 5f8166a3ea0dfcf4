"""Puts the frames of a series in the order in which a person looks through them, in groups that belong together.

A group is of one size and one orientation: a localizer's three planes are three groups. Within one, frames go along the
normal of their plane (PS3.3 C.7.6.2.1.1), so that a tilted gantry and any numbering come right; frames at one position
go by acquisition, time and echo, then by InstanceNumber. Which end comes first is as the scanner numbered them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final

from readingroom.manifests.frames import Frame, Point, cross
from readingroom.manifests.moments import LAST

SAME_DIRECTION: Final = 0.9995
"""Cosine (1.8 degrees): within it two planes are of one orientation; scanners write them to some digits."""

SAME_POSITION: Final = 0.01
"""Millimetres along the normal within which two frames lie at one place."""

MOST_ORIENTATIONS: Final = 12
"""More than these, and few frames of each: planes that turn around an axis, which belong together."""

NAMES: Final = (((0.0, 0.0, 1.0), "axial"), ((0.0, 1.0, 0.0), "coronal"), ((1.0, 0.0, 0.0), "sagittal"))
PURE: Final = 0.9
"""Cosine from which on a plane has the name of the body's; below, it is oblique."""

MOST_PLANES: Final = 400
"""Planes of one series that are told apart: each new frame is compared with all of them."""

Orientation = tuple[float, ...]

Plane = tuple[Point, Point, list[Frame]]
"""The direction of its rows, its normal, its frames."""


@dataclass(frozen=True, slots=True)
class Group:
    """Frames that follow each other in the display order."""

    name: str
    start: int
    count: int


def ordered(frames: Sequence[Frame]) -> tuple[list[Frame], list[Group]]:
    """The frames in display order, and its groups: what was numbered first comes first."""
    bundles: dict[tuple[int, int, int], list[Frame]] = {}
    for frame in frames:
        pixels = frame.pixels
        bundles.setdefault((pixels.rows, pixels.columns, pixels.samples), []).append(frame)
    parts = [part for bundle in bundles.values() for part in _by_orientation(bundle)]
    parts.sort(key=lambda part: min(map(_number, part[1])))
    found: list[Frame] = []
    groups: list[Group] = []
    for normal, part in parts:
        groups.append(Group(_name(normal, part[0]), len(found), len(part)))
        found += _along(normal, part)
    return found, groups


def _by_orientation(frames: Iterable[Frame]) -> list[tuple[Point | None, list[Frame]]]:
    """The frames by their plane, with its normal; None for those without place, and for planes that turn."""
    bare: list[Frame] = []
    planes: list[Plane] = []
    exact: dict[Orientation, list[Frame]] = {}
    for frame in frames:
        if frame.orientation is None or frame.position is None:
            bare.append(frame)
            continue
        known = exact.get(frame.orientation)
        if known is None:
            known = exact[frame.orientation] = _like(planes, frame.orientation)
        known.append(frame)
    found: list[tuple[Point | None, list[Frame]]] = [(normal, part) for _, normal, part in planes]
    count = sum(len(part) for _, part in found)
    if len(planes) > MOST_ORIENTATIONS and len(planes) * 2 > count:
        found = [(None, [frame for _, part in found for frame in part])]
    return [*found, (None, bare)] if bare else found


def _like(planes: list[Plane], orientation: Orientation) -> list[Frame]:
    """The frames of the plane that this orientation is of, a new one if need be."""
    if len(planes) >= MOST_PLANES:
        return planes[-1][2]
    row, normal = _unit(orientation[:3]), _unit(cross(orientation[:3], orientation[3:]))
    for other, other_normal, part in planes:
        if _dot(normal, other_normal) > SAME_DIRECTION and _dot(row, other) > SAME_DIRECTION:
            return part
    planes.append((row, normal, []))
    return planes[-1][2]


def _along(normal: Point | None, frames: list[Frame]) -> list[Frame]:
    if normal is None:
        return sorted(frames, key=_numbered)
    heights = sorted((_dot(normal, frame.position or (0.0, 0.0, 0.0)), index) for index, frame in enumerate(frames))
    places: dict[int, int] = {}
    place, begun = 0, heights[0][0]
    for height, index in heights:
        if height - begun > SAME_POSITION:
            place, begun = place + 1, height
        places[index] = place
    direction = _direction(frames, places, normal)
    keyed = sorted(
        enumerate(frames),
        key=lambda each: (
            direction * places[each[0]],
            each[1].moment,
            _number(each[1]),
            each[1].place.file,
            each[1].place.number,
        ),
    )
    return [frame for _, frame in keyed]


def _direction(frames: Sequence[Frame], places: Mapping[int, int], normal: Point) -> int:
    """1 along the normal, -1 against it: as the numbers of instances and frames go, else from head, right and front."""
    if any(frame.instance_number is not None or frame.place.number > 1 for frame in frames):
        ranked = sorted(range(len(frames)), key=lambda each: (_number(frames[each]), frames[each].place.number))
        middle_place, middle_rank = sum(places.values()) / len(frames), (len(frames) - 1) / 2
        together = sum((places[each] - middle_place) * (rank - middle_rank) for rank, each in enumerate(ranked))
        if together:
            return 1 if together > 0 else -1
    # Of the patient's axes (x to the left, y to the back, z to the head) the one that the normal follows most.
    axis = max(range(3), key=lambda each: abs(normal[each]))
    forwards = normal[axis] > 0
    return (-1 if forwards else 1) if axis == 2 else (1 if forwards else -1)


def _numbered(frame: Frame) -> tuple[float, float, tuple[float, ...], int, int]:
    """The order of frames without a place: acquisition, InstanceNumber, time, file, frame."""
    return frame.moment[0], _number(frame), frame.moment[1:], frame.place.file, frame.place.number


def _number(frame: Frame) -> float:
    return LAST if frame.instance_number is None else frame.instance_number


def _name(normal: Point | None, frame: Frame) -> str:
    size = f"{frame.pixels.columns}\N{MULTIPLICATION SIGN}{frame.pixels.rows}"
    if normal is None:
        return f"turning {size}" if frame.orientation and frame.position else size
    plane = next((name for axis, name in NAMES if abs(_dot(normal, axis)) > PURE), "oblique")
    return f"{plane} {size}"


def _dot(one: Iterable[float], other: Iterable[float]) -> float:
    return float(sum(map(mul, one, other)))


def _size(vector: Sequence[float]) -> float:
    return math.sqrt(_dot(vector, vector))


def _unit(vector: Sequence[float]) -> Point:
    size = _size(vector) or 1.0
    return vector[0] / size, vector[1] / size, vector[2] / size
