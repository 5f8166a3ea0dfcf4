"""The log of links beside its requests: how it is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from readingroom.audit import Trail
from readingroom.clock import SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.identity import ANONYMOUS, Caller
from readingroom.metrics import Metrics
from readingroom.shares import access_log
from readingroom.shares.access_log import REFUSALS_A_MINUTE, Access, AccessLog
from sqlalchemy.exc import OperationalError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOMEBODY = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "192.0.2.1")


class Slow(AccessLog):
    """Writes when it is let, and counts."""

    def __init__(self, database: Database, trail: Trail) -> None:
        super().__init__(database, SystemClock(), trail, Metrics())
        self.may = threading.Event()
        self.written = 0

    def _write(self, batch: Sequence[Any], kept: Sequence[Access]) -> None:
        self.may.wait(20)
        self.written += len(batch)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Slow]:
    database = open_database(f"sqlite:///{tmp_path / 'log.db'}")
    migrate(database)
    slow = Slow(database, Trail(database, SystemClock()))
    yield slow
    slow.may.set()
    slow.stop()
    database.close()


def test_waiting_for_a_log_that_does_not_come_leaves_no_thread_behind(log: Slow) -> None:
    log.note("", "refused", SOMEBODY, "a program", success=False)
    before = set(threading.enumerate())
    for _ in range(50):
        log.settle(0.001)
    assert set(threading.enumerate()) <= before


def test_what_comes_in_while_somebody_waits_is_not_waited_for(log: Slow) -> None:
    log.note("", "refused", SOMEBODY, "a program", success=False)
    flooding = threading.Event()

    def flood() -> None:
        while not flooding.wait(0.005):
            log.note("", "refused", SOMEBODY, "a program", success=False)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        log.may.set()
        began = time.monotonic()
        log.settle(15)
        assert time.monotonic() - began < 14, "before its patience ended"
        assert log.written > 0
    finally:
        flooding.set()
        thread.join()


def test_everything_noted_before_is_written_when_the_waiting_ends(log: Slow) -> None:
    log.may.set()
    for _ in range(1200):
        log.note("", "refused", SOMEBODY, "a program", success=False)
    log.settle(15)
    assert log.written == 1200


def test_a_database_that_is_away_for_a_moment_loses_nothing(log: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "WAITS", (0.01,) * 3)
    tried: list[int] = []

    def failing(batch: Sequence[Any], kept: Sequence[Access]) -> None:
        tried.append(len(kept))
        if len(tried) < 4:
            raise OperationalError("INSERT", {}, Exception("the connection was closed"))

    monkeypatch.setattr(log, "_write", failing)
    log.note("a link", "landing", SOMEBODY, "a browser")
    log.settle(30)
    assert tried == [1] * 4


def test_what_cannot_be_written_is_counted_among_the_figures(log: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(batch: Sequence[Any], kept: Sequence[Access]) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(log, "_write", failing)
    for _ in range(3):
        log.note("a link", "landing", SOMEBODY, "a browser")
    log.settle(30)
    assert log._metrics.snapshot()["share_log_entries_lost_total"] == 3


def test_an_ipv6_household_fills_no_more_of_the_log_than_one_address(log: Slow) -> None:
    kept = [
        log._keeps(Access("a link", "refused", False, NOON, "a program", replace(SOMEBODY, ip=f"2001:db8:1:2::{n:x}")))
        for n in range(50)
    ]
    assert sum(kept) == REFUSALS_A_MINUTE
    assert log._keeps(Access("a link", "refused", False, NOON, "", replace(SOMEBODY, ip="2001:db8:1:3::1")))
