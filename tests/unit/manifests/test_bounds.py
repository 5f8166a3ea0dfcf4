"""Files of strangers: cut, changed or hostile, they cost little and end in a word, never in another exception."""

from __future__ import annotations

import json
import random
import struct
import time
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import DataElement, Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit
from readingroom.headers.errors import HeaderError, Hostile
from readingroom.manifests.document import Instance, document
from readingroom.manifests.frames import MAX_FRAMES, Unshown
from readingroom.manifests.ordering import ordered

from tests.factories import ct, dataset, deflated, dicom_bytes, implicit, lut, us_multiframe
from tests.fixtures.manifests import MemoryFiles, bytes_at, enhanced, frames_in

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"


def grouped(n: int) -> Dataset:
    own = Dataset()
    own.PlanePositionSequence = [dataset(ImagePositionPatient=["0", "0", str(n)])]
    own.FrameContentSequence = [dataset(InStackPositionNumber=n + 1)]
    return own


def film() -> Dataset:
    made = us_multiframe(frames=4, PhotometricInterpretation="YBR_FULL_422")
    made.PixelData = encapsulate([b"\xff\xd8" + bytes(50) + b"\xff\xd9"] * 4, has_bot=True)
    made["PixelData"].is_undefined_length = True
    return made


def tables() -> Dataset:
    return ct(ModalityLUTSequence=[lut(range(200))], VOILUTSequence=[lut(range(100), 0, 8), lut(range(100), -5, 12)])


NAMED = ("examples_palette", "rtdose_rle", "JPEG2000", "rtdose")

WHOLE = [
    dicom_bytes(ct()), implicit(ct()), deflated(ct()),
    dicom_bytes(enhanced(6, grouped)), implicit(enhanced(6, grouped)),
    dicom_bytes(film(), JPEGBaseline8Bit),
    dicom_bytes(tables()), implicit(tables()),
    *((SAMPLES / f"{name}.dcm").read_bytes() for name in NAMED),
]  # fmt: skip


def looked_at(content: bytes) -> None:
    """Whatever it is, it is frames within the file, or a word."""
    try:
        found = frames_in(content)
    except (HeaderError, Unshown) as said:
        assert len(str(said)) < 200
        return
    for each in found:
        for offset, length in each.place.parts:
            assert 0 <= offset <= offset + length <= len(content)
        assert len(bytes_at(content, each)) == each.place.length


@pytest.mark.parametrize("number", range(len(WHOLE)))
def test_a_file_that_was_cut_anywhere_is_frames_or_a_word(number: int) -> None:
    content = WHOLE[number]
    ends = range(len(content)) if len(content) < 3000 else random.Random(number).sample(range(len(content)), 400)
    for end in ends:
        looked_at(content[:end])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(max_size=8)), max_size=6))
def test_a_file_that_was_changed_anywhere_is_frames_or_a_word(number: int, changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(WHOLE[number])
    for where, what in changes:
        at = where % min(len(content), 6000)
        content[at : at + len(what)] = what
    looked_at(bytes(content))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_what_follows_a_preamble_may_be_anything(rest: bytes) -> None:
    looked_at(bytes(128) + b"DICM" + rest)
    looked_at(rest)


def test_more_frames_than_anybody_looks_at_are_refused() -> None:
    with pytest.raises(Unshown, match="too large"):
        frames_in(dicom_bytes(us_multiframe(NumberOfFrames=str(MAX_FRAMES + 1))))


def test_a_number_of_frames_that_the_file_does_not_hold_costs_nothing() -> None:
    assert len(frames_in(dicom_bytes(us_multiframe(frames=4, NumberOfFrames="99999")))) == 4


ODD = ["1e308", "-1e308", "1e31", "1e-320", "-1e-300", "1e30", "99999999999999999999", "-0", "nan", "inf", "0"]
PLACES = (
    "PatientWeight", "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "SliceThickness", "FrameTime",
    "CineRate", "SpacingBetweenSlices", "EchoTime", "TriggerTime",
)  # fmt: skip
SEVERAL = {
    "ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2, "FrameTimeVector": 3,
    "GridFrameOffsetVector": 4,
}  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_number_in_a_file_keeps_the_series_from_being_shown(data: st.DataObject) -> None:
    odd = st.sampled_from(ODD)
    made = us_multiframe(
        frames=4, Modality="PT", Units="BQML", CorrectedImage=["ATTN", "DECY"], DecayCorrection="ADMIN",
        ImagePositionPatient=["0", "0", "0"], ImageOrientationPatient=["1", "0", "0", "0", "1", "0"],
    )  # fmt: skip
    del made.FrameTime
    written = {keyword: data.draw(odd) for keyword in data.draw(st.sets(st.sampled_from(PLACES)))}
    written |= {
        keyword: "\\".join(data.draw(odd) for _ in range(SEVERAL[keyword]))
        for keyword in data.draw(st.sets(st.sampled_from(sorted(SEVERAL))))
    }
    injected = Dataset()
    for keyword in ("RadionuclideTotalDose", "RadionuclideHalfLife"):
        injected.add(DataElement(keyword, "LO", data.draw(odd)))  # as text: pydicom writes no such numbers
    made.RadiopharmaceuticalInformationSequence = [injected]
    for keyword, value in written.items():
        made.add(DataElement(keyword, "LO", value.split("\\")))
    frames, groups = ordered(frames_in(dicom_bytes(made)))
    found = MemoryFiles([]).find("")
    assert found is not None and len(frames) == 4
    told = json.loads(document(found, "1", {}, [Instance("1.2", "h", 1)], frames, groups, {}))
    assert told["frameCount"] == 4


def test_a_picture_without_an_end_is_not_one() -> None:
    for sizes in ({"Rows": 0}, {"Rows": 65535, "Columns": 65535}, {"BitsAllocated": 0}, {"BitsStored": 20}):
        with pytest.raises(Unshown):
            frames_in(dicom_bytes(ct(**sizes)))


def endless(depth: int, count: int) -> bytes:
    """A file whose frames' groups hold sequences in sequences, or more of them than anybody would write."""
    inner = b"".join(
        [struct.pack("<HH2sHI", 0x0020, 0x9113, b"SQ", 0, 0xFFFFFFFF), struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)]
        * depth
    )
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * count
    head = dicom_bytes(ct())
    at = head.rindex(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OW"))
    return head[:at] + struct.pack("<HH2sHI", 0x5200, 0x9230, b"SQ", 0, 0xFFFFFFFF) + inner + items


def test_groups_that_do_not_end_are_given_up() -> None:
    for content in (endless(100_000, 0), endless(0, 3_000_000)):
        began = time.process_time()
        with pytest.raises(HeaderError):
            frames_in(content)
        assert time.process_time() - began < 20


def test_more_elements_than_a_header_has_are_given_up() -> None:
    head = dicom_bytes(ct())
    at = head.rindex(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OW"))
    many = struct.pack("<HH2sH", 0x6000, 0x0010, b"US", 0) * 600_000
    with pytest.raises(Hostile):
        frames_in(head[:at] + many)
