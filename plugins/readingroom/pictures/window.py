"""Shows many greys as 256: the window that holds a radiograph, found in the picture itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Greys = NDArray[Any]

LOOKED_AT = 1 << 20
"""Pixels that the window is found in: every n-th of a larger picture."""

PERCENTILES = (0.1, 99.9)
"""A hot pixel or a lead letter must not make the rest flat; one in a thousand at either end may be lost."""

WIDER = 1.5
"""Where darkest and brightest lie no further apart than so many times the percentiles, nothing is lost at all."""

EVEN = 0.01
"""A line whose greys differ by less than this part of all is the edge of a collimator or of the detector."""

FLOOD = 0.01
"""Where so much of what is left has exactly the first or the last grey, that is a mask or overexposed air."""

EXTENT = 1 << 16


def shown(greys: Greys, *, is_negative: bool) -> NDArray[np.uint8]:
    """Eight bits of a greyscale picture of integers or floats; `is_negative`: its zero is white."""
    low, high = window(greys)
    if greys.dtype == np.uint16:
        # A table is quicker than counting with every pixel.
        return _scaled(np.arange(EXTENT), low, high, is_negative)[greys]
    out = np.empty(greys.shape, np.uint8)
    for at in range(0, greys.shape[0], 256):  # a few lines at a time: the numbers between are four times as large
        out[at : at + 256] = _scaled(greys[at : at + 256], low, high, is_negative)
    return out


def window(greys: Greys) -> tuple[float, float]:
    """The greys that become black and white: those between which what is no border lies."""
    step = max(int((greys.size / LOOKED_AT) ** 0.5), 1)
    sample = greys[::step, ::step]
    if sample.dtype.kind == "f":
        sample = np.nan_to_num(sample.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    content = _without_border(sample).ravel()
    darkest, brightest = content.min(), content.max()
    kept = content[(content != darkest) | (np.mean(content == darkest) < FLOOD)]
    kept = kept[(kept != brightest) | (np.mean(content == brightest) < FLOOD)]
    if kept.size < content.size / 100 or kept.min() == kept.max():
        kept = content  # drawn in two greys, or one
    low, high = (float(value) for value in np.percentile(kept, PERCENTILES))
    least, most = float(kept.min()), float(kept.max())
    return (least, most) if most - least <= WIDER * (high - low) or low == high else (low, high)


def _without_border(sample: Greys) -> Greys:
    even = EVEN * (float(sample.max()) - float(sample.min()))
    for axis in (0, 1):
        low, high = np.percentile(sample, (2, 98), axis=1 - axis)
        lines = np.flatnonzero(high.astype(np.float64) - low > even)
        if lines.size:
            sample = sample[slice(lines[0], lines[-1] + 1) if axis == 0 else slice(None), :]
            sample = sample[:, slice(lines[0], lines[-1] + 1)] if axis == 1 else sample
    return sample


def _scaled(greys: Greys, low: float, high: float, is_negative: bool) -> NDArray[np.uint8]:
    if high <= low:  # one grey: as bright as it says
        high = low + 1.0
        low = 0.0 if low >= 0 else low
        high = max(high, float(EXTENT - 1)) if greys.dtype.kind in "iu" else high
    scaled = (np.nan_to_num(greys.astype(np.float64)) - low) * (255.0 / (high - low))
    if is_negative:
        scaled = 255.0 - scaled
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
