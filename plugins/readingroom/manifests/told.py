"""What the manifest says of a frame beside its place: pixels, spacing, rescale, windows, pace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from readingroom.manifests import tags
from readingroom.manifests.delivery import Delivery
from readingroom.manifests.file_header import FileHeader
from readingroom.manifests.uptake import uptake_factor
from readingroom.manifests.values import floats, number, short, texts, word

PROJECTIONS: Final = frozenset({"CR", "DX", "MG", "XA", "RF", "IO", "PX", "RG"})
"""Modalities whose PixelSpacing may be that of the detector (PS3.3 section 10.7.1.3)."""


def common(header: FileHeader, delivery: Delivery) -> dict[str, Any]:
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
    return said | spacing(header, values) | rescale(values, values) | window(values, header)


def spacing(header: FileHeader, values: Mapping[int, bytes]) -> dict[str, Any]:
    """Spacing of pixels and slices, in mm, and what it was measured at."""
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


def rescale(values: Mapping[int, bytes], whole_file: Mapping[int, bytes]) -> dict[str, Any]:
    """From stored values to those that mean something (PS3.3 C.11.1)."""
    slope, intercept = number(values.get(tags.SLOPE, b"")), number(values.get(tags.INTERCEPT, b""))
    if slope is None and intercept is None:
        slope = number(whole_file.get(tags.DOSE_SCALING, b""))
    return {
        "slope": slope or 1.0,
        "intercept": intercept or 0.0,
        "rescaleType": word(values.get(tags.RESCALE_TYPE, b"")) or None,
    }


def window(values: Mapping[int, bytes], header: FileHeader) -> dict[str, Any]:
    """The windows that the header offers (PS3.3 C.11.2)."""
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
