"""Reading ahead: the same bytes as without it, sooner, within its bounds, and gone when nobody asks any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readingroom.errors import StoredFileBroken
from readingroom.series import ahead
from readingroom.series.ahead import Ahead

BLOCK = 64


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BLOCK", BLOCK)


def content_of(index: int, size: int) -> bytes:
    return bytes((index * 31 + i * 7) % 256 for i in range(size))


class Nas:
    """Files somewhere slow: what was fetched, and by how many threads at once."""

    def __init__(self, sizes: list[int], seconds: float = 0.0) -> None:
        self.sizes = sizes
        self.seconds = seconds
        self.fetched: list[tuple[int, int, int]] = []
        self.broken: set[int] = set()
        self.at_once = self.most = 0
        self.gate = threading.Event()
        self.gate.set()
        self.lock = threading.Lock()

    def fetch(self, index: int, offset: int, target: memoryview) -> None:
        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            self.fetched.append((index, offset, offset + len(target)))
        try:
            self.gate.wait(60)
            time.sleep(self.seconds)
            if index in self.broken:
                raise StoredFileBroken("changed", detail={"file": index})
            target[:] = content_of(index, self.sizes[index])[offset : offset + len(target)]
        finally:
            with self.lock:
                self.at_once -= 1

    def taken(self, from_: Ahead, index: int, start: int = 0, stop: int | None = None, key: str = "series") -> bytes:
        stop = self.sizes[index] if stop is None else stop
        target = bytearray(stop - start)
        from_.read(key, self.sizes, self.fetch, index, start, memoryview(target))
        return bytes(target)

    def files(self) -> set[int]:
        with self.lock:
            return {index for index, _, _ in self.fetched}


@pytest.fixture
def slow() -> Nas:
    return Nas([50] * 12, seconds=0.001)


@pytest.fixture
def reading() -> Iterator[Ahead]:
    made = Ahead(window=200, budget=1000)
    yield made
    made.close()


def soon(question: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not question() and time.monotonic() < deadline:
        time.sleep(0.005)
    return question()


ranges = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300), st.integers(0, 300)), max_size=25)


@given(st.lists(st.integers(1, 300), min_size=6, max_size=6), ranges, st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_is_read_in_whatever_order_is_right(
    sizes: list[int], asked: list[tuple[int, int, int]], in_order: bool
) -> None:
    nas = Nas(sizes)
    made = Ahead(window=200, budget=300, idle_seconds=60)
    try:
        for index, one, other in sorted(asked) if in_order else asked:
            start, stop = sorted((min(one, sizes[index]), min(other, sizes[index])))
            assert nas.taken(made, index, start, stop) == content_of(index, sizes[index])[start:stop]
        for index, size in enumerate(sizes):  # and all of it, as a zip takes it
            middle = size // 2
            got = nas.taken(made, index, 0, middle) + nas.taken(made, index, middle, size)
            assert got == content_of(index, size)
    finally:
        made.close()


def test_who_takes_files_in_order_finds_the_next_ones_read(slow: Nas, reading: Ahead) -> None:
    slow.seconds = 0.02  # long enough for a second reader to begin beside the first
    slow.taken(reading, 0)
    assert slow.files() == {0}
    slow.taken(reading, 1)
    assert soon(lambda: slow.files() >= {2, 3, 4, 5})
    for index in range(2, 12):
        assert slow.taken(reading, index) == content_of(index, 50)
    assert sorted(slow.fetched) == [(index, 0, 50) for index in range(12)], "each byte is read once"
    assert slow.most > 1


def test_a_large_file_is_read_ahead_in_pieces(reading: Ahead) -> None:
    nas = Nas([1000], seconds=0.02)
    got = b"".join(nas.taken(reading, 0, at, min(at + 150, 1000)) for at in range(0, 1000, 150))
    assert got == content_of(0, 1000)
    assert sum(stop - start for _, start, stop in nas.fetched) == 1000
    assert nas.most > 1


def test_who_takes_one_file_alone_has_no_other_read(slow: Nas, reading: Ahead) -> None:
    for index in (7, 3, 9):
        slow.taken(reading, index)
    time.sleep(0.05)
    assert slow.files() == {3, 7, 9}


def test_a_source_that_is_quick_anyway_is_not_read_ahead(reading: Ahead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "FAST", 1.0)
    nas = Nas([50] * 12)
    for index in range(4):
        nas.taken(reading, index)
    time.sleep(0.05)
    assert nas.files() == {0, 1, 2, 3}


def test_a_source_whose_first_reading_alone_was_slow_is_left_alone_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ahead, "FAST", 2500.0)
    nas, reading = Nas([50] * 60, seconds=0.05), Ahead(window=200, budget=1000)
    nas.taken(reading, 0)  # 1,000 bytes a second: the source was opened, too
    nas.seconds = 0.004  # 12,500, and on a busy machine a few times less: quick
    for index in range(1, 20):
        nas.taken(reading, index)
    time.sleep(0.05)
    assert max(nas.files()) == 19
    reading.close()


def test_a_broken_file_is_told_where_it_is_taken_and_tried_again_by_the_next_who_asks(
    slow: Nas, reading: Ahead
) -> None:
    slow.broken = {3}
    for index in range(3):
        slow.taken(reading, index)
    with pytest.raises(StoredFileBroken):
        slow.taken(reading, 3)
    slow.broken = set()
    assert slow.taken(reading, 3) == content_of(3, 50)


def test_no_more_is_read_ahead_than_may_be_held(reading: Ahead) -> None:
    nas = Nas([50] * 100, seconds=0.001)
    nas.taken(reading, 0)
    nas.taken(reading, 1)
    assert soon(lambda: len(nas.files()) == 6)
    time.sleep(0.05)
    assert len(nas.files()) == 6, "two taken, 200 bytes ahead"


def test_all_downloads_together_hold_no_more_than_their_budget() -> None:
    nas = Nas([50] * 100, seconds=0.001)
    reading = Ahead(window=200, budget=300)
    for key in ("one", "two", "three"):
        nas.taken(reading, 0, key=key)
        nas.taken(reading, 1, key=key)
    assert soon(lambda: len(nas.fetched) >= 6 + 6)
    time.sleep(0.05)
    assert len(nas.fetched) == 6 + 6, "six taken, 300 bytes ahead"
    for key in ("one", "two", "three"):
        assert [nas.taken(reading, index, key=key) for index in range(2, 9)] == [
            content_of(index, 50) for index in range(2, 9)
        ]
    reading.close()


def test_what_a_download_left_behind_does_not_keep_another_one_from_reading_ahead(slow: Nas, reading: Ahead) -> None:
    slow.taken(reading, 0)
    slow.taken(reading, 1)
    assert soon(lambda: slow.files() == {0, 1, 2, 3, 4, 5})
    slow.taken(reading, 7)
    slow.taken(reading, 8)
    assert soon(lambda: slow.files() >= {9, 10, 11})


def test_what_nobody_asks_for_is_thrown_away_and_the_threads_go(slow: Nas) -> None:
    before = set(threading.enumerate())
    reading = Ahead(window=200, budget=1000, idle_seconds=1.0)
    slow.taken(reading, 0)
    slow.taken(reading, 1)
    assert soon(lambda: len(slow.files()) == 6)
    assert soon(lambda: not [t for t in set(threading.enumerate()) - before if t.name.startswith("series-ahead")])
    slow.fetched.clear()
    assert slow.taken(reading, 2) == content_of(2, 50)
    assert slow.files() == {2}, "it was read anew"
    reading.close()


@pytest.mark.parametrize("threads", [0, 1])
def test_where_no_thread_can_be_had_nobody_waits_for_one(
    slow: Nas, reading: Ahead, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    start, left = reading._crew.start, [threads]

    def refused(job: Callable[[], None]) -> None:
        if isinstance(job, partial):  # a reader ahead
            if not left[0]:
                raise RuntimeError("can't start new thread")
            left[0] -= 1
        start(job)

    monkeypatch.setattr(reading._crew, "start", refused)
    for index in range(12):
        assert slow.taken(reading, index) == content_of(index, 50)
    assert sorted(slow.fetched) == [(index, 0, 50) for index in range(12)]
    assert reading._held == 0


def test_closing_ends_it_while_a_file_is_being_read(slow: Nas) -> None:
    reading = Ahead(window=200, budget=1000)
    slow.taken(reading, 0)
    slow.gate.clear()
    waiting = threading.Thread(target=lambda: slow.taken(reading, 1))
    waiting.start()
    assert soon(lambda: slow.files() >= {2, 3, 4})
    reading.close()
    slow.gate.set()
    waiting.join(30)
    assert not waiting.is_alive()
    assert slow.taken(reading, 5) == content_of(5, 50)
