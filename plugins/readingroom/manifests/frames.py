"""Takes the header of one file apart into its frames: where each lies in space, time and file, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from readingroom.headers.errors import HeaderError
from readingroom.headers.sequences import Item, first, value
from readingroom.headers.window import Read
from readingroom.manifests import tags
from readingroom.manifests.delivery import LOOK, NATIVE, Delivery, Pixels, after_a_look, delivered, needs_a_look
from readingroom.manifests.file_header import FileHeader, PixelData
from readingroom.manifests.fragments import Part, Unframed, frame_parts
from readingroom.manifests.model import FramePlace
from readingroom.manifests.uptake import uptake_factor
from readingroom.manifests.values import double, floats, long, number, short, texts, whole, word

MAX_FRAMES: Final = 100_000
"""Of one file."""

MAX_PIXELS: Final = 1 << 28
"""Of one frame: a whole-slide picture in one piece is no picture for a screen."""

PROJECTIONS: Final = frozenset({"CR", "DX", "MG", "XA", "RF", "IO", "PX", "RG"})
"""Modalities whose PixelSpacing may be that of the detector (PS3.3 section 10.7.1.3)."""

TIMES: Final = (tags.ACQUISITION_TIME, tags.CONTENT_TIME)

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


def frames_of(file: int, header: FileHeader, read: Read) -> list[Frame]:
    """The frames of a file, in their order there. Raises Unshown, HeaderError, and what `read` raises."""
    pixels, stored = header.pixels, _stored(header)
    if pixels is None or stored is None:
        raise Unshown("It holds no picture.")
    delivery = delivered(header.syntax, stored)
    if delivery.why_not:
        raise Unshown(delivery.why_not)
    count = max(whole(header.values.get(tags.FRAMES, b"")) or 1, 1)
    if count > MAX_FRAMES or stored.rows * stored.columns > MAX_PIXELS:
        raise Unshown("It is too large to be shown.")
    parts = _parts(header, pixels, stored, count, read)
    if needs_a_look(delivery) and parts and parts[0]:
        delivery = after_a_look(delivery, stored, read(parts[0][0][0], LOOK))
    common = _common(header, delivery)
    return [
        _frame(file, index, header, delivery, common, each, count) for index, each in enumerate(parts)
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


def _common(header: FileHeader, delivery: Delivery) -> dict[str, Any]:
    """What holds of all frames of a file."""
    values, big, pixels = header.values, header.big, delivery.pixels
    signed = bool(pixels.signed)
    decoded_colour = delivery.decode and pixels.samples == 3
    smallest = short(values.get(tags.SMALLEST, b""), big=big, signed=signed)
    largest = short(values.get(tags.LARGEST, b""), big=big, signed=signed)
    if smallest is None or largest is None or smallest >= largest or decoded_colour:
        smallest = largest = None  # some writers put zeros there
    aspect = floats(values.get(tags.ASPECT_RATIO, b""))
    said: dict[str, Any] = {
        "rows": pixels.rows,
        "columns": pixels.columns,
        "samplesPerPixel": pixels.samples,
        "photometricInterpretation": pixels.photometric,
        "planarConfiguration": pixels.planar if pixels.samples > 1 else None,
        "bitsAllocated": pixels.allocated,
        "bitsStored": pixels.stored,
        "highBit": pixels.high,
        "pixelRepresentation": pixels.signed,
        "pixelAspectRatio": list(aspect) if len(aspect) == 2 and min(aspect) > 0 else None,
        "frameTime": _frame_time(values),
        "transferSyntaxUid": header.syntax,
        "encoding": delivery.encoding,
        "smallest": smallest,
        "largest": largest,
        "lossy": word(values.get(tags.LOSSY, b"")) == "01",
        "burnedIn": word(values.get(tags.BURNED_IN, b"")).upper() == "YES",
        "suv": uptake_factor(header),
    }
    if pixels.floating:
        said["float"] = True
    return said | _spacing(header, values) | _rescale(values, values) | _window(values, header)


def _frame(
    file: int, index: int, header: FileHeader, delivery: Delivery, common: Mapping[str, Any],
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
            said |= _spacing(header, _plain(measures))
        if voi := group(tags.FRAME_VOI):
            said |= _window(_plain(voi), header)
        if transformation := group(tags.VALUE_TRANSFORMATION):
            said |= _rescale(_plain(transformation), values)
        moment = _moment_of_groups(group, header)
    else:
        moment = _moment(values)
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
        moment=moment,
    )


def _grouped(own: Item, shared: Item) -> Callable[[int], Item]:
    """Finds a functional group of a frame: its own before the one that all share."""
    return lambda tag: first(own.get(tag)) or first(shared.get(tag))


def _plain(item: Item) -> Mapping[int, bytes]:
    return {tag: each for tag, each in item.items() if isinstance(each, bytes)}


def _spacing(header: FileHeader, values: Mapping[int, bytes]) -> dict[str, Any]:
    said = floats(values.get(tags.PIXEL_SPACING, b""))
    detector = floats(header.values.get(tags.IMAGER_SPACING, b"")) or floats(
        header.values.get(tags.SCANNED_SPACING, b"")
    )
    is_projection = word(header.values.get(tags.MODALITY, b"")) in PROJECTIONS
    spacing, kind = (said, "patient") if _is_spacing(said) else (detector, "detector")
    if is_projection and spacing == detector:
        kind = "detector"
    known = _is_spacing(spacing)
    return {
        "pixelSpacing": list(spacing) if known else None,
        "spacingIs": kind if known else None,
        "sliceThickness": number(values.get(tags.SLICE_THICKNESS, b"")),
        "spacingBetweenSlices": number(values.get(tags.SPACING_BETWEEN, b"")),
    }


def _is_spacing(said: tuple[float, ...]) -> bool:
    return len(said) == 2 and min(said) > 0


def _rescale(values: Mapping[int, bytes], whole_file: Mapping[int, bytes]) -> dict[str, Any]:
    slope, intercept = number(values.get(tags.SLOPE, b"")), number(values.get(tags.INTERCEPT, b""))
    if slope is None and intercept is None:
        slope = number(whole_file.get(tags.DOSE_SCALING, b""))
    return {
        "slope": slope or 1.0,
        "intercept": intercept or 0.0,
        "rescaleType": word(values.get(tags.RESCALE_TYPE, b"")) or None,
    }


def _window(values: Mapping[int, bytes], header: FileHeader) -> dict[str, Any]:
    centers, widths = floats(values.get(tags.WINDOW_CENTER, b"")), floats(values.get(tags.WINDOW_WIDTH, b""))
    function = word(values.get(tags.VOI_FUNCTION, b"")).upper()
    # A width below one is forbidden (PS3.3 C.11.2.1.2), and would be black and white.
    least = 1.0 if function in ("", "LINEAR") else 0.0
    kept = [
        index for index, (_, width) in enumerate(zip(centers, widths, strict=False)) if width > 0 and width >= least
    ]
    names = texts(values.get(tags.WINDOW_EXPLANATION, b""), header.values.get(tags.CHARSET, b""))
    return {
        "windowCenter": [centers[index] for index in kept],
        "windowWidth": [widths[index] for index in kept],
        "windowExplanation": [names[index] if index < len(names) else "" for index in kept] if names else [],
        "voiLutFunction": function or None,
    }


def _frame_time(values: Mapping[int, bytes]) -> float | None:
    """Milliseconds from one frame to the next (PS3.3 C.7.6.5)."""
    said = number(values.get(tags.FRAME_TIME, b""))
    if said and said > 0:
        return said
    vector = floats(values.get(tags.FRAME_TIME_VECTOR, b""))
    if len(vector) > 1 and sum(vector) > 0:
        return sum(vector) / (len(vector) - 1)
    for tag in (tags.CINE_RATE, tags.DISPLAY_FRAME_RATE):
        rate = number(values.get(tag, b""))
        if rate and rate > 0:
            return 1000.0 / rate
    return None


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


LAST: Final = float("inf")
"""Where a header has no value to sort by: behind those that have."""


def _moment(values: Mapping[int, bytes]) -> tuple[float, ...]:
    def said(tag: int) -> float:
        found = number(values.get(tag, b""))
        return LAST if found is None else found

    when = next((found for tag in TIMES if (found := _seconds(values.get(tag, b""))) is not None), LAST)
    if (at := values.get(tags.ACQUISITION_DATE_TIME)) and when == LAST:
        when = _seconds(at[8:]) or LAST
    return (
        said(tags.ACQUISITION_NUMBER), said(tags.TEMPORAL_POSITION), said(tags.TRIGGER_TIME), when,
        said(tags.ECHO_NUMBERS), said(tags.ECHO_TIME),
    )  # fmt: skip


def _moment_of_groups(group: Callable[[int], Item], header: FileHeader) -> tuple[float, ...]:
    content, big = group(tags.FRAME_CONTENT), header.big

    def or_last(found: float | None) -> float:
        return LAST if found is None else found

    acquisition = short(value(content, tags.FRAME_ACQUISITION_NUMBER), big=big)
    if acquisition is None:
        acquisition = whole(header.values.get(tags.ACQUISITION_NUMBER, b""))
    temporal = long(value(content, tags.TEMPORAL_INDEX), big=big)
    delay = double(value(group(tags.CARDIAC), tags.TRIGGER_DELAY), big=big)
    when = _seconds(value(content, tags.FRAME_ACQUISITION_TIME)[8:])
    echo = double(value(group(tags.ECHO), tags.EFFECTIVE_ECHO_TIME), big=big)
    return or_last(acquisition), or_last(temporal), or_last(delay), or_last(when), LAST, or_last(echo)


def _seconds(raw: bytes) -> float | None:
    """Seconds since midnight of a DICOM time (PS3.5 table 6.2-1: HHMMSS.FFFFFF), or the time in a DT."""
    said = word(raw).replace(":", "").partition("+")[0].partition("-")[0]
    if len(said) < 4 or not said.replace(".", "", 1).isdigit():
        return None
    return int(said[:2]) * 3600 + int(said[2:4]) * 60 + (float(said[4:]) if said[4:] else 0.0)
