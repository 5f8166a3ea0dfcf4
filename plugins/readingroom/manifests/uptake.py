"""From stored values of a PET picture to standardised uptake values, by body weight (QIBA's SUV pseudo-code)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from readingroom.headers.sequences import value
from readingroom.manifests import tags
from readingroom.manifests.file_header import FileHeader
from readingroom.manifests.values import number, word

SHORT_LIVED: Final = 12 * 3600.0
"""Seconds of half-life. What lives longer is also looked at days after the injection: then a time without a date tells
nothing (zirconium-89, iodine-124); of others none is left by then."""

MOST_HALF_LIVES: Final = 30.0
"""Behind so many there is a billionth left: the times or the half-life are wrong."""

BY_WEIGHT: Final = frozenset({"", "BW"})
"""SUV types (0054,1006); the others go by lean mass, ideal weight or surface."""


def uptake_factor(header: FileHeader) -> float | None:
    """What a rescaled value (Bq/ml) is multiplied by to become g/ml; 1 where it is that already, None where the header
    does not tell enough, or tells it in a way that would make it wrong.
    """
    values = header.values
    if word(values.get(tags.MODALITY, b"")) != "PT":
        return None
    units = word(values.get(tags.UNITS, b"")).upper()
    if units == "GML" and word(values.get(tags.SUV_TYPE, b"")).upper() in BY_WEIGHT:
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
    if corrected_to != "START" or not half_life or half_life <= 0:
        return None
    waited = _waited(header, half_life)
    if waited is None or not 0 <= waited <= MOST_HALF_LIVES * half_life:
        return None
    return float(dose * 2.0 ** (-waited / half_life))


def _waited(header: FileHeader, half_life: float) -> float | None:
    """Seconds from the injection to the beginning of the scan."""
    values = header.values
    begun = _moment(values, tags.SERIES_DATE, tags.SERIES_TIME)
    acquired = _moment(values, tags.ACQUISITION_DATE, tags.ACQUISITION_TIME)
    if begun is None or (acquired is not None and begun > acquired):
        return None  # a series that was made later, from another one: its time is not that of the scan
    if (at := word(value(header.injection, tags.INJECTED_ON))) and (injected := _at(at[:8], at[8:])):
        return (begun - injected).total_seconds()
    if half_life > SHORT_LIVED:
        return None
    injected = _at(f"{begun:%Y%m%d}", word(value(header.injection, tags.INJECTED_AT)))
    if injected is None:
        return None
    return (begun - injected).total_seconds() % timedelta(days=1).total_seconds()  # it may have become midnight


def _moment(values: Mapping[int, bytes], date: int, time: int) -> datetime | None:
    return _at(word(values.get(date, b"")) or word(values.get(tags.STUDY_DATE, b"")), word(values.get(time, b"")))


def _at(date: str, time: str) -> datetime | None:
    """A date and a time as headers write them (PS3.5 table 6.2-1), without their zone; None for what is none."""
    digits = time.partition("+")[0].partition("-")[0].replace(":", "")
    try:
        day = datetime.strptime(date.replace(".", ""), "%Y%m%d")  # noqa: DTZ007  # both are of the scanner's clock
        return day + timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=float(digits[4:]))
    except (ValueError, OverflowError):
        return None
