"""The pace of a run and its foretold end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from readingroom.nas_index.estimates import Estimate

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_nothing_is_foretold_before_there_is_a_pace() -> None:
    estimate = Estimate(0.0)
    assert estimate.completion(NOW, 100) is None
    estimate.tell(1.0, 50)
    assert estimate.completion(NOW, 100) is None


def test_a_steady_run_ends_when_it_is_said_to() -> None:
    estimate = Estimate(0.0)
    for second in range(1, 11):
        estimate.tell(float(second), second * 100)
    assert 99 < estimate.files_per_second < 101
    end = estimate.completion(NOW, 2000)
    assert end is not None
    assert timedelta(seconds=9) < end - NOW < timedelta(seconds=11)


def test_one_slow_second_does_not_throw_the_estimate() -> None:
    estimate = Estimate(0.0)
    for second in range(1, 101):
        estimate.tell(float(second), second * 100)
    estimate.tell(101.0, 10_000)
    assert estimate.files_per_second > 90


def test_a_new_pace_shows_after_a_while() -> None:
    estimate = Estimate(0.0)
    for second in range(1, 101):
        estimate.tell(float(second), second * 100)
    for second in range(101, 181):
        estimate.tell(float(second), 10_000 + (second - 100) * 1000)
    assert 900 < estimate.files_per_second < 1001


def test_a_pause_does_not_count() -> None:
    estimate = Estimate(0.0)
    for second in range(1, 11):
        estimate.tell(float(second), second * 100)
    estimate.rest(3600.0)
    estimate.tell(3601.0, 1100)
    assert 99 < estimate.files_per_second < 101
