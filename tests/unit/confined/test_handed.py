"""A process that was taken over asks for what is not there, or says too much: it gets nothing, and is not believed."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from readingroom.confined import Worker, receive
from readingroom.confined.handed import LARGEST_READ, READ, SAID, Asked, Overreach, heard, say

FILE = bytes(range(256)) * 40_000


@pytest.fixture
def ends() -> Iterator[tuple[Worker, socket.socket]]:
    ours, its = socket.socketpair()
    with ours, its:
        its.settimeout(10)
        yield cast(Worker, SimpleNamespace(line=ours)), its


def given(worker: Worker, seconds: float = 5, in_all: int = 1 << 30, largest: int = 1000) -> tuple[bytes, bytes]:
    return heard(
        worker, len(FILE), lambda at, length: FILE[at : at + length], time.monotonic() + seconds,
        in_all=in_all, largest=largest,
    )  # fmt: skip


def test_a_file_is_seen_as_it_is(ends: tuple[Worker, socket.socket]) -> None:
    worker, its = ends
    seen: list[bytes] = []

    def inside() -> None:
        file = io.BufferedReader(cast(Any, Asked(its, len(FILE))), 1000)
        file.seek(-10, io.SEEK_END)
        seen.append(file.read())
        file.seek(3)
        seen.append(file.read(LARGEST_READ + 5))
        say(its, b"x", b"done")

    thread = threading.Thread(target=inside)
    thread.start()
    assert given(worker) == (b"x", b"done")
    thread.join()
    assert seen == [FILE[-10:], FILE[3 : LARGEST_READ + 8]]


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 0), (0, LARGEST_READ + 1), (len(FILE), 1), (len(FILE) - 5, 6), (2**64 - 1, 1)]
)
def test_what_is_not_there_is_not_read(ends: tuple[Worker, socket.socket], offset: int, length: int) -> None:
    worker, its = ends
    its.sendall(SAID.pack(READ, offset, length))
    with pytest.raises(Overreach):
        given(worker)


def test_what_is_read_and_what_is_said_have_an_end(ends: tuple[Worker, socket.socket]) -> None:
    worker, its = ends
    its.sendall(SAID.pack(READ, 0, 600) * 2)
    with pytest.raises(Overreach):
        given(worker, in_all=1000)
    receive(its, 608)
    its.sendall(SAID.pack(b"f", 0, 2**63))
    with pytest.raises(Overreach):
        given(worker)


def test_one_that_says_nothing_is_not_waited_for(ends: tuple[Worker, socket.socket]) -> None:
    worker, its = ends
    with pytest.raises(TimeoutError):
        given(worker, seconds=0.1)
    its.close()
    with pytest.raises((EOFError, ConnectionError)):
        given(worker)
