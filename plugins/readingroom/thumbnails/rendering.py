"""Makes a small picture of one DICOM file, as a person expects to see it: right window, right colours."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, config, dcmread
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from readingroom.headers.lookup_table import Span
from readingroom.thumbnails import lookups, stored

EDGE = 256
"""Pixels along the longer side."""

MAX_BYTES = 400 << 20
"""Of one decoded frame: four times the largest mammogram; what claims more is broken or means harm."""

LOOKED_AT = 1 << 18
"""Pixels that percentiles are taken of."""

PERCENTILES = (0.5, 99.5)
"""What is darkest and brightest where the file has no window: a hot pixel must not make the rest black."""

STRETCH = (0.2, 5.0)
"""How much longer than broad a pixel may be; beyond, its size is a mistake."""

QUALITY = 80

Pixels = NDArray[Any]


class NoPicture(Exception):
    """There is nothing to show, or it cannot be decoded; the message quotes nothing of the file."""


def render(file: BinaryIO) -> bytes:
    """A WebP of the middle frame, 256 pixels at most along its longer side; raises NoPicture.

    Windows as PS3.3 C.11.2.1.2 has them, behind the modality's rescale or LUT (C.11.1).
    """
    # pydicom warns about values that break their representation, and quotes them.
    config.settings.reading_validation_mode = config.IGNORE
    try:
        header = dcmread(file, stop_before_pixels=True, force=True)
        image = Image.fromarray(shown(*decoded(file, header)))
        image = image.resize(_size(image, header), Image.Resampling.LANCZOS, reducing_gap=3.0)
        written = io.BytesIO()
        image.save(written, "WEBP", quality=QUALITY, method=4)
    except NoPicture:
        raise
    except (Exception, RecursionError) as error:  # a malformed file makes pydicom raise whatever Python has
        raise NoPicture(type(error).__name__) from None
    return written.getvalue()


def decoded(file: BinaryIO, header: Dataset) -> tuple[Pixels, Dataset, int]:
    """The middle frame as it is stored (colours as RGB), its header, and its place from 0."""
    if not header.get("Rows") or not header.get("Columns"):
        raise NoPicture("not an image")
    count = int(header.Rows) * int(header.Columns) * int(header.get("SamplesPerPixel") or 1)
    if count * (int(header.get("BitsAllocated") or 8) + 7) // 8 > MAX_BYTES:
        raise NoPicture("too large")
    middle = max(int(header.get("NumberOfFrames") or 1), 1) // 2
    return stored.frame(file, header, middle), header, middle


def shown(pixels: Pixels, header: Dataset, frame: int = 0) -> Pixels:
    """The frame as 8-bit grey or RGB."""
    meaning = str(header.get("PhotometricInterpretation") or "MONOCHROME2").strip()
    if meaning == "PALETTE COLOR":
        coloured = apply_color_lut(pixels, header)
        return _eight_bits(coloured, 16 if coloured.dtype.itemsize == 2 else 8)[..., :3]
    if pixels.ndim == 3:
        return _eight_bits(pixels, int(header.get("BitsStored") or pixels.dtype.itemsize * 8))[..., :3]
    if pixels.ndim != 2:
        raise NoPicture("neither grey nor coloured")
    grey = _grey(pixels, header, frame)
    inverse = str(header.get("PresentationLUTShape") or "").strip() == "INVERSE"
    return 255 - grey if inverse or meaning == "MONOCHROME1" else grey


def _grey(pixels: Pixels, header: Dataset, frame: int) -> Pixels:
    of_frame = _groups(header, frame)
    values, inputs, is_meant = _values(pixels, header, of_frame)
    windowed = _first(of_frame, "FrameVOILUTSequence") or header
    lut = lookups.voi(windowed, header, inputs) if is_meant else None
    if lut is not None:
        return _eight_bits(lookups.through(lut, values), lut.bits)
    numbers = np.nan_to_num(np.asarray(values, dtype=np.float32))
    window = _window(windowed) if is_meant else None
    if window is None:
        low, high = _extremes(numbers, pixels, header)
        return _between(numbers, low, high)
    center, width, function = window
    if function == "SIGMOID":
        exponent = np.clip(-4.0 * (numbers - center) / width, -50, 50)
        return np.asarray(255.0 / (1.0 + np.exp(exponent)) + 0.5).astype(np.uint8)
    if function == "LINEAR_EXACT":
        return _between(numbers, center - width / 2, center + width / 2)
    return _between(numbers, center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2)


def _values(pixels: Pixels, header: Dataset, of_frame: list[Dataset]) -> tuple[Pixels, Span, bool]:
    """What the stored values mean, between which ends they can lie, and whether that is known (PS3.3 C.11.1)."""
    inputs = lookups.stored(header)
    if header.get("ModalityLUTSequence") and pixels.dtype.kind in "iu":
        lut = lookups.modality(header, inputs)
        if lut is None:  # windows speak of what would have come of it
            return pixels, inputs, False
        return lookups.through(lut, pixels), (0, lut.greatest), True
    said = _first(of_frame, "PixelValueTransformationSequence", "RescaleSlope")
    values = apply_modality_lut(pixels, said or header)
    return values, lookups.rescaled(inputs, said or header), True


def _window(said: Dataset) -> tuple[float, float, str] | None:
    centers, widths = _numbers(said.get("WindowCenter")), _numbers(said.get("WindowWidth"))
    function = str(said.get("VOILUTFunction") or "LINEAR").strip().upper()
    if not centers or not widths or not np.isfinite([centers[0], widths[0]]).all():
        return None
    if widths[0] < 1 and (function == "LINEAR" or widths[0] <= 0):
        return None  # the standard forbids it, and it would be black and white
    return centers[0], widths[0], function


def _numbers(value: Any) -> list[float]:
    if value is None or value == "":
        return []
    return [float(each) for each in ([value] if isinstance(value, (str, int, float)) else value)]


def _extremes(numbers: Pixels, pixels: Pixels, header: Dataset) -> tuple[float, float]:
    step = max(1, int((numbers.size / LOOKED_AT) ** 0.5))
    sample, raw = numbers[::step, ::step], pixels[::step, ::step]
    kept = sample[~_padding(raw, header)]
    low, high = np.percentile(kept if kept.size else sample, PERCENTILES)
    if low == high:  # all but a few are the same: then those few are what there is to see
        low, high = float(sample.min()), float(sample.max())
    return float(low), float(high)


def _padding(stored: Pixels, header: Dataset) -> Pixels:
    """Which stored values stand for no picture at all (PS3.3 C.7.5.1.1.2)."""
    first = header.get("PixelPaddingValue")
    last = header.get("PixelPaddingRangeLimit", first)
    if not isinstance(first, int) or not isinstance(last, int):
        return np.zeros(stored.shape, dtype=bool)
    found: Pixels = (stored >= min(first, last)) & (stored <= max(first, last))
    return found


def _between(numbers: Pixels, low: float, high: float) -> Pixels:
    scaled = (numbers - np.float32(low)) * np.float32(255.0 / max(high - low, 1e-6))
    return np.asarray(np.clip(scaled, 0, 255) + np.float32(0.5)).astype(np.uint8)


def _eight_bits(pixels: Pixels, bits: int) -> Pixels:
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels)
    if bits > 8:
        return np.asarray(np.clip(np.asarray(pixels, np.float32) * (255.0 / (2**bits - 1)), 0, 255)).astype(np.uint8)
    if bits < 8:
        return np.asarray(np.clip(pixels, 0, 2**bits - 1) * 255 // (2**bits - 1)).astype(np.uint8)
    return np.asarray(np.clip(pixels, 0, 255)).astype(np.uint8)


def _groups(header: Dataset, frame: int) -> list[Dataset]:
    """The functional groups of a frame, its own before the shared ones (PS3.3 C.7.6.16)."""
    own, shared = header.get("PerFrameFunctionalGroupsSequence"), header.get("SharedFunctionalGroupsSequence")
    return [*([own[frame]] if own and frame < len(own) else []), *([shared[0]] if shared else [])]


def _first(groups: list[Dataset], sequence: str, keyword: str = "") -> Dataset | None:
    for group in groups:
        items = group.get(sequence)
        if items and (keyword in items[0] if keyword else len(items[0])):
            found: Dataset = items[0]
            return found
    return None


def _size(image: Image.Image, header: Dataset) -> tuple[int, int]:
    tall = 1.0
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
        sizes = _numbers(header.get(keyword))
        if len(sizes) == 2 and min(sizes) > 0:
            tall = sizes[0] / sizes[1]  # row spacing by column spacing (PS3.3 10.7.1.3)
            break
    if not STRETCH[0] <= tall <= STRETCH[1]:
        tall = 1.0
    width, height = float(image.width), image.height * tall
    scale = min(EDGE / max(width, height), 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)
