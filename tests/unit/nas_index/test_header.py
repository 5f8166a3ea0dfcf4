"""The header parser against pydicom, on pydicom's own files and on made ones; and against files that mean harm."""

from __future__ import annotations

import random
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.multival import MultiValue
from readingroom.headers.errors import HeaderError, Hostile, NotAnImage, NotDicom, Truncated
from readingroom.headers.window import FIRST_BYTES, MAX_BYTES, MAX_INFLATED, MAX_READS
from readingroom.nas_index import header as parser
from readingroom.nas_index.header import WANTED, Header, read_header, series_key

from tests import factories

# pydicom tells of each damaged character set; pytest would collect them all.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

SAMPLES = Path(pydicom.__file__).parent / "data"
NUMBERS = {"ImagePositionPatient", "ImageOrientationPatient"}


class File:
    """Bytes as the parser reads them, with a count of what it asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.reads = 0
        self.asked = 0

    def read(self, offset: int, length: int) -> bytes:
        self.reads += 1
        self.asked += length
        return self.content[offset : offset + length]


def parse(content: bytes) -> Header:
    return read_header(File(content).read, len(content))


def samples() -> Iterator[Path]:
    for path in sorted(SAMPLES.rglob("*")):
        if path.is_file() and path.suffix in (".dcm", "") and path.name not in ("README",):
            yield path


def by_pydicom(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, stop_before_pixels=True, force=True)


def as_text(found: Dataset, keyword: str) -> str:
    value = found.get(keyword)
    if value is None:
        return ""
    if isinstance(value, MultiValue):
        value = "\\".join(str(each) for each in value)
    return str(value).strip(" \0")


def same(keyword: str, mine: str, theirs: str) -> bool:
    if keyword in NUMBERS and mine and theirs:
        return [float(each) for each in mine.split("\\")] == pytest.approx([float(each) for each in theirs.split("\\")])
    return mine == theirs


@pytest.mark.parametrize("path", samples(), ids=lambda path: str(path.relative_to(SAMPLES)))
def test_every_value_is_what_pydicom_reads_from_its_own_files(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = by_pydicom(path)
        try:
            mine = parse(path.read_bytes())
        except HeaderError:
            assert not as_text(theirs, "SOPInstanceUID"), "pydicom finds an instance here"
            return
        wrong = {}
        for keyword in WANTED.values():
            if keyword == "SpecificCharacterSet":
                continue  # pydicom gives the default in its place
            ours, others = getattr(mine, keyword), as_text(theirs, keyword)
            if not same(keyword, ours, others):
                wrong[keyword] = (ours, others)
    assert wrong == {}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(factories.dicom_bytes(factories.ct()), id="explicit little endian"),
        pytest.param(factories.implicit(factories.ct()), id="implicit"),
        pytest.param(factories.big_endian(factories.ct()), id="big endian"),
        pytest.param(factories.deflated(factories.ct()), id="deflated"),
        pytest.param(factories.without_preamble(factories.ct()), id="without preamble"),
    ],
)
def test_every_encoding_of_the_same_slice_gives_the_same_header(content: bytes) -> None:
    mine, plain = parse(content), parse(factories.dicom_bytes(factories.ct()))
    assert [getattr(mine, each) for each in WANTED.values()] == [getattr(plain, each) for each in WANTED.values()]
    assert (mine.Rows, mine.Modality) == (str(factories.ct().Rows), "CT")


def test_pixels_are_never_read() -> None:
    made = factories.ct()
    made.Rows = made.Columns = 1024
    made.PixelData = bytes(1024 * 1024 * 2)
    file = File(factories.dicom_bytes(made))
    read_header(file.read, len(file.content))
    assert file.asked <= 2 * FIRST_BYTES


def test_a_long_private_element_is_skipped_and_not_read() -> None:
    made = factories.ct()
    block = made.private_block(0x0019, "READINGROOM TEST", create=True)
    block.add_new(0x01, "OB", bytes(30_000_000))
    file = File(factories.dicom_bytes(made))
    assert read_header(file.read, len(file.content)).Rows == str(made.Rows)
    assert file.asked <= 4 * FIRST_BYTES


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("encode", [factories.dicom_bytes, factories.implicit, factories.big_endian])
def test_sequences_before_the_wanted_elements_are_skipped_whatever_their_length(
    encode: object, undefined: bool
) -> None:
    inner = factories.dataset(SOPInstanceUID="1.2.3", PatientName="Somebody^Else", StudyInstanceUID="9.9")
    for _ in range(5):
        outer = Dataset()
        outer.ReferencedStudySequence = [inner, inner]
        outer["ReferencedStudySequence"].is_undefined_length = undefined
        outer.is_undefined_length_sequence_item = undefined
        inner = outer
    made = factories.ct()
    made.ReferencedStudySequence = [inner]
    made["ReferencedStudySequence"].is_undefined_length = undefined
    mine = parse(encode(made))  # type: ignore[operator]
    assert (mine.PatientName, mine.SOPInstanceUID) == (str(made.PatientName), made.SOPInstanceUID)


def test_a_series_without_its_own_uid_is_known_by_study_and_number() -> None:
    first, second = factories.ct(SeriesNumber=7), factories.ct(SeriesNumber=8)
    for each in (first, second):
        del each.SeriesInstanceUID
    keys = {series_key(parse(factories.dicom_bytes(each))) for each in (first, first, second)}
    assert len(keys) == 2
    del first.SeriesNumber
    with pytest.raises(NotAnImage):
        series_key(parse(factories.dicom_bytes(first)))


NAMES = {
    "ISO_IR 192": "Müller^Jörg",
    "ISO_IR 100": "Müller^Jörg",
    "ISO_IR 101": "Wałęsa^Żółć",
    "ISO_IR 144": "Люкceмбypг",
    "ISO_IR 126": "Διονυσιος",
    "ISO_IR 127": "قباني^لنزار",
    "ISO_IR 138": "שרון^דבורה",
    "GB18030": "Wang^XiaoDong=王^小东",
    "\\ISO 2022 IR 87": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "\\ISO 2022 IR 149": "Hong^Gildong=洪^吉洞=홍^길동",
}


@pytest.mark.parametrize(("charset", "name"), NAMES.items())
def test_names_of_every_script_come_out_as_they_were_written(charset: str, name: str) -> None:
    made = factories.ct()
    made.SpecificCharacterSet = charset.split("\\")
    made.PatientName = name
    assert parse(factories.dicom_bytes(made)).PatientName == name


@pytest.mark.parametrize("name", factories.JUNK)
def test_a_file_that_is_not_dicom_is_said_to_be_none(name: str) -> None:
    with pytest.raises(NotDicom):
        parse(factories.JUNK[name])


def test_a_file_cut_anywhere_in_its_header_is_truncated_and_behind_it_is_whole() -> None:
    whole = factories.dicom_bytes(factories.ct())
    full = parse(whole)
    refused = accepted = 0
    for length in range(132, 3000):
        try:
            cut = read_header(File(whole[:length]).read, length)
        except Truncated:
            refused += 1
        except NotDicom:
            refused += 1  # before the first identifier there is nothing to recognise
        else:
            # Between two elements nobody can tell; what was read must then be true.
            accepted += 1
            assert all(getattr(cut, each) in ("", getattr(full, each)) for each in WANTED.values())
    assert refused > 0
    assert accepted > 0


def hostile() -> dict[str, bytes]:
    start = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x00" + b"1.2.840.10008.1.2.1\x00"
    open_sequence = struct.pack("<HH2sHI", 0x0008, 0x1111, b"SQ", 0, 0xFFFFFFFF)
    open_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    empty = struct.pack("<HH2sH", 0x0008, 0x0001, b"CS", 0)
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = bomb.compress(empty * 20_000_000) + bomb.flush()
    return {
        "sequences without end": start + (open_sequence + open_item) * 10_000,
        "elements without end": start + empty * 300_000,
        "an element of 4 GB": start + struct.pack("<HH2sHI", 0x0008, 0x0018, b"UN", 0, 0xFFFFFFFE),
        "items without end": start + open_sequence + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 300_000,
        "a deflate bomb": start.replace(b"1.2.840.10008.1.2.1\x00", b"1.2.840.10008.1.2.1.99").replace(
            b"\x14\x00", b"\x16\x00"
        )
        + deflated,
        "far jumps": start
        + b"".join(struct.pack("<HH2sHI", 0x0009, 0x1000 + i % 256, b"OB", 0, 9000) + bytes(9000) for i in range(2000)),
    }


@pytest.mark.parametrize(("name", "content"), [pytest.param(n, c, id=n) for n, c in hostile().items()])
def test_a_hostile_header_ends_soon_and_in_words(name: str, content: bytes) -> None:
    file = File(content)
    with pytest.raises((Hostile, Truncated)):
        read_header(file.read, len(content))
    assert file.reads <= MAX_READS + 2
    assert file.asked <= MAX_BYTES + MAX_INFLATED


def any_answer(content: bytes) -> None:
    """Whatever the bytes, the answer is a header or one of our errors, after a bounded number of reads."""
    file = File(content)
    try:
        assert isinstance(read_header(file.read, len(content)), Header)
    except HeaderError as error:
        assert str(error)
    assert file.reads <= MAX_READS + 2


SEEDS = [
    factories.dicom_bytes(factories.ct()),
    factories.implicit(factories.mr()),
    factories.big_endian(factories.ct()),
    factories.deflated(factories.ct()),
    factories.without_preamble(factories.us_multiframe()),
    *(path.read_bytes()[:20_000] for path in sorted((SAMPLES / "charset_files").glob("*.dcm"))),
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=40))
def test_changed_bytes_never_raise_anything_else(seed: bytes, changes: list[tuple[int, int]]) -> None:
    content = bytearray(seed)
    for position, value in changes:
        content[position % len(content)] = value
    any_answer(bytes(content))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_noise_never_raises_anything_else(noise: bytes) -> None:
    any_answer(noise)
    any_answer(bytes(128) + b"DICM" + noise)
    any_answer(b"\x08\x00\x05\x00CS" + noise)


def test_ten_thousand_flipped_files_never_raise_anything_else() -> None:
    chance = random.Random(20261121)  # the same files on every machine
    for _ in range(10_000):
        content = bytearray(chance.choice(SEEDS)[:6000])
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        any_answer(bytes(content))


def test_what_the_read_function_raises_goes_through() -> None:
    def lost(_offset: int, _length: int) -> bytes:
        raise ConnectionResetError("the line is down")

    with pytest.raises(ConnectionResetError):
        read_header(lost, 5000)


def test_a_file_that_shrinks_while_it_is_read_is_truncated() -> None:
    whole = factories.dicom_bytes(factories.ct())
    with pytest.raises(Truncated):
        read_header(File(whole[:400]).read, len(whole))


def test_wanted_elements_are_fields_of_the_header() -> None:
    assert set(WANTED.values()) | {"TransferSyntaxUID"} == set(Header._fields)
    assert max(WANTED) == parser.LAST
