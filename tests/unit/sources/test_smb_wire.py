"""What a hostile or broken SMB server can send: it is understood, or the line is lost; nothing else."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from readingroom.sources.line import LineLost
from readingroom.sources.smb_packets import (
    CREATE,
    FROM_SERVER,
    HEADER,
    PROTOCOL,
    READ,
    SIGNED,
    Answer,
    buffer,
    close,
    create,
    data,
    opened,
    read,
)
from readingroom.sources.smb_seal import Seal
from readingroom.sources.smb_status import SmbRefusal
from readingroom.sources.smb_wire import SmbWire
from smbprotocol.connection import Ciphers, Dialects, SigningAlgorithms

KEY = bytes(range(16))
PENDING, DENIED = 0x103, 0xC0000022


def tree(ours: socket.socket, *, signs: bool = False, encrypts: bool = False, credit: int = 8, **said: Any) -> Any:
    """What smbprotocol leaves behind after signing in."""
    connection = SimpleNamespace(
        dialect=Dialects.SMB_3_1_1,
        signing_algorithm_id=SigningAlgorithms.AES_GMAC,
        cipher_id=Ciphers.AES_128_GCM,
        max_read_size=65536,
        max_transact_size=65536,
        supports_multi_credit=True,
        sequence_window={"low": 4, "high": 4 + credit},
        transport=SimpleNamespace(_sock=ours),
    )
    vars(connection).update(said)
    session = SimpleNamespace(
        connection=connection,
        session_id=77,
        encrypt_data=encrypts,
        signing_required=signs,
        signing_key=KEY,
        encryption_key=KEY,
        decryption_key=KEY,
    )
    return SimpleNamespace(session=session, tree_connect_id=3, encrypt_data=False)


@contextmanager
def line(*packets: bytes, ends: bool = True, **said: Any) -> Iterator[tuple[SmbWire, socket.socket]]:
    """A wire whose server has said these packets already."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = SmbWire(tree(ours, **said), 0.2)
        for packet in packets:
            theirs.sendall(len(packet).to_bytes(4, "big") + packet)
        if ends:
            theirs.shutdown(socket.SHUT_WR)
        yield wire, theirs


def answer(
    message_id: int, body: bytes = b"", status: int = 0, granted: int = 1, step: int = 0, flags: int = 0
) -> bytes:
    """One answer, not signed."""
    return (
        HEADER.pack(PROTOCOL, 64, 1, status, READ, granted, FROM_SERVER | flags, step, message_id, 0, 3, 77, b"") + body
    )


def content(text: bytes) -> bytes:
    """The body of what READ answers."""
    return struct.pack("<HBBIII", 17, HEADER.size + 16, 0, len(text), 0, 0) + text


def test_answers_in_any_order_find_their_questions_and_unwanted_ones_are_dropped() -> None:
    with line(*(answer(number, content(b"%d" % number)) for number in (6, 5, 4))) as (wire, _):
        first, second, third = (wire.send(read(0, 10, KEY))[0] for _ in range(3))
        wire.forget([second])
        assert bytes(data(wire.good(first))) == b"4"
        assert bytes(data(wire.good(third))) == b"6"
        assert not wire._answers
        assert not wire._under_way


def test_a_chain_is_one_packet_and_its_answers_may_be_one_too() -> None:
    padded = answer(4, bytes(88), step=152)
    assert len(padded) == 152
    with line(padded + answer(5, content(b"x" * 7), step=88)[:88].ljust(88, b"\0") + answer(6)) as (wire, theirs):
        asked = wire.send(create("a\\b"), read(0, 10), close())
        assert asked == [4, 5, 6]
        assert bytes(data(wire.good(5))) == b"x" * 7
        assert wire.good(6).status == 0
        sent = theirs.recv(65536)
        assert int.from_bytes(sent[:4], "big") == len(sent) - 4
        first = HEADER.unpack_from(sent, 4)
        assert (first[4], first[8]) == (CREATE, 4)
        assert first[7] % 8 == 0
        second = HEADER.unpack_from(sent, 4 + first[7])
        assert (second[4], second[6] & 0x4, second[8]) == (READ, 0x4, 5)


def test_an_answer_that_takes_a_while_is_waited_for() -> None:
    with line(answer(4, status=PENDING, flags=2), answer(4, content(b"late"))) as (wire, _):
        assert bytes(data(wire.good(wire.send(read(0, 10, KEY))[0]))) == b"late"


def test_a_refusal_is_one_and_the_line_goes_on() -> None:
    with line(answer(4, status=DENIED), answer(5, content(b"fine"))) as (wire, _):
        refused, good = wire.send(read(0, 10, KEY))[0], wire.send(read(0, 10, KEY))[0]
        with pytest.raises(SmbRefusal) as caught:
            wire.good(refused)
        assert caught.value.status == DENIED
        assert bytes(data(wire.good(good))) == b"fine"


def test_no_more_is_asked_than_the_server_lets_us() -> None:
    with line(answer(4, content(b"a"), granted=1), credit=1) as (wire, _):
        wire.send(read(0, 10, KEY))
        wire.send(read(0, 10, KEY))  # after the first answer: it brought the credit for it
        with pytest.raises(LineLost, match="closed the connection"):
            wire.send(read(0, 10, KEY))
    with line(credit=2) as (wire, _), pytest.raises(LineLost, match="nothing more"):
        wire.send(read(0, 10, KEY), read(0, 10, KEY), close(KEY))


@pytest.mark.parametrize(
    "packet",
    [
        answer(99, content(b"nobody asked")),
        answer(4, content(b"no answer at all"))[:30],
        b"\xffSMB" + answer(4)[4:],
        answer(4, step=3),
        answer(4, step=5000),
        b"\xfdSMB" + bytes(100),
        answer(4, status=0xC0000203),
    ],
    ids=["unasked", "cut", "smb1", "step into itself", "step out of it", "sealed", "session ended"],
)
def test_what_makes_no_sense_is_a_lost_line(packet: bytes) -> None:
    with line(packet) as (wire, _), pytest.raises(LineLost):
        wire.take(wire.send(read(0, 10, KEY))[0])


def test_silence_is_a_lost_line() -> None:
    with line(ends=False) as (wire, _), pytest.raises(LineLost, match="in time"):
        wire.take(wire.send(read(0, 10, KEY))[0])
    with line(answer(4)[:20], ends=False) as (wire, theirs):
        theirs.sendall(b"\0\0\1")
        with pytest.raises(LineLost):
            wire.take(wire.send(read(0, 10, KEY))[0])


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"signing_algorithm_id": SigningAlgorithms.AES_CMAC},
        {"signing_algorithm_id": SigningAlgorithms.HMAC_SHA256},
        {"dialect": Dialects.SMB_3_0_0},
        {"dialect": Dialects.SMB_2_1_0},
    ],
)
def test_an_answer_that_is_not_signed_or_was_changed_is_not_taken(said: dict[str, Any]) -> None:
    plain = answer(4, content(b"text"), flags=SIGNED)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sign = Seal(tree(ours, signs=True, **said))._sign
    assert sign is not None
    signed = plain[:48] + sign(plain, 4, True) + plain[64:]
    with line(signed, signs=True, **said) as (wire, _):
        assert bytes(data(wire.good(wire.send(read(0, 10, KEY))[0]))) == b"text"
    for forged in (plain, signed[:-1] + b"T", answer(4, content(b"text"))):
        with line(forged, signs=True, **said) as (wire, _), pytest.raises(LineLost, match=r"signature|changed"):
            wire.take(wire.send(read(0, 10, KEY))[0])


@pytest.mark.parametrize("cipher", [Ciphers.AES_128_GCM, Ciphers.AES_128_CCM])
def test_nothing_is_taken_unencrypted_or_changed_where_all_is_encrypted(cipher: int) -> None:
    said = {"encrypts": True, "cipher_id": cipher}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        seal = Seal(tree(ours, **said))
    sealed = seal.sealed(answer(4, content(b"secret")))
    assert b"secret" not in sealed
    with line(sealed, **said) as (wire, theirs):
        assert bytes(data(wire.good(wire.send(create("name"))[0]))) == b"secret"
        assert "name".encode("utf-16-le") not in theirs.recv(65536)
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong in (changed, answer(4, content(b"secret")), sealed[:40]):
        with line(wrong, **said) as (wire, _), pytest.raises(LineLost):
            wire.take(wire.send(read(0, 10, KEY))[0])


@given(some.lists(some.binary(max_size=200), max_size=4), some.booleans())
def test_any_packets_are_understood_or_a_lost_line(bodies: list[bytes], real_heads: bool) -> None:
    packets = [answer(4 + number)[: HEADER.size] + body if real_heads else body for number, body in enumerate(bodies)]
    with line(*packets) as (wire, _):
        asked = [wire.send(read(0, 10, KEY))[0] for _ in range(4)]
        for message_id in asked:
            try:
                _all_of(wire.take(message_id))
            except LineLost:
                return


@given(some.binary(max_size=300))
def test_any_answer_is_read_or_makes_no_sense(body: bytes) -> None:
    _all_of(Answer(0, memoryview(bytes(HEADER.size) + body)))


def _all_of(found: Answer) -> None:
    for part in (opened, buffer, data):
        try:
            part(found)
        except ValueError:
            pass  # what the caller turns into a SourceError
