"""Reads the few header fields that an import records, from a file in memory, without building the whole dataset.

pydicom reads about 700 headers a second and holds the interpreter lock meanwhile, which would cost an import
more than all the rest of its work. So the common encodings are stepped through here (PS3.5 section 7: one
element after the other, values skipped by their length); whatever is not plain is left to pydicom.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

from pydicom import Dataset, dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.tag import Tag

from readingroom.deidentify import Flags, identifying
from readingroom.deidentify.flags import BIRTHS, BURNED_IN, NAMES
from readingroom.errors import ReadingRoomError

PREAMBLE = 128
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
LEFT_TO_PYDICOM = frozenset(
    {"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
)
"""Big endian and the deflated syntaxes."""

DEFLATED = LEFT_TO_PYDICOM - {"1.2.840.10008.1.2.2"}
FED, PIECE = 64 << 10, 1 << 20

MAX_INFLATED = 1 << 30
"""Bytes of a deflated file's content: pydicom inflates it whole, and ten megabytes may hide ten gigabytes."""

MEDIA_SOP_CLASS = 0x00020002
TRANSFER_SYNTAX = 0x00020010
SOP_CLASS = 0x00080016
SOP_INSTANCE = 0x00080018
STUDY = 0x0020000D
SERIES = 0x0020000E
WANTED = frozenset({MEDIA_SOP_CLASS, TRANSFER_SYNTAX, SOP_CLASS, SOP_INSTANCE, STUDY, SERIES})

TELLING = {tag: vr for tags, vr in ((NAMES, "PN"), (BIRTHS, "DA"), (BURNED_IN, "CS")) for tag in tags}
"""What `identifying` looks at, at any depth."""

PIXEL_DATA = 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF

SEQUENCES = frozenset(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ")
"""Without VRs in the file, the dictionary alone tells what has items."""

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""PS3.5 section 7.1.2: two reserved bytes and a length of 32 bits follow these."""

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())

MAX_DEPTH = 32
"""Sequences nested deeper than this are hostile; pydicom may say so in its own words."""

_EXPLICIT = struct.Struct("<HH2sH").unpack_from
_IMPLICIT = struct.Struct("<HHL").unpack_from
_LENGTH = struct.Struct("<L").unpack_from


class NotDicom(ReadingRoomError):
    """The content is not that of a DICOM image; the message says what was seen."""

    code = "not_dicom"


class BrokenDicom(ReadingRoomError):
    """It is a DICOM file, and damaged."""

    code = "broken_dicom"


class _Unsure(Exception):
    """The plain reading does not fit this file."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an import records of a file's header; empty strings where the file has nothing."""

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    flags: Flags


def read_header(data: bytes, *, whole: bool = True) -> Header:
    """The header of a file that is in memory, or of its beginning (`whole=False`).

    Raises NotDicom where the content is something else, BrokenDicom where it is a DICOM file cut short or damaged.
    """
    start = recognise(data)
    reader = _Reader(data, whole)
    try:
        reader.read(start)
        flags = _flags(reader.telling)
    except (_Unsure, struct.error):
        flags = _by_pydicom(data, reader.values)
    except BrokenDicom:
        if start >= PREAMBLE or TRANSFER_SYNTAX in reader.values:
            raise
        flags = _by_pydicom(data, reader.values)  # without file meta information the encoding was only guessed
    values = {tag: _text(value) for tag, value in reader.values.items()}
    if MEDIA_DIRECTORY in (values.get(SOP_CLASS), values.get(MEDIA_SOP_CLASS)):
        raise NotDicom("a DICOMDIR, not an image")
    if not values.get(SOP_INSTANCE):
        if start >= PREAMBLE:
            raise BrokenDicom("a DICOM file without SOPInstanceUID")
        raise NotDicom("no DICM marker and no SOPInstanceUID")
    return Header(values[SOP_INSTANCE][:64], values.get(SERIES, "")[:64], values.get(STUDY, "")[:64], flags)


def recognise(data: bytes) -> int:
    """Where the first element lies in a file that begins so; raises NotDicom."""
    if not data:
        raise NotDicom("empty file")
    if data[PREAMBLE : PREAMBLE + 4] == b"DICM":
        return PREAMBLE + 4
    # Old files begin with their first element: group 0002 or 0008, either byte order, low element number.
    if data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\x00":
        return 0
    if data[:3] in (b"\x00\x02\x00", b"\x00\x08\x00") and data[3:4] != b"\x00":
        return 0
    raise NotDicom("no DICM marker and no DICOM elements")


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").replace("\0", " ").strip()


def _flags(telling: set[tuple[int, bytes]]) -> Flags:
    found = Flags(False, False, False)
    for tag, value in telling:
        alone = Dataset()
        alone.add_new(Tag(tag), TELLING[tag], _text(value))
        found = Flags(*map(bool.__or__, found, identifying(alone)))
    return found


class _Reader:
    """Steps through one file's elements and keeps those that are wanted."""

    def __init__(self, data: bytes, whole: bool) -> None:
        self.values: dict[int, bytes] = {}
        self.telling: set[tuple[int, bytes]] = set()
        self._data = data
        self._whole = whole
        self._explicit = True

    def read(self, position: int) -> None:
        """Read file meta information and dataset; raises _Unsure, struct.error, BrokenDicom."""
        data = self._data
        # Group 0002 is explicit little endian whatever follows (PS3.10 section 7.1).
        while data[position : position + 2] == b"\x02\x00":
            tag, _, value, length = self._element(position)
            position = value + length
            if position > len(data):
                raise BrokenDicom("cut short inside its file meta information")
            if tag in WANTED:
                self.values[tag] = data[value:position]
        syntax = _text(self.values.get(TRANSFER_SYNTAX, b""))
        if syntax in DEFLATED:
            _check_inflated(memoryview(data)[position:])
        if syntax in LEFT_TO_PYDICOM:
            raise _Unsure
        if syntax:
            self._explicit = syntax != IMPLICIT_LITTLE_ENDIAN
        else:
            self._explicit = data[position + 4 : position + 6] in LONG_VRS | SHORT_VRS
        self._elements(position, len(data), 0)

    def _elements(self, position: int, end: int, depth: int) -> int:
        """Step through the elements up to `end`, or up to an item's delimiter; returns what follows."""
        data = self._data
        while position + 8 <= end:
            tag, vr, value, length = self._element(position)
            if tag == ITEM_END:
                return position + 8
            if length == UNDEFINED:
                if tag == PIXEL_DATA and depth == 0:
                    break  # fragments up to the end; whether they are whole is for Orthanc to say
                position = self._items(value, len(data), depth, vr)
                continue
            position = value + length
            if position > end:
                self._cut(tag, position, end)
                break
            if tag in TELLING:
                self.telling.add((tag, data[value:position]))
            elif depth == 0 and tag in WANTED:
                self.values[tag] = data[value:position]
            elif vr == b"SQ" or (tag in SEQUENCES and vr in (b"", b"UN")):
                self._items(value, position, depth, vr)
        return position

    def _items(self, position: int, end: int, depth: int, vr: bytes) -> int:
        """Step through a sequence's items up to `end`, or up to its delimiter; returns what follows."""
        if depth > MAX_DEPTH or vr not in (b"SQ", b""):
            raise _Unsure  # UN of undefined length holds implicit elements (PS3.5 section 6.2.2)
        while position < end:
            group, element, length = _IMPLICIT(self._data, position)
            tag = group << 16 | element
            position += 8
            if tag == SEQUENCE_END:
                return position
            if tag != ITEM:
                raise _Unsure
            stop = len(self._data) if length == UNDEFINED else position + length
            after = self._elements(position, stop, depth + 1)
            position = after if length == UNDEFINED else stop
        return position

    def _element(self, position: int) -> tuple[int, bytes, int, int]:
        """One element's tag, VR (empty where the file has none), where its value begins, and its length."""
        data = self._data
        group, element, vr, length = _EXPLICIT(data, position)
        tag = group << 16 | element
        if not self._explicit or tag == ITEM_END:
            return tag, b"", position + 8, _LENGTH(data, position + 4)[0]
        if vr in SHORT_VRS:
            return tag, vr, position + 8, length
        if vr in LONG_VRS:
            return tag, vr, position + 12, _LENGTH(data, position + 8)[0]
        raise _Unsure

    def _cut(self, tag: int, position: int, end: int) -> None:
        if self._whole:
            raise BrokenDicom(
                f"cut short: element ({tag >> 16:04X},{tag & 0xFFFF:04X}) ends at byte {position}, the file at {end}"
            )


def _check_inflated(data: memoryview) -> None:
    """Raise BrokenDicom for a content beyond MAX_INFLATED; holds a piece of it at a time."""
    inflater, length = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        for start in range(0, len(data), FED):
            rest: bytes | memoryview = data[start : start + FED]
            while rest:
                length += len(inflater.decompress(rest, PIECE))
                if length > MAX_INFLATED:
                    raise BrokenDicom(f"its deflated content has over {MAX_INFLATED >> 20} MB")
                rest = inflater.unconsumed_tail
    except zlib.error:
        return  # what is damaged is told where it is read


def _by_pydicom(data: bytes, values: dict[int, bytes]) -> Flags:
    """Let pydicom read the header; fills `values`."""
    try:
        dataset = dcmread(io.BytesIO(data), stop_before_pixels=True, force=True)
        for tag in WANTED:
            holder = dataset.file_meta if tag >> 16 == 2 else dataset
            if tag in holder:
                values[tag] = str(holder[tag].value or "").encode("ascii", "replace")
        return identifying(dataset)
    except Exception as error:  # pydicom raises whatever its parts raise; a hostile file must not end the run
        # Its words are left out: they may quote values of the header.
        raise BrokenDicom(f"its header cannot be read ({type(error).__name__})") from None
