"""From stored values of a PET picture to standardised uptake values, by body weight (QIBA's SUV pseudo-code)."""

from __future__ import annotations

from typing import Final

from readingroom.headers.sequences import value
from readingroom.manifests import tags
from readingroom.manifests.file_header import FileHeader
from readingroom.manifests.values import number, word

DAY: Final = 86_400.0


def uptake_factor(header: FileHeader) -> float | None:
    """What a rescaled value (Bq/ml) is multiplied by to become g/ml; 1 where it is that already, None where the header
    does not tell enough.
    """
    values = header.values
    if word(values.get(tags.MODALITY, b"")) != "PT":
        return None
    units = word(values.get(tags.UNITS, b"")).upper()
    if units == "GML":
        return 1.0
    corrected = word(values.get(tags.CORRECTED_IMAGE, b"")).upper().split("\\")
    if units != "BQML" or not {"ATTN", "DECY"} <= set(corrected):
        return None
    weight = number(values.get(tags.WEIGHT, b""))
    dose = number(value(header.injection, tags.DOSE))
    if not weight or weight <= 0 or not dose or dose <= 0:
        return None
    decay = _decayed(header, dose)
    return None if decay is None else weight * 1000.0 / decay


def _decayed(header: FileHeader, dose: float) -> float | None:
    """The dose, in Bq, at the time that the picture is corrected to."""
    corrected_to = word(header.values.get(tags.DECAY_CORRECTION, b"")).upper()
    if corrected_to == "ADMIN":
        return dose
    half_life = number(value(header.injection, tags.HALF_LIFE))
    injected = word(value(header.injection, tags.INJECTED_AT)) or word(value(header.injection, tags.INJECTED_ON))[8:]
    begun = word(header.values.get(tags.SERIES_TIME, b""))
    if corrected_to != "START" or not half_life or half_life <= 0:
        return None
    first, second = _of_day(injected), _of_day(begun)
    if first is None or second is None:
        return None
    waited = (second - first) % DAY  # over midnight: no scan begins a day after the injection
    return float(dose * 2.0 ** (-waited / half_life))


def _of_day(said: str) -> float | None:
    digits = said.partition("+")[0].partition("-")[0]
    if len(digits) < 6 or not digits.replace(".", "", 1).isdigit():
        return None
    return int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + float(digits[4:])
