"""In which form a frame leaves, by its syntax and its pixels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from readingroom.manifests.delivery import Pixels, after_a_look, delivered, needs_a_look

GREY = Pixels(4, 5, 1, "MONOCHROME2", None, 16, 12, 11, 0)
COLOUR = Pixels(4, 5, 3, "RGB", 0, 8, 8, 7, 0)
RAW, BIG, RLE, JLS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"


@pytest.mark.parametrize(
    "stored", [GREY, replace(GREY, allocated=8, stored=8, high=7), replace(GREY, signed=1), COLOUR]
)
def test_what_a_browser_can_take_leaves_as_it_is(stored: Pixels) -> None:
    for syntax in (RAW, "1.2.840.10008.1.2"):
        found = delivered(syntax, stored)
        assert (found.encoding, found.decode, found.pixels.bytes) == ("raw", False, stored.bytes)


@pytest.mark.parametrize(
    ("syntax", "encoding"),
    [("1.2.840.10008.1.2.4.57", "jpegll"), ("1.2.840.10008.1.2.4.70", "jpegll"),
     (JLS, "jpls"), ("1.2.840.10008.1.2.4.81", "jpls"),
     ("1.2.840.10008.1.2.4.90", "jp2"), ("1.2.840.10008.1.2.4.91", "jp2"),
     ("1.2.840.10008.1.2.4.201", "htj2k"), ("1.2.840.10008.1.2.4.203", "htj2k"), (RLE, "rle")],
)  # fmt: skip
def test_compressed_frames_leave_compressed(syntax: str, encoding: str) -> None:
    found = delivered(syntax, GREY)
    assert (found.encoding, found.decode, found.pixels) == (encoding, False, GREY)


@pytest.mark.parametrize(
    ("syntax", "stored", "bits"),
    [
        (BIG, GREY, 16),
        ("1.2.840.113619.5.2", GREY, 16),
        ("1.2.840.10008.1.2.1.99", GREY, 16),
        (RAW, replace(GREY, allocated=1, stored=1, high=0), 8),
        (RAW, replace(GREY, high=15), 16),
        (RAW, replace(GREY, allocated=32, stored=32, high=31, floating=True), 32),
        (RAW, replace(GREY, allocated=64, stored=64, high=63, floating=True), 32),
        ("1.2.840.10008.1.2.4.92", GREY, 16),
    ],
)
def test_other_greys_are_decoded_to_little_endian(syntax: str, stored: Pixels, bits: int) -> None:
    found = delivered(syntax, stored)
    assert (found.encoding, found.decode) == ("raw", True)
    assert (found.pixels.allocated, found.pixels.samples, found.pixels.photometric) == (bits, 1, "MONOCHROME2")
    assert found.pixels.high == found.pixels.stored - 1


@pytest.mark.parametrize(
    ("syntax", "stored"),
    [
        (RAW, replace(COLOUR, planar=1)),
        (RAW, replace(COLOUR, photometric="YBR_FULL")),
        (RAW, replace(COLOUR, allocated=16, stored=16, high=15)),
        (RAW, replace(GREY, photometric="PALETTE COLOR")),
        (RLE, replace(GREY, photometric="PALETTE COLOR")),
        (BIG, COLOUR),
        (JLS, replace(COLOUR, allocated=16, stored=16, high=15)),
    ],
)
def test_other_colours_become_rgb(syntax: str, stored: Pixels) -> None:
    found = delivered(syntax, stored)
    assert (found.encoding, found.decode, found.pixels) == ("raw", True, COLOUR)


@pytest.mark.parametrize(
    ("syntax", "words"), [("1.2.840.10008.1.2.4.103", "MPEG"), ("1.2.3.4", "not known"), ("", "not told")]
)
def test_what_nobody_can_decode_is_said_to_be_so(syntax: str, words: str) -> None:
    assert words in delivered(syntax, GREY).why_not


def test_jpeg_leaves_as_it_is_only_where_browsers_read_it_right() -> None:
    eight = replace(GREY, allocated=8, stored=8, high=7)
    ycbcr = replace(COLOUR, photometric="YBR_FULL_422")
    for syntax in ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"):
        assert [delivered(syntax, each).encoding for each in (eight, ycbcr)] == ["jpeg", "jpeg"]
        assert [delivered(syntax, each).decode for each in (GREY, COLOUR)] == [True, True]


@pytest.mark.parametrize(("depth", "decode"), [(0x0C, True), (0x8C, False)])
def test_jpeg_2000_without_a_sign_is_decoded_where_its_header_has_one(depth: int, decode: bool) -> None:
    signed = replace(GREY, signed=1)
    beginning = b"\xff\x4f\xff\x51" + bytes(38) + bytes([depth, 1, 1])
    found = delivered("1.2.840.10008.1.2.4.90", signed)
    assert needs_a_look(found)
    assert after_a_look(found, signed, beginning).decode == decode
    assert not after_a_look(found, signed, beginning[:20]).decode
    assert not needs_a_look(delivered("1.2.840.10008.1.2.4.90", GREY))
