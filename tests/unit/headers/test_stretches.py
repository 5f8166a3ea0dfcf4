"""A reader that has learned from other files says exactly what one says that sees its first file: header or error."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import UID
from readingroom.headers import stretches
from readingroom.headers.elements import MAX_ELEMENTS
from readingroom.headers.errors import HeaderError
from readingroom.headers.stretches import Stretches
from readingroom.headers.window import Window
from readingroom.nas_index.header import Header, HeaderReader

from tests import factories
from tests.fixtures.scanner_trees import make_tree

# pydicom tells of each damaged character set; pytest would collect them all.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

SAMPLES = Path(pydicom.__file__).parent / "data"


def outcome(reader: HeaderReader, content: bytes) -> Header | tuple[type, str]:
    try:
        return reader.read(lambda offset, length: content[offset : offset + length], len(content))
    except HeaderError as error:
        return type(error), str(error)


def same_as_a_fresh_reader(contents: Iterable[bytes], reader: HeaderReader | None = None) -> None:
    learned = reader or HeaderReader()
    for content in contents:
        assert outcome(learned, content) == outcome(HeaderReader(), content)


def slice_of(number: int, **values: Any) -> Dataset:
    """As scanners write them: some values keep their length from slice to slice, some do not."""
    made = factories.ct(**values)
    made.InstanceNumber = number
    made.SOPInstanceUID = UID(f"1.2.3.{number**3}")
    made.ImagePositionPatient = [-125.5, -120, round(number * 2.5 - 40, 2)]
    made.SliceLocation = round(number * 2.5 - 40, 2)
    made.ContentTime = f"1015{number % 60:02d}"
    if number % 3 == 0:
        made.ImageComments = "x" * (number % 7)
    item = Dataset()
    item.ReferencedSOPInstanceUID = UID(f"1.2.3.{number % 4}")
    made.ReferencedImageSequence = [item]
    made["ReferencedImageSequence"].is_undefined_length = number % 2 == 0
    return made


ENCODINGS = {
    "explicit": factories.dicom_bytes,
    "implicit": factories.implicit,
    "big endian": factories.big_endian,
    "deflated": factories.deflated,
    "without preamble": factories.without_preamble,
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_slice_after_slice_reads_as_if_it_were_the_first(encode: object) -> None:
    same_as_a_fresh_reader(encode(slice_of(number)) for number in range(40))  # type: ignore[operator]


def test_series_that_lie_mixed_in_a_folder_are_not_mixed_up() -> None:
    patients = [{"PatientName": f"Patient^{each}", "PatientID": str(each), "SeriesNumber": each} for each in range(7)]
    charsets = ["ISO_IR 100", "ISO_IR 192", ["", "ISO 2022 IR 87"]]
    contents = []
    for number in range(60):
        made = slice_of(number, **patients[number % 7])
        made.SpecificCharacterSet = charsets[number % 3]
        made.StudyDescription = "Müller" if number % 3 < 2 else "山田"
        contents.append(factories.dicom_bytes(made))
    same_as_a_fresh_reader(contents)


def test_every_sample_of_pydicom_reads_the_same_in_any_company() -> None:
    paths = sorted(path for path in SAMPLES.rglob("*") if path.is_file() and path.stat().st_size < 3_000_000)
    contents = [path.read_bytes() for path in paths]
    random.Random(20261121).shuffle(contents)  # the same order on every machine
    reader = HeaderReader()
    same_as_a_fresh_reader(contents, reader)
    same_as_a_fresh_reader(reversed(contents), reader)


SEEDS = [encode(slice_of(number)) for encode in ENCODINGS.values() for number in (1, 2, 6)]
SEEDS += [path.read_bytes()[:20_000] for path in sorted((SAMPLES / "charset_files").glob("*.dcm"))[:8]]
CHANGE = st.one_of(
    st.tuples(st.just("set"), st.integers(0, 3000), st.integers(0, 255)),
    st.tuples(st.just("cut"), st.integers(130, 3000), st.just(0)),
    st.tuples(st.just("drop"), st.integers(132, 3000), st.integers(1, 40)),
    st.tuples(st.just("add"), st.integers(132, 3000), st.integers(1, 40)),
)


def changed(content: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    for how, at, number in changes:
        if how == "set":
            content = content[:at] + bytes([number]) + content[at + 1 :]
        elif how == "cut":
            content = content[:at]
        elif how == "drop":
            content = content[:at] + content[at + number :]
        else:
            content = content[:at] + content[at : at + number] + content[at:]
    return content


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(SEEDS), max_size=6),
    st.lists(st.tuples(st.sampled_from(SEEDS), st.lists(CHANGE, max_size=6)), min_size=1, max_size=8),
)
def test_what_was_learned_from_good_files_and_bad_ones_never_shows(
    good: list[bytes], bad: list[tuple[bytes, list[tuple[str, int, int]]]]
) -> None:
    same_as_a_fresh_reader([*good, *good, *(changed(content, changes) for content, changes in bad), *good])


def test_three_thousand_damaged_slices_of_one_series_read_the_same_by_one_reader() -> None:
    chance = random.Random(20261121)
    reader = HeaderReader()
    for number in range(3000):
        content = bytearray(chance.choice(SEEDS)[:4000])
        for _ in range(chance.choice((0, 0, 1, 4))):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        cut = chance.randrange(200, 4000) if number % 5 == 0 else 4000
        same_as_a_fresh_reader([bytes(content[:cut])], reader)


def test_too_many_elements_are_too_many_however_they_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "MAX_ELEMENTS", MAX_ELEMENTS // 100)
    start = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x00" + b"1.2.840.10008.1.2.1\x00"
    empty = struct.pack("<HH2sH", 0x0008, 0x0001, b"CS", 0)
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 0)
    uid = struct.pack("<HH2sH", 0x0008, 0x0018, b"UI", 4) + b"1.2\0"
    contents = [start + empty * many + uid + pixels for many in (990, 998, 999, 1000, 1001, 2000, 5000)]
    reader = HeaderReader()
    for _ in range(3):
        same_as_a_fresh_reader(contents, reader)
    assert [isinstance(outcome(reader, each), Header) for each in contents] == [True] * 3 + [False] * 4


def test_memory_is_bounded_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "LEARNED_BYTES", 100_000)
    chance = random.Random(20261121)
    reader = HeaderReader()
    for number in range(400):
        made = slice_of(number, PatientName="".join(chance.choices("abcdefghij", k=chance.randrange(2, 60))))
        same_as_a_fresh_reader([factories.dicom_bytes(made)], reader)
        for each in [reader._beginnings._meta, *reader._data.values()]:
            kept = {id(stretch): stretch for known in each._known.values() for stretch in known}
            assert sum(len(stretch.blob) for stretch in kept.values()) <= 110_000


def test_of_scanners_files_next_to_nothing_is_taken_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though lengths vary, elements come and go, and series lie mixed."""
    made = make_tree(tmp_path, 4000, junk_of=10_000)
    apart: list[int] = []
    walk = Stretches.walk

    def counted(self: Stretches, window: Window, position: int) -> Any:
        found = walk(self, window, position)
        apart.append(len(found[2]))
        return found

    monkeypatch.setattr(Stretches, "walk", counted)
    reader = HeaderReader()
    for path in sorted(tmp_path.rglob("*IM*")):
        assert isinstance(outcome(reader, path.read_bytes()), Header)
    assert len(apart) > made["files"]  # the meta groups are walks too
    assert sum(each > 0 for each in apart) / len(apart) < 0.05
    assert sum(apart) / made["files"] < 1
