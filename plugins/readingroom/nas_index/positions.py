"""Where a series stands in every list: newest study first, then the one that was found first."""

from __future__ import annotations

import re
from datetime import date

ID_BITS = 31
LAST_ID = (1 << ID_BITS) - 1

_END = date.max.toordinal() + 1
_DATE = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")

UNDATED = _END << ID_BITS
"""From here on stand the series without a study date."""


def day(study_date: str) -> int:
    """The ordinal of a DICOM date (DA; also with the dots of before 1993), 0 for what is none."""
    match = _DATE.match(study_date.strip())
    if not match:
        return 0
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).toordinal()
    except ValueError:
        return 0


def position(study_date: str, series_id: int) -> int:
    """The place of a series: below 2^53, so that every program reads it whole."""
    return (_END - day(study_date)) << ID_BITS | series_id


def between(first: date | None, last: date | None) -> tuple[int, int]:
    """The positions (both included) of studies from `first` to `last`; without either, of all."""
    if first is None and last is None:
        return 0, UNDATED | LAST_ID
    begin = (_END - last.toordinal()) << ID_BITS if last else 0
    end = ((_END - first.toordinal()) << ID_BITS | LAST_ID) if first else UNDATED - 1
    return begin, end
