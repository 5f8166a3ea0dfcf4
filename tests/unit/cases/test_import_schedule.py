"""When a scheduled import is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from readingroom.cases.import_schedule import Schedule, parse_schedule
from readingroom.errors import SettingsError


def at(hour: int, minute: int = 0, day: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("", None),
        ("02:30", Schedule(at=(2, 30))),
        ("2:30", Schedule(at=(2, 30))),
        (" every 6h ", Schedule(every=timedelta(hours=6))),
        ("every 30 min", Schedule(every=timedelta(minutes=30))),
        ("Every 2d", Schedule(every=timedelta(days=2))),
    ],
)
def test_a_schedule_is_read(text: str, schedule: Schedule | None) -> None:
    assert parse_schedule(text) == schedule


@pytest.mark.parametrize("text", ["24:00", "02:60", "every 0h", "every day", "* * * * *", "6h", "02:30 daily"])
def test_what_is_no_schedule_is_said_at_start(text: str) -> None:
    with pytest.raises(SettingsError, match="IMPORT_SCHEDULE"):
        parse_schedule(text)


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        (at(2, 29), None, None),
        (at(2, 30), None, at(2, 30)),
        (at(3, 29), at(2, 30, day=9), at(2, 30)),
        (at(3, 31), at(2, 30, day=9), None),  # the server was off at the time: tomorrow
        (at(2, 31), at(2, 30), None),
        (at(2, 31), at(2, 29), at(2, 30)),
        (at(0, 5), at(23, 0, day=9), None),
    ],
)
def test_a_daily_import_is_due_once_at_its_time(now: datetime, last: datetime | None, due: datetime | None) -> None:
    assert Schedule(at=(2, 30)).due_since(now, last) == due


@pytest.mark.parametrize(("hours", "is_due"), [(None, True), (5.9, False), (6, True), (50, True)])
def test_a_repeated_import_is_due_when_its_span_has_passed(hours: float | None, is_due: bool) -> None:
    last = None if hours is None else at(12) - timedelta(hours=hours)
    assert (Schedule(every=timedelta(hours=6)).due_since(at(12), last) is not None) is is_due
