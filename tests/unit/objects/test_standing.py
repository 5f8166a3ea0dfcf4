"""The store's standing is told at once, whatever the store does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from readingroom.clock import FakeClock
from readingroom.errors import StorageRefused
from readingroom.objects import NfsStore, standing
from readingroom.objects.standing import SILENT, Standing


class Moody(NfsStore):
    """A store that is what the test says, and counts how often it was asked."""

    def __init__(self, base: Path) -> None:
        super().__init__(base)
        self.mood: Exception | None = None
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()

    def check(self) -> None:
        self.asked += 1
        self.answers.wait(30)
        if self.mood:
            raise self.mood


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Moody]:
    made = Moody(tmp_path)
    yield made
    made.answers.set()


def settled(it: Standing, expected: str | None) -> None:
    deadline = time.monotonic() + 30
    while it.wrong() != expected:
        assert time.monotonic() < deadline, it.wrong()
        time.sleep(0.01)


def test_a_store_that_is_well_is_asked_once_in_a_while(store: Moody, clock: FakeClock) -> None:
    it = Standing(store, clock)
    assert [it.wrong() for _ in range(100)] == [None] * 100
    assert store.asked == 1


def test_what_is_wrong_is_told_in_its_own_words_and_forgotten_when_it_is_over(store: Moody, clock: FakeClock) -> None:
    it = Standing(store, clock)
    store.mood = StorageRefused("The bucket is not there")
    assert it.wrong() == "The bucket is not there"
    store.mood = None
    clock.advance(timedelta(seconds=standing.FRESH_SECONDS))
    settled(it, None)
    assert store.asked == 2


def test_a_store_that_hangs_holds_nobody_up(store: Moody, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "FIRST_SECONDS", 0.05)
    it = Standing(store, clock)
    store.answers.clear()
    assert it.wrong() == SILENT
    began = time.monotonic()
    assert {it.wrong() for _ in range(5)} == {SILENT}
    assert time.monotonic() - began < 5
    assert store.asked == 1
    store.answers.set()
    settled(it, None)


def test_a_store_that_begins_to_hang_is_told_after_a_while(store: Moody, clock: FakeClock) -> None:
    it = Standing(store, clock)
    assert it.wrong() is None
    store.answers.clear()
    clock.advance(timedelta(seconds=standing.FRESH_SECONDS))
    assert it.wrong() is None
    clock.advance(timedelta(seconds=standing.SILENT_SECONDS))
    assert it.wrong() == SILENT


def test_what_nobody_thought_of_is_no_end_of_it(store: Moody, clock: FakeClock) -> None:
    it = Standing(store, clock)
    store.mood = RuntimeError("a mistake of ours")
    assert it.wrong() == SILENT
