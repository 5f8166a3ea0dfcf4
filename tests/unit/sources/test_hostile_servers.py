"""A server that answers nonsense ends a question, never the program."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some
from readingroom.errors import SourceError
from readingroom.sources import sftp_protocol as wire
from readingroom.sources.entries import EARLIEST, LARGEST, LATEST
from readingroom.sources.line import LineLost
from readingroom.sources.sftp_protocol import Refusal, SftpChannel
from readingroom.sources.smb import _parsed

VERSION = struct.pack(">IBI", 5, wire.VERSION, 3)


class Channel:
    """An SSH channel on which an answer lies ready."""

    def __init__(self, incoming: bytes) -> None:
        self._incoming = incoming

    def settimeout(self, seconds: float) -> None:
        """Time does not pass here."""

    def sendall(self, data: bytes) -> None:
        """Nobody listens."""

    def recv(self, size: int) -> bytes:
        """The next bytes, at most 7 at a time: packets never arrive in one piece."""
        taken, self._incoming = self._incoming[: min(size, 7)], self._incoming[min(size, 7) :]
        return taken


def channel(answers: bytes) -> SftpChannel:
    """SFTP over a channel that holds these answers after the greeting."""
    return SftpChannel(Channel(VERSION + answers), 1.0)  # type: ignore[arg-type]  # the part that is used


def packet(kind: int, body: bytes) -> bytes:
    """The answer to the first request."""
    return struct.pack(">IBI", len(body) + 5, kind, 1) + body


QUESTIONS: list[Callable[[SftpChannel, int], object]] = [
    SftpChannel.names,
    SftpChannel.attributes,
    SftpChannel.data,
    SftpChannel.handle,
    SftpChannel.name,
]


@given(
    question=some.sampled_from(QUESTIONS),
    kind=some.sampled_from([wire.STATUS, wire.HANDLE, wire.DATA, wire.NAME, wire.ATTRS, 0, 77]),
    body=some.binary(max_size=80),
)
def test_any_sftp_answer_is_understood_or_refused(
    question: Callable[[SftpChannel, int], object], kind: int, body: bytes
) -> None:
    sftp = channel(packet(kind, body))
    request = sftp.ask_path(wire.STAT, b"/x")
    try:
        question(sftp, request)
    except (Refusal, LineLost, SourceError):
        pass


def test_sizes_and_times_that_no_table_holds_are_the_nearest_that_it_does() -> None:
    sftp = channel(packet(wire.ATTRS, struct.pack(">IQ", 1, (1 << 64) - 1)))
    assert sftp.attributes(sftp.ask_path(wire.STAT, b"/x")).size == LARGEST
    never, always, name = 0, (1 << 63) - 1, "a".encode("utf-16-le")
    for written, size, told in ((never, -1, (0, EARLIEST)), (always, 1 << 62, (LARGEST, LATEST))):
        entry = struct.pack("<IIqqqqqqIIIIQ", 0, 0, 0, 0, written, 0, size, 0, 0x20, len(name), 0, 0, 7) + name
        (found,) = _parsed(entry, "folder")
        assert (found.size, found.mtime_ns) == told


@given(some.binary(max_size=60))
def test_any_greeting_is_understood_or_refused(greeting: bytes) -> None:
    try:
        SftpChannel(Channel(greeting), 1.0)  # type: ignore[arg-type]  # the part that is used
    except (Refusal, LineLost, SourceError):
        pass


def test_a_login_script_that_prints_is_told_from_a_lost_line() -> None:
    with pytest.raises(SourceError, match="not SFTP") as caught:
        SftpChannel(Channel(b"Welcome to the clinic!\n" * 10), 1.0)  # type: ignore[arg-type]
    assert "login script" in caught.value.suggestion


def test_answers_in_any_order_find_their_questions_and_unwanted_ones_are_dropped() -> None:
    first, second, third = (
        struct.pack(">IBI", 10, wire.DATA, number) + struct.pack(">I", 1) + text
        for number, text in ((1, b"a"), (2, b"b"), (3, b"c"))
    )
    sftp = channel(third + second + first)
    requests = [sftp.ask_read(b"h", 0, 1) for _ in range(3)]
    sftp.forget(requests[1])
    assert sftp.data(requests[0]) == b"a"
    assert sftp.data(requests[2]) == b"c"
    assert not sftp._arrived
    assert not sftp._unwanted


@given(some.binary(max_size=300))
def test_any_smb_listing_is_read_or_makes_no_sense(buffer: bytes) -> None:
    try:
        for found in _parsed(buffer, "folder"):
            assert "/" not in found.name or found.kind.value == "unreadable"
    except (struct.error, ValueError):
        pass  # what the caller turns into a SourceError
