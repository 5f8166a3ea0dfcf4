"""Work beside all requests: in turns, whatever becomes of one of them, until it is told to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from readingroom.beside import Beside
from readingroom.errors import PacsUnreachable

PATIENCE = 30.0


class Turns:
    """Counts turns; each does what the test says."""

    def __init__(self) -> None:
        self.count = 0
        self.act: Callable[[int], float | None] = lambda _: None
        self._changed = threading.Condition()

    def __call__(self) -> float | None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        return self.act(self.count)

    def reach(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.count >= count, PATIENCE), f"{self.count} of {count}"


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def begun() -> Iterator[Callable[[Beside], Beside]]:
    started: list[Beside] = []

    def begin(beside: Beside) -> Beside:
        beside.start()
        started.append(beside)
        return beside

    yield begin
    for each in started:
        each.stop()


def test_it_begins_with_a_turn_and_has_the_next_when_it_is_woken(
    turns: Turns, begun: Callable[[Beside], Beside]
) -> None:
    beside = begun(Beside("a test", turns, again=PATIENCE))
    turns.reach(1)
    time.sleep(0.1)
    assert turns.count == 1, "nobody woke it"
    beside.wake()
    turns.reach(2)


def test_who_wakes_it_in_the_middle_of_a_turn_gets_one_more(turns: Turns, begun: Callable[[Beside], Beside]) -> None:
    in_turn, go_on = threading.Event(), threading.Event()

    def act(_: int) -> None:
        in_turn.set()
        go_on.wait(PATIENCE)

    turns.act = act
    beside = begun(Beside("a test", turns, again=PATIENCE))
    assert in_turn.wait(PATIENCE)
    beside.wake()
    go_on.set()
    turns.reach(2)


@pytest.mark.parametrize("error", [PacsUnreachable("Orthanc does not answer."), ValueError("of whatever kind")])
def test_a_turn_that_fails_is_followed_by_another(
    error: Exception, turns: Turns, begun: Callable[[Beside], Beside]
) -> None:
    def act(count: int) -> float | None:
        if count < 3:
            raise error
        return None

    turns.act = act
    begun(Beside("a test", turns, again=0.01))
    turns.reach(3)


def test_what_wakes_it_together_is_one_turn(turns: Turns, begun: Callable[[Beside], Beside]) -> None:
    beside = begun(Beside("a test", turns, again=PATIENCE, gather=0.5))
    turns.reach(1)
    for _ in range(20):
        beside.wake()
        time.sleep(0.005)
    turns.reach(2)
    time.sleep(0.2)
    assert turns.count == 2


def test_it_ends_while_it_waits_and_in_the_middle_of_a_turn_that_looks(turns: Turns) -> None:
    waiting = Beside("a test", turns, again=PATIENCE, first=PATIENCE)
    waiting.start()
    began = time.monotonic()
    waiting.stop()
    assert turns.count == 0
    looking = Beside("a test", turns, again=PATIENCE)
    rested: list[bool] = []
    turns.act = lambda _: rested.append(looking.rest(PATIENCE))  # type: ignore[func-returns-value]  # None: no next turn
    looking.start()
    turns.reach(1)
    looking.stop()
    assert rested == [False] and looking.is_stopping and turns.count == 1
    assert time.monotonic() - began < PATIENCE


def test_one_that_never_began_can_be_told_to_end(turns: Turns) -> None:
    Beside("a test", turns, again=PATIENCE).stop()
    assert turns.count == 0
