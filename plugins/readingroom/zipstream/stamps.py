"""MS-DOS times, as zip entries carry them: two-second steps from 1980 to 2107 (APPNOTE 4.4.6)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import UTC, date, datetime

_DAY = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
EARLIEST = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())
"""The format knows nothing older."""
LATEST = int(datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC).timestamp())
"""The format knows nothing younger."""


def dos_stamps(seconds: Iterable[int]) -> array[int]:
    """Seconds since 1970 as `date << 16 | time`, clamped to what the format knows.

    The format has no time zone; we write UTC, so that the same file always gives the same bytes.
    """
    dates: dict[int, int] = {}
    stamps = array("I")
    for moment in seconds:
        clamped = min(max(moment, EARLIEST), LATEST)
        day, second = divmod(clamped, _DAY)
        known = dates.get(day)
        if known is None:
            known = dates[day] = _dos_date(day)
        minute = second // 60
        stamps.append(known | minute // 60 << 11 | minute % 60 << 5 | second % 60 // 2)
    return stamps


def _dos_date(day: int) -> int:
    then = date.fromordinal(_EPOCH_DAY + day)
    return (then.year - 1980 << 9 | then.month << 5 | then.day) << 16
