"""The record format, byte by byte."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.frames import record
from readingroom.frames.record import Broken, read


def test_a_frame_is_twenty_bytes_and_its_own() -> None:
    payload = b"\x01\x02\x03\x04"
    assert record.head(258, "jpls", 4, zlib.crc32(payload)) + payload == (
        b"RRF1"  # magic
        b"\x02\x01\x00\x00"  # index 258
        b"\x03"  # JPEG-LS
        b"\x00"  # not the last one
        b"\xc8\x00"  # 200
        b"\x04\x00\x00\x00"  # four bytes
        b"\xcd\xfb\x3c\xb6"  # CRC-32 of them, 0xb63cfbcd
        b"\x01\x02\x03\x04"
    )


def test_the_end_is_a_record_of_nobody_with_nothing_in_it() -> None:
    assert b"RRF1\xff\xff\xff\xff\x00\x01\xc8\x00" + bytes(8) == record.END


def test_an_error_stands_in_its_frames_place() -> None:
    said = record.error(7, 404, "source_changed", "Gone.")
    assert said[:12] == b"RRF1\x07\x00\x00\x00\xff\x00\x94\x01"
    length, crc = struct.unpack_from("<II", said, 12)
    assert said[20:] == b'{"error": "source_changed", "message": "Gone."}'
    assert (length, crc) == (len(said) - 20, zlib.crc32(said[20:]))


@pytest.mark.parametrize(
    ("name", "number"), [("raw", 0), ("jpeg", 1), ("jpegll", 2), ("jpls", 3), ("jp2", 4), ("htj2k", 5), ("rle", 6)]
)
def test_each_encoding_has_its_number(name: str, number: int) -> None:
    assert record.head(0, name, 0, 0)[8] == number


STREAMS = st.lists(st.tuples(st.integers(0, 0xFFFFFFFE), st.sampled_from(sorted(record.ENCODINGS)), st.binary()))


def written(frames: list[tuple[int, str, bytes]]) -> bytes:
    said = (record.head(i, name, len(data), zlib.crc32(data)) + data for i, name, data in frames)
    return b"".join(said) + record.END


@given(STREAMS)
def test_what_was_written_is_read_again(frames: list[tuple[int, str, bytes]]) -> None:
    found = [(each.frame, each.encoding, each.payload) for each in read(io.BytesIO(written(frames)).read)]
    assert found == frames


@given(STREAMS, st.data())
def test_a_stream_that_was_cut_is_seen_to_be(frames: list[tuple[int, str, bytes]], data: st.DataObject) -> None:
    whole = written(frames)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(Broken):
        list(read(io.BytesIO(cut).read))


def test_a_damaged_frame_is_seen_to_be() -> None:
    whole = bytearray(written([(1, "raw", b"pixels")]))
    whole[22] ^= 1
    with pytest.raises(Broken, match="damaged"):
        list(read(io.BytesIO(whole).read))
    with pytest.raises(Broken, match="no frame stream"):
        list(read(io.BytesIO(b"<html> this is something else </html>").read))
