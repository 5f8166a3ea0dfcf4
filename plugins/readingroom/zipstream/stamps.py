"""MS-DOS times, as zip entries carry them: two-second steps from 1980 to 2107 (APPNOTE 4.4.6)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

EARLIEST = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())
"""The format knows nothing older."""
LATEST = int(datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC).timestamp())
"""The format knows nothing younger."""


def dos_stamp(seconds: int) -> int:
    """Seconds since 1970 as `date << 16 | time`, clamped to what the format knows.

    The format has no time zone; we write UTC, so that the same file always gives the same bytes.
    """
    year, month, day, hour, minute, second, *_ = time.gmtime(min(max(seconds, EARLIEST), LATEST))
    return (year - 1980 << 9 | month << 5 | day) << 16 | hour << 11 | minute << 5 | second // 2
