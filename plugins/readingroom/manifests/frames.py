"""Takes the header of one file apart into its frames: where each lies in space, time and file, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from readingroom.headers.errors import HeaderError
from readingroom.headers.sequences import Item, first, value
from readingroom.headers.window import Read
from readingroom.manifests import tags, told
from readingroom.manifests.delivery import (
    LOOK,
    NATIVE,
    Delivery,
    Pixels,
    after_a_look,
    delivered,
    needs_a_look,
    without_overlays,
)
from readingroom.manifests.file_header import FileHeader, PixelData
from readingroom.manifests.fragments import Part, Unframed, frame_parts
from readingroom.manifests.lookups import Lookups, Tables
from readingroom.manifests.model import FramePlace
from readingroom.manifests.moments import moment, moment_of_groups
from readingroom.manifests.values import floats, short, whole, word

MAX_FRAMES: Final = 100_000
"""Of one file."""

MAX_PIXELS: Final = 1 << 28
"""Of one frame: a whole-slide picture in one piece is no picture for a screen."""

Point = tuple[float, float, float]


@dataclass(slots=True)
class Frame:
    """One frame as it is shown."""

    place: FramePlace
    pixels: Pixels
    said: dict[str, Any]
    """What the manifest tells of it, by the names that it has there; without its position."""
    position: Point | None
    orientation: tuple[float, ...] | None
    instance_number: int | None
    moment: tuple[float, ...]
    """What tells frames at one position apart, in order: acquisition, time, echo."""


class Unshown(Exception):
    """The file has no picture that can be shown; the message is for a person and quotes nothing of the file."""


def frames_of(file: int, header: FileHeader, read: Read, tables: Tables) -> list[Frame]:
    """The frames of a file, in their order there; their lookup tables come to those of the series, `tables`.

    Raises Unshown, HeaderError, and what `read` raises.
    """
    pixels, stored = header.pixels, _stored(header)
    if pixels is None or stored is None:
        raise Unshown("It holds no picture.")
    delivery = delivered(header.syntax, stored)
    if delivery.why_not:
        raise Unshown(delivery.why_not)
    delivery = without_overlays(
        delivery,
        stored,
        (short(header.values[tag], big=header.big) or 0 for tag in tags.OVERLAY_BITS if tag in header.values),
    )
    count = max(whole(header.values.get(tags.FRAMES, b"")) or 1, 1)
    if count > MAX_FRAMES or stored.rows * stored.columns > MAX_PIXELS:
        raise Unshown("It is too large to be shown.")
    parts = _parts(header, pixels, stored, count, read)
    if needs_a_look(delivery) and parts and parts[0]:
        delivery = after_a_look(delivery, stored, read(parts[0][0][0], LOOK))
    lookups = Lookups(header, stored, tables)
    common = told.common(header, delivery)
    common |= lookups.told(common, header.voi_luts)
    return [
        _frame(file, index, header, delivery, lookups, common, each, count) for index, each in enumerate(parts)
    ]  # fmt: skip


def _stored(header: FileHeader) -> Pixels | None:
    values, big = header.values, header.big

    def said(tag: int) -> int:
        return short(values.get(tag, b""), big=big) or 0

    rows, columns = said(tags.ROWS), said(tags.COLUMNS)
    if not rows or not columns:
        return None
    floating = header.pixels is not None and header.pixels.tag != tags.PIXELS
    allocated = said(tags.BITS_ALLOCATED) or (0 if not floating else 32)
    stored = said(tags.BITS_STORED) or allocated
    high = short(values.get(tags.HIGH_BIT, b""), big=big)
    return Pixels(
        rows=rows,
        columns=columns,
        samples=said(tags.SAMPLES) or 1,
        photometric=word(values.get(tags.PHOTOMETRIC, b"")).upper() or "MONOCHROME2",
        planar=short(values.get(tags.PLANAR, b""), big=big),
        allocated=allocated,
        stored=stored,
        high=stored - 1 if high is None else high,
        signed=min(said(tags.REPRESENTATION), 1),
        floating=floating,
    )


def _parts(header: FileHeader, pixels: PixelData, stored: Pixels, count: int, read: Read) -> list[tuple[Part, ...]]:
    """The bytes of each frame; of frames that lie behind the end of the file there is none."""
    if header.deflated:
        return [()] * count
    if pixels.length is None:
        if header.syntax in NATIVE:
            raise Unshown("It says that its pixels are not compressed, and they lie in fragments.")
        try:
            return [tuple(each) for each in frame_parts(read, header.size, pixels, count)]
        except Unframed:
            raise Unshown("Where one of its frames ends and the next begins cannot be told.") from None
        except HeaderError:
            raise Unshown("The file ends before its pixels do.") from None
    if header.syntax not in NATIVE:
        raise Unshown("It says that its pixels are compressed, and they do not lie in fragments.")
    across = 2 if stored.photometric == "YBR_FULL_422" else stored.samples
    bits = stored.rows * stored.columns * across * stored.allocated
    there = min(pixels.length, header.size - pixels.start)
    complete = min(there * 8 // bits, count)
    if not complete:
        raise Unshown("The file ends before its pixels do.")
    if bits % 8:  # frames follow each other without a gap, in the middle of a byte (PS3.5 section 8.1.1)
        return [()] * complete
    length = bits // 8
    return [((pixels.start + index * length, length),) for index in range(complete)]


def _frame(
    file: int, index: int, header: FileHeader, delivery: Delivery, lookups: Lookups, common: Mapping[str, Any],
    parts: tuple[Part, ...], count: int,
) -> Frame:  # fmt: skip
    values = header.values
    own = header.frames[index] if index < len(header.frames) else {}
    place = FramePlace(file, index + 1, parts, header.syntax, delivery.encoding, delivery.decode)
    said = dict(common)
    said["bytes"] = delivery.pixels.bytes if delivery.decode else place.length
    orientation = floats(values.get(tags.ORIENTATION, b""))
    position = floats(values.get(tags.POSITION, b""))
    if own or header.shared:
        group = _grouped(own, header.shared)
        orientation = floats(value(group(tags.PLANE_ORIENTATION), tags.ORIENTATION)) or orientation
        position = floats(value(group(tags.PLANE_POSITION), tags.POSITION)) or position
        if measures := group(tags.PIXEL_MEASURES):
            said |= told.spacing(header, _plain(measures))
        voi, transformation = group(tags.FRAME_VOI), group(tags.VALUE_TRANSFORMATION)
        if voi:
            said |= told.window(_plain(voi), header)
        if transformation:
            said |= told.rescale(_plain(transformation), values)
        if voi or transformation:
            said |= lookups.told(said, _items(voi, tags.VOI_LUTS) if voi else header.voi_luts)
        # Frames without a place are a film, which runs in their order: the delays of an ECG begin anew with each beat.
        when = moment_of_groups(group, header) if position and orientation else moment(values)
    else:
        when = moment(values)
        if count > 1:
            position = _of_grid(values, position, orientation, index, count)
    fits = len(orientation) == 6 and any(orientation)
    said["imageOrientationPatient"] = list(orientation) if fits else None
    return Frame(
        place=place,
        pixels=delivery.pixels,
        said=said,
        position=(position[0], position[1], position[2]) if len(position) == 3 else None,
        orientation=orientation if fits else None,
        instance_number=whole(values.get(tags.INSTANCE_NUMBER, b"")),
        moment=when,
    )


def _grouped(own: Item, shared: Item) -> Callable[[int], Item]:
    """Finds a functional group of a frame: its own before the one that all share."""
    return lambda tag: first(own.get(tag)) or first(shared.get(tag))


def _plain(item: Item) -> Mapping[int, bytes]:
    return {tag: each for tag, each in item.items() if isinstance(each, bytes)}


def _items(item: Item, tag: int) -> list[Item]:
    found = item.get(tag, [])
    return found if isinstance(found, list) else []


def _of_grid(
    values: Mapping[int, bytes], position: tuple[float, ...], orientation: tuple[float, ...], index: int, count: int
) -> tuple[float, ...]:
    """The position of a frame of a dose grid (PS3.3 C.8.8.3.2); of other films the frames have none of their own."""
    offsets = floats(values.get(tags.GRID_OFFSETS, b""))
    if len(offsets) != count or len(position) != 3 or len(orientation) != 6:
        return ()
    row, column = orientation[:3], orientation[3:]
    along = offsets[index] - offsets[0] if offsets[0] == 0 else offsets[index] - position[2]
    normal = cross(row, column)
    return tuple(each + along * way for each, way in zip(position, normal, strict=True))


def cross(row: tuple[float, ...], column: tuple[float, ...]) -> Point:
    """The normal of a plane."""
    return (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )
