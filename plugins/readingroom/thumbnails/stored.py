"""Reads one frame of a DICOM file as it is stored, colours as RGB; what pydicom reads wrong is read here by hand."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

Pixels = NDArray[Any]

WHOLE = (None, "", DeflatedExplicitVRLittleEndian)
"""Files of these syntaxes, or of none that is told, are read as a whole."""

NATIVE = (*WHOLE, ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)


def frame(file: BinaryIO, header: Dataset, number: int) -> Pixels:
    """One frame, from 0; of most files nothing else is read. Raises whatever pydicom does."""
    syntax = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    index = number if int(header.get("NumberOfFrames") or 1) > 1 else None
    source: BinaryIO | Dataset = file
    file.seek(0)
    if syntax in WHOLE:
        source = dcmread(file, force=True)
        if not source.file_meta.get("TransferSyntaxUID"):
            source.file_meta.TransferSyntaxUID = _assumed(source)
    if syntax in NATIVE and _begins_within_a_byte(header, number):
        return _bits(source, header, number)
    if syntax in NATIVE and _lies_higher(header):
        return _lowered(pixel_array(source, index=index, correct_unused_bits=False), header)
    return pixel_array(source, index=index)


def _assumed(whole: Dataset) -> UID:
    """What a file without meta information was read as."""
    implicit, little = whole.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _begins_within_a_byte(header: Dataset, number: int) -> bool:
    """Frames of single bits follow each other without a gap (PS3.5 section 8.1.1); pydicom 3.0 cuts the last off."""
    return header.BitsAllocated == 1 and number > 0 and int(header.Rows) * int(header.Columns) % 8 != 0


def _bits(source: BinaryIO | Dataset, header: Dataset, number: int) -> Pixels:
    count = int(header.Rows) * int(header.Columns)
    first, last = number * count // 8, -(-(number + 1) * count // 8)
    if isinstance(source, Dataset):
        packed = source.PixelData[first:last]
    else:
        again = dcmread(source, stop_before_pixels=True, force=True)  # leaves the file where they begin
        is_implicit, _ = again.original_encoding
        source.seek((8 if is_implicit else 12) + first, 1)
        packed = source.read(last - first)
    bits = np.unpackbits(np.frombuffer(packed, "u1"), bitorder="little")[number * count % 8 :][:count]
    return bits.reshape(int(header.Rows), int(header.Columns))


def _lies_higher(header: Dataset) -> bool:
    """Whether greys do not lie in the lowest bits (PS3.5 section 8.1.1); in old files alone, and pydicom cuts them."""
    stored, high = header.get("BitsStored"), header.get("HighBit")
    return int(header.get("SamplesPerPixel") or 1) == 1 and None not in (stored, high) and high >= stored > 0


def _lowered(pixels: Pixels, header: Dataset) -> Pixels:
    """Such greys, with the bits that are meant where they belong."""
    bits, stored, high = pixels.dtype.itemsize * 8, int(header.BitsStored), int(header.HighBit)
    if pixels.dtype.kind not in "iu" or high >= bits:
        return pixels
    return (pixels << (bits - 1 - high)) >> (bits - stored)
