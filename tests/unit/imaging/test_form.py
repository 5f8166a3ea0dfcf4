"""Forms that are made to be held in memory, and a disk that takes half of a piece."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from readingroom.errors import BadFileName, BadRequest, StorageFull
from readingroom.imaging.form import read_form

FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
FLOOD, HELD = 32 << 20, 2 << 20


def sent(head: bytes, unit: bytes, tail: bytes = b"") -> Callable[[int], bytes]:
    """What reads a body: a beginning, many megabytes of one thing, an end."""

    def pieces() -> Generator[bytes, int]:
        size = yield b""
        if head:
            size = yield head
        left = FLOOD
        while left > 0:
            piece = (unit * (size // len(unit) + 1))[:size]
            left -= len(piece)
            size = yield piece
        if tail:
            yield tail
        while True:
            yield b""

    reading = pieces()
    next(reading)
    return reading.send


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        (b"", b"x"),
        (b"", b"\r\n--c"),
        (b"--b\r\nX: ", b"y"),
        (b"--b\r\n", b"y: z\r\n"),
        (FILE + b"picture\r\n--b--\r\n", b"x"),
        (FILE + b"picture\r\n--b", b"--b"),
    ],
    ids=["before", "nearly-boundaries", "one-header", "headers", "behind", "boundary-in-file"],
)
def test_what_is_neither_file_nor_field_is_refused_before_it_fills_memory(
    head: bytes, unit: bytes, tmp_path: Path
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadRequest):
            read_form(sent(head, unit), b"b", tmp_path / "original", lambda size: None)
        assert tracemalloc.get_traced_memory()[1] < HELD
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("unit", [b"x", b"\r\n", b"\r\n--", b"-", b"\n--c"])
def test_a_large_file_is_not_taken_for_that_whatever_is_in_it(unit: bytes, tmp_path: Path) -> None:
    read = sent(b"preamble\r\n" + FILE, unit, b"\r\n--b--\r\nepilogue")
    assert read_form(read, b"b", tmp_path / "original", lambda size: None).size >= FLOOD
    assert (tmp_path / "original").stat().st_size >= FLOOD


def test_a_disk_that_takes_half_of_a_piece_is_full_and_the_file_not_cut_short(tmp_path: Path) -> None:
    body = FILE + b"x" * 100_000 + b"\r\n--b--\r\n"
    pieces = iter([body, b""])
    with at_most(60_000), pytest.raises(StorageFull):
        read_form(lambda size: next(pieces), b"b", tmp_path / "original", lambda size: None)


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file of this process can become larger; what is written across that is written in part (setrlimit(2))."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_name_that_is_a_path_is_refused_before_the_file_comes(tmp_path: Path) -> None:
    read, asked = sent(FILE.replace(b'"a"', b'"C:\\\\fakepath\\\\x.png"'), b"x"), list[int]()

    def counted(size: int) -> bytes:
        asked.append(size)
        return read(size)

    with pytest.raises(BadFileName):
        read_form(counted, b"b", tmp_path / "original", lambda size: None)
    assert len(asked) <= 2 and (tmp_path / "original").stat().st_size == 0
