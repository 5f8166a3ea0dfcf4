"""Takes grey values through the lookup tables of their file, as the manifest's readers do (PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from readingroom.headers.lookup_table import Kind, LookupTable, Span, Unusable, table

Pixels = NDArray[Any]


def stored(header: Dataset) -> Span:
    """Between which ends stored values lie."""
    half = 1 << (int(header.get("BitsStored") or header.get("BitsAllocated") or 16) - 1)
    return (-half, half - 1) if header.get("PixelRepresentation") else (0, 2 * half - 1)


def rescaled(inputs: Span, said: Dataset) -> Span:
    """Between which ends they lie behind the rescale that is told of there."""
    slope, intercept = said.get("RescaleSlope"), said.get("RescaleIntercept")
    if slope is None or intercept is None:
        return inputs
    ends = [each * float(slope) + float(intercept) for each in inputs]
    return min(ends), max(ends)


def modality(header: Dataset, inputs: Span) -> LookupTable | None:
    """The modality's table; None where it is damaged."""
    return _made("modality", header.ModalityLUTSequence[0], header, inputs)


def voi(said: Dataset, header: Dataset, inputs: Span) -> LookupTable | None:
    """The first table of the VOI LUT Sequence that is none of the damaged; None where there is none."""
    made = (_made("voi", each, header, inputs) for each in said.get("VOILUTSequence") or ())
    return next((each for each in made if each is not None), None)


def through(found: LookupTable, values: Pixels) -> Pixels:
    """What the table makes of them."""
    entries = np.frombuffer(found.entries, "<u2")
    numbers = np.nan_to_num(np.floor(values)) if values.dtype.kind == "f" else values
    places = np.clip(numbers.astype(np.int64) - found.first, 0, found.count - 1)
    looked_up: Pixels = entries[places]
    return looked_up


def _made(kind: Kind, item: Dataset, header: Dataset, inputs: Span) -> LookupTable | None:
    try:
        return table(kind, [int(each) for each in item.LUTDescriptor], _data(item.LUTData, header), inputs)
    except (Unusable, AttributeError, TypeError, ValueError):  # whatever stands in place of numbers
        return None


def _data(said: bytes | int | Sequence[int], header: Dataset) -> bytes:
    """As little-endian words; pydicom gives OW as it stands in the file, US as numbers."""
    if isinstance(said, (bytes, bytearray)):
        is_little = header.original_encoding[1] is not False
        return bytes(said) if is_little else np.frombuffer(said[: len(said) & ~1], ">u2").astype("<u2").tobytes()
    return np.asarray([said] if isinstance(said, int) else said, dtype=np.int64).astype("<u2").tobytes()
