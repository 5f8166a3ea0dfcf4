"""Decodes one frame of a DICOM file into what its manifest promises; runs in a confined process."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, config, dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, ExplicitVRLittleEndian

from readingroom.frames.shape import Shape
from readingroom.thumbnails import rendering, stored
from readingroom.thumbnails.rendering import NoPicture

DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
EXTENDED = "1.2.840.10008.1.2.4.51"
PART_2 = ("1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.93")
"""JPEG 2000 part 2: what of it is part 1 can be decoded."""

MAX_BYTES = 512 << 20

Pixels = NDArray[Any]


def decode(file: BinaryIO, about: bytes) -> bytes:
    """The frame that `about` names, in the shape that it tells; raises NoPicture."""
    said = json.loads(about)
    shape = Shape(**said["shape"])
    if shape.size > MAX_BYTES:
        raise NoPicture("too large")
    # pydicom warns about values that break their representation, and quotes them.
    config.settings.reading_validation_mode = config.IGNORE
    try:
        header = dcmread(file, stop_before_pixels=True, force=True)
        pixels = _pixels(file, header, said["syntax"], int(said["number"]), said["parts"])
        made = _as_promised(pixels, header, shape)
    except NoPicture:
        raise
    except (Exception, RecursionError) as error:  # a malformed file makes pydicom raise whatever Python has
        raise NoPicture(type(error).__name__) from None
    if made.shape[:2] != (shape.rows, shape.columns) or made.nbytes != shape.size:
        raise NoPicture("it is not what its header says")
    return made.tobytes()


def _pixels(file: BinaryIO, header: Dataset, syntax: str, number: int, parts: Sequence[Sequence[int]]) -> Pixels:
    """The frame as it is stored; colours as RGB, but for a palette."""
    if not parts or not (UID(syntax).is_encapsulated or syntax in (DEFLATED_FRAMES, *PART_2)):
        return stored.frame(file, header, number - 1)
    data = _joined(file, parts)
    if "NumberOfFrames" in header:
        header.NumberOfFrames = "1"
    if syntax == DEFLATED_FRAMES:
        header.PixelData = _inflated(data)
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    elif syntax in PART_2:
        from imagecodecs import jpeg2k_decode  # noqa: PLC0415  # hardly ever needed

        decoded: Pixels = jpeg2k_decode(data)
        return decoded
    elif syntax == EXTENDED and header.SamplesPerPixel == 1:
        # pydicom's decoder refuses scans whose end is not told as T.81 has it; there are scanners that write such.
        from imagecodecs import jpeg_decode  # noqa: PLC0415  # hardly ever needed

        grey: Pixels = jpeg_decode(data)
        return grey
    else:
        header.PixelData = encapsulate([data])
        header["PixelData"].is_undefined_length = True
    return pixel_array(header)


def _joined(file: BinaryIO, parts: Sequence[Sequence[int]]) -> bytes:
    found = bytearray()
    for offset, length in parts:
        file.seek(offset)
        data = file.read(length)
        if len(data) != length:
            raise NoPicture("the file ends too early")
        found += data
    return bytes(found)


def _inflated(data: bytes) -> bytes:
    made = zlib.decompressobj(-zlib.MAX_WBITS)
    found = made.decompress(data, MAX_BYTES)
    if not made.eof:
        raise NoPicture("too large, or cut")
    return found


def _as_promised(pixels: Pixels, header: Dataset, shape: Shape) -> Pixels:
    if shape.samples == 3:
        return np.ascontiguousarray(rendering.shown(pixels, header))
    if pixels.ndim != 2:
        raise NoPicture("it has colours where its header has none")
    if shape.floating:
        return pixels.astype("<f4")
    if pixels.dtype.kind not in "iu":
        raise NoPicture("its numbers are no integers")
    kind = np.dtype(f"<{'i' if shape.signed else 'u'}{shape.bits // 8}")
    if pixels.dtype.itemsize > kind.itemsize:
        about = np.iinfo(kind)
        pixels = np.clip(pixels, about.min, about.max)
    return pixels.astype(kind)
