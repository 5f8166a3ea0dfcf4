"""Reading ahead: every byte once and in order, never more under way than the window."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as some
from readingroom.sources.ahead import WINDOW, ReadAhead


class Server:
    """Answers reads of one file, at most `most` bytes at a time, and counts what is under way."""

    def __init__(self, content: bytes, most: int) -> None:
        self.content = content
        self.most = most
        self.under_way: dict[int, tuple[int, int]] = {}
        self.asked = 0
        self.bytes_asked = 0
        self.peak = 0

    def ask(self, offset: int, size: int) -> int:
        self.asked += 1
        self.bytes_asked += size
        self.under_way[self.asked] = (offset, size)
        self.peak = max(self.peak, sum(size for _, size in self.under_way.values()))
        return self.asked

    def take(self, request: int) -> bytes:
        offset, size = self.under_way.pop(request)
        return self.content[offset : offset + min(size, self.most)]

    def forget(self, request: int) -> None:
        del self.under_way[request]


@given(
    size=some.integers(0, 300_000),
    most=some.integers(1000, 70_000),
    chunk=some.integers(4096, 64_000),
    steps=some.lists(some.tuples(some.booleans(), some.integers(0, 300_000), some.integers(1, 90_000)), max_size=25),
)
def test_any_order_of_reads_gives_the_files_own_bytes(
    size: int, most: int, chunk: int, steps: list[tuple[bool, int, int]]
) -> None:
    content = random.Random(size).randbytes(size)
    server = Server(content, most)
    ahead = ReadAhead(server, size, chunk)
    at = 0
    for seeks, offset, wanted in steps:
        if seeks:
            at = offset
        data = ahead.read_at(at, wanted)
        assert len(data) <= wanted
        assert data == content[at : at + len(data)]
        assert data or at >= size
        at += len(data)
    ahead.stop()
    assert not server.under_way


def test_a_small_read_asks_for_no_more_than_it_wants() -> None:
    server = Server(bytes(10_000_000), 1 << 20)
    ahead = ReadAhead(server, 10_000_000, 256 * 1024)
    ahead.read_at(5_000_000, 4096)
    assert server.bytes_asked == 4096


def test_a_long_read_keeps_the_window_full_and_never_fuller() -> None:
    server = Server(bytes(50_000_000), 1 << 20)
    ahead = ReadAhead(server, 50_000_000, 256 * 1024)
    at = 0
    while data := ahead.read_at(at, 256 * 1024):
        at += len(data)
    assert at == 50_000_000
    assert WINDOW - 256 * 1024 <= server.peak <= WINDOW
