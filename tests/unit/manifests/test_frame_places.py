"""Where a frame's bytes lie is where pydicom finds them, in every syntax among its samples."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless
from readingroom.headers.errors import HeaderError, NotDicom
from readingroom.manifests.delivery import DECODED, NATIVE, PASSED_ON
from readingroom.manifests.frames import Unshown

from tests.factories import ct, dicom_bytes, us_multiframe
from tests.fixtures.manifests import bytes_at, frames_in

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

SAMPLES = sorted((Path(pydicom.__file__).parent / "data" / "test_files").rglob("*.dcm"))

WITHOUT_PICTURE = {
    "DICOMDIR-empty", "ExplVR_BigEndNoMeta", "ExplVR_LitEndNoMeta", "UN_sequence", "empty_charset_LEI",
    "meta_missing_tsyntax", "nested_priv_SQ", "no_meta", "no_meta_group_length", "priv_SQ", "reportsi",
    "reportsi_with_empty_number_tags", "rtplan", "rtplan_truncated", "rtstruct", "test-SR", "waveform_ecg",
}  # fmt: skip
CUT = {"MR_truncated"}


def as_pydicom_has_them(content: bytes, count: int, length: int) -> list[bytes]:
    read = pydicom.dcmread(io.BytesIO(content), force=True)
    if read.file_meta.get("TransferSyntaxUID") and read.file_meta.TransferSyntaxUID.is_encapsulated:
        extended = None
        if "ExtendedOffsetTable" in read:
            extended = (read.ExtendedOffsetTable, read.ExtendedOffsetTableLengths)
        return list(generate_frames(read.PixelData, number_of_frames=count, extended_offsets=extended))
    stored = next(read[each].value for each in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if each in read)
    return [stored[n * length : (n + 1) * length] for n in range(count)]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_frames_lie_where_pydicom_finds_them(path: Path) -> None:
    content = path.read_bytes()
    if path.stem in WITHOUT_PICTURE | CUT:
        with pytest.raises((Unshown, HeaderError)):
            frames_in(content)
        return
    found = frames_in(content)
    assert [each.place.number for each in found] == list(range(1, len(found) + 1))
    if not found[0].place.parts:
        assert found[0].place.decode  # deflated, or bits: nothing can be had without reading the file
        return
    assert [bytes_at(content, each) for each in found] == as_pydicom_has_them(
        content, len(found), found[0].place.length
    )


def test_the_samples_hold_the_syntaxes_that_browsers_show() -> None:
    """A list of samples that shrank would make the test above an empty one."""
    seen = set()
    for path in SAMPLES:
        try:
            seen.update(each.place.syntax for each in frames_in(path.read_bytes())[:1])
        except (Unshown, HeaderError):
            continue
    assert len(SAMPLES) > 60
    assert {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
            "1.2.840.10008.1.2.5", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
            "1.2.840.10008.1.2.1.99"} <= seen  # fmt: skip
    assert seen <= set(PASSED_ON) | DECODED | NATIVE


PICTURES = [b"\xff\xd8" + bytes([n]) * (90 + 7 * n) + b"\xff\xd9" for n in range(6)]
"""Six pictures as far as an encapsulation looks at them."""


def compressed(pixels: bytes, syntax: UID = JPEGBaseline8Bit, frames: int = 6) -> bytes:
    made = us_multiframe(frames=frames, PhotometricInterpretation="YBR_FULL_422")
    made.PixelData = pixels
    made["PixelData"].is_undefined_length = True
    return dicom_bytes(made, syntax)


def padded(pictures: list[bytes]) -> list[bytes]:
    return [each + bytes(len(each) % 2) for each in pictures]


def test_with_a_basic_offset_table_a_frame_may_have_several_fragments() -> None:
    for fragments in (1, 3):
        content = compressed(encapsulate(PICTURES, fragments_per_frame=fragments, has_bot=True))
        found = frames_in(content)
        assert [len(each.place.parts) for each in found] == [fragments] * 6
        assert [bytes_at(content, each).rstrip(b"\0") for each in found] == PICTURES


def test_without_a_table_the_end_of_each_picture_tells_its_frames() -> None:
    content = compressed(encapsulate(PICTURES, fragments_per_frame=2, has_bot=False))
    assert [bytes_at(content, each).rstrip(b"\0") for each in frames_in(content)] == PICTURES


def test_an_extended_offset_table_tells_them_without_a_walk() -> None:
    pixels, offsets, lengths = encapsulate_extended(padded(PICTURES))
    made = us_multiframe(frames=6, PhotometricInterpretation="YBR_FULL_422")
    made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = offsets, lengths
    made.PixelData = pixels
    made["PixelData"].is_undefined_length = True
    content = dicom_bytes(made, JPEGBaseline8Bit)
    assert [bytes_at(content, each) for each in frames_in(content)] == padded(PICTURES)


def test_a_table_that_lies_counts_less_than_the_file() -> None:
    pixels = bytearray(encapsulate(PICTURES, has_bot=True))
    pixels[12:16] = b"\x08\x00\x00\x01"
    content = compressed(bytes(pixels))
    assert [bytes_at(content, each).rstrip(b"\0") for each in frames_in(content)] == PICTURES


def test_frames_that_cannot_be_told_apart_are_said_to_be() -> None:
    nameless = [bytes([n]) * 64 for n in range(6)]
    content = compressed(encapsulate(nameless, fragments_per_frame=2, has_bot=False))
    with pytest.raises(Unshown, match="cannot be told"):
        frames_in(content)


def test_all_fragments_are_the_one_frame_of_a_file_that_has_one() -> None:
    content = compressed(encapsulate(PICTURES[:1], fragments_per_frame=4, has_bot=False), JPEG2000Lossless, frames=1)
    assert len(frames_in(content)[0].place.parts) == 4


def test_of_a_film_that_was_cut_off_the_first_frames_are_shown() -> None:
    content = compressed(encapsulate(padded(PICTURES), has_bot=True), RLELossless)
    end = frames_in(content)[3].place.parts[-1]
    cut = frames_in(content[: end[0] + end[1] + 20])
    assert [bytes_at(content, each) for each in cut] == padded(PICTURES)[:4]


def test_of_uncompressed_frames_only_whole_ones_are_shown() -> None:
    content = dicom_bytes(us_multiframe(frames=5))
    assert len(frames_in(content[:-1])) == 4
    with pytest.raises(Unshown, match="ends before its pixels do"):
        frames_in(dicom_bytes(ct())[:-1])


def test_what_says_one_thing_of_its_pixels_and_is_another_is_not_shown() -> None:
    with pytest.raises(Unshown, match="lie in fragments"):
        frames_in(dicom_bytes(ct()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))
    with pytest.raises(NotDicom):
        frames_in(b"neither here nor there" * 20)
