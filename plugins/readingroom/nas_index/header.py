"""Reads what an index needs of a DICOM file's header, and nothing else of it (PS3.5 section 7, PS3.10 section 7)."""

from __future__ import annotations

import hashlib
import struct
from typing import Final, NamedTuple

from readingroom.nas_index.header_error import Hostile, NotAnImage, NotDicom, Truncated
from readingroom.nas_index.header_text import text, uid
from readingroom.nas_index.window import FIRST_BYTES, Inflating, Read, Window

WANTED: Final[dict[int, str]] = {
    0x00080005: "SpecificCharacterSet",
    0x00080016: "SOPClassUID",
    0x00080018: "SOPInstanceUID",
    0x00080020: "StudyDate",
    0x00080030: "StudyTime",
    0x00080050: "AccessionNumber",
    0x00080060: "Modality",
    0x00080070: "Manufacturer",
    0x00080080: "InstitutionName",
    0x00080090: "ReferringPhysicianName",
    0x00081030: "StudyDescription",
    0x0008103E: "SeriesDescription",
    0x00100010: "PatientName",
    0x00100020: "PatientID",
    0x00100021: "IssuerOfPatientID",
    0x00100030: "PatientBirthDate",
    0x00100040: "PatientSex",
    0x00101000: "OtherPatientIDs",
    0x00101050: "InsurancePlanIdentification",
    0x001021B0: "AdditionalPatientHistory",
    0x00104000: "PatientComments",
    0x00180015: "BodyPartExamined",
    0x0020000D: "StudyInstanceUID",
    0x0020000E: "SeriesInstanceUID",
    0x00200010: "StudyID",
    0x00200011: "SeriesNumber",
    0x00200013: "InstanceNumber",
    0x00200032: "ImagePositionPatient",
    0x00200037: "ImageOrientationPatient",
    0x00280008: "NumberOfFrames",
    0x00280010: "Rows",
    0x00280011: "Columns",
}
"""Elements that are kept, by tag; data sets are in ascending order, so reading ends behind the last of them."""

LAST: Final = max(WANTED)
BINARY: Final = frozenset({0x00280010, 0x00280011})  # VR US: two bytes in the file's byte order
NAMES: Final = frozenset({0x00080090, 0x00100010})  # VR PN: groups and components decode apart
PLAIN: Final = frozenset({0x00080005, 0x00080020, 0x00080030, 0x00080060, 0x00100030, 0x00100040})
UIDS: Final = frozenset({0x00080016, 0x00080018, 0x0020000D, 0x0020000E})

LONG: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""VRs with two reserved bytes and a length of four (PS3.5 table 7.1-1)."""

SHORT: Final = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS"}
    | {b"ST", b"TM", b"UI", b"UL", b"US"}
)
VRS: Final = LONG | SHORT

UNDEFINED: Final = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

MAX_DEPTH = 64
"""Sequences within sequences; real ones stay below ten."""

MAX_ELEMENTS = 100_000
"""Elements looked at in one file, those of skipped sequences included."""

MAX_VALUE = 16_384
"""Bytes kept of one value; the longest text that is wanted (LT) has 10,240 characters."""

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
GE_IMPLICIT = "1.2.840.113619.5.2"  # implicit little endian with big-endian pixels
DICOMDIR = "1.2.840.10008.1.3.10"

_LITTLE_EXPLICIT = struct.Struct("<HH2sH").unpack_from
_BIG_EXPLICIT = struct.Struct(">HH2sH").unpack_from
_LITTLE_LENGTH = struct.Struct("<I").unpack_from
_BIG_LENGTH = struct.Struct(">I").unpack_from


class Header(NamedTuple):
    """Values as text, named by DICOM keyword; several values stay joined by a backslash, absent ones are empty.

    A tuple, because a frozen dataclass of as many fields takes ten times as long to make, twice for each file.
    """

    TransferSyntaxUID: str
    SOPClassUID: str = ""
    SOPInstanceUID: str = ""
    SeriesInstanceUID: str = ""
    StudyInstanceUID: str = ""
    SpecificCharacterSet: str = ""
    PatientName: str = ""
    PatientID: str = ""
    IssuerOfPatientID: str = ""
    OtherPatientIDs: str = ""
    PatientBirthDate: str = ""
    PatientSex: str = ""
    PatientComments: str = ""
    AdditionalPatientHistory: str = ""
    InsurancePlanIdentification: str = ""
    AccessionNumber: str = ""
    StudyID: str = ""
    StudyDate: str = ""
    StudyTime: str = ""
    StudyDescription: str = ""
    SeriesDescription: str = ""
    SeriesNumber: str = ""
    InstanceNumber: str = ""
    Modality: str = ""
    BodyPartExamined: str = ""
    InstitutionName: str = ""
    ReferringPhysicianName: str = ""
    Manufacturer: str = ""
    ImagePositionPatient: str = ""
    ImageOrientationPatient: str = ""
    NumberOfFrames: str = ""
    Rows: str = ""
    Columns: str = ""


def read_header(read: Read, size: int, first: bytes = b"") -> Header:
    """The header of a file of `size` bytes; `first` are its first bytes where they are at hand already.

    Raises NotDicom, NotAnImage, Truncated and Hostile, and what `read` raises; nothing else, whatever the file holds.
    """
    if size == 0:
        raise NotDicom("The file is empty.")
    window = Window(read, size, first or read(0, min(FIRST_BYTES, size)))
    start, syntax, media_class = _beginning(window)
    if media_class == DICOMDIR:
        raise NotAnImage("The file is a DICOMDIR: a list of other files.")
    if syntax == DEFLATED:
        inflating = Inflating(window, start)
        # How far it inflates nobody knows before; its own bounds hold.
        window, start = Window(inflating.read, 1 << 40, inflating.read(0, FIRST_BYTES)), 0
    big = syntax == EXPLICIT_BIG
    found = _elements(window, start, explicit=_is_explicit(window, start, syntax), big=big)
    return _header(found, syntax, big=big)


def series_key(header: Header) -> str:
    """SHA-1 (hex) of SeriesInstanceUID, or of StudyInstanceUID and SeriesNumber where there is none.

    Raises NotAnImage when a file has neither.
    """
    said = header.SeriesInstanceUID
    if not said:
        if not header.StudyInstanceUID or not header.SeriesNumber:
            raise NotAnImage("The file names no series.")
        said = f"{header.StudyInstanceUID}|{header.SeriesNumber}"
    return hashlib.sha1(said.encode(), usedforsecurity=False).hexdigest()


def _beginning(window: Window) -> tuple[int, str, str]:
    """Where the data set begins, its transfer syntax ('' when the file does not say), and the media's SOP class."""
    data = window.data
    if data[128:132] == b"DICM":
        return _meta(window, 132)
    # Files without preamble begin with the meta group or with the data set itself.
    if data[:2] == b"\x02\x00" and data[4:6] in VRS:
        return _meta(window, 0)
    if data[:2] == b"\x00\x08" and data[4:6] in VRS:
        return 0, EXPLICIT_BIG, ""
    if _looks_like_a_data_set(data, window.size):
        return 0, "", ""
    raise NotDicom("The file is not DICOM.")


def _looks_like_a_data_set(data: bytes, size: int) -> bool:
    if len(data) < 16 or data[:2] != b"\x08\x00" or data[3] > 0x30:
        return False
    if data[4:6] in VRS:
        return True
    length: int = _LITTLE_LENGTH(data, 4)[0]
    return length <= min(size - 8, MAX_VALUE)


def _meta(window: Window, position: int) -> tuple[int, str, str]:
    """Walk the meta group (PS3.10 section 7.1): always explicit little endian, its own length is not believed."""
    syntax = media_class = ""
    while position + 8 <= window.size:
        window.reach(position, 8)
        group, element, vr, length = _LITTLE_EXPLICIT(window.data, position - window.base)
        if group != 2:
            break
        position += 8
        if vr in LONG:
            length = _LITTLE_LENGTH(window.take(position, 4))[0]
            position += 4
        if element == 0x10:
            syntax = uid(window.take(position, min(length, 128)))
        elif element == 0x02:
            media_class = uid(window.take(position, min(length, 128)))
        position += length
        if position > window.size:
            raise Truncated("The file ends in its meta group.")
    return position, syntax, media_class


def _is_explicit(window: Window, start: int, syntax: str) -> bool:
    """Whether elements carry their VR; what stands there counts more than what the meta group says."""
    if start + 8 > window.size:
        raise Truncated("The file ends where its data set should begin.")
    vr = window.take(start, 6)[4:6]
    if syntax in (IMPLICIT_LITTLE, GE_IMPLICIT):
        # Some writers say implicit and write explicit. A length whose low bytes happen to spell a VR is over 16 KB.
        return vr in VRS and _LITTLE_LENGTH(window.take(start + 4, 4))[0] > MAX_VALUE
    return vr in VRS


def _elements(window: Window, position: int, *, explicit: bool, big: bool) -> dict[int, bytes]:
    """The wanted elements of the data set, raw."""
    unpack, unpack_length = (_BIG_EXPLICIT, _BIG_LENGTH) if big else (_LITTLE_EXPLICIT, _LITTLE_LENGTH)
    found: dict[int, bytes] = {}
    size = window.size
    looked_at = 0
    while position + 8 <= size:
        if position + 12 > window.end or position < window.base:
            window.reach(position, min(12, size - position))
            if window.end - position < 8:
                break
        at = position - window.base
        group, element, vr, length = unpack(window.data, at)
        tag = group << 16 | element
        if tag > LAST:
            break
        looked_at += 1
        if looked_at > MAX_ELEMENTS:
            raise Hostile("The header has too many elements.")
        unknown = False
        if explicit and vr in SHORT:
            position += 8
        elif explicit and vr in LONG:
            length = unpack_length(window.take(position + 8, 4))[0]
            position += 12
            unknown = vr == b"UN"
        else:  # implicit, or a VR that does not exist: the length has four bytes
            length = unpack_length(window.data, at + 4)[0]
            position += 8
        if length == UNDEFINED:
            # The content of an UN of undefined length is implicit little endian (PS3.5 section 6.2.2, note 2).
            position, more = _behind_sequence(
                window, position, explicit=explicit and not unknown, big=big and not unknown
            )
            looked_at += more
            continue
        if position + length > size:
            raise Truncated("A value runs past the end of the file.")
        if tag in WANTED and length:
            found[tag] = window.take(position, min(length, MAX_VALUE))
        position += length
    return found


def _behind_sequence(window: Window, position: int, *, explicit: bool, big: bool) -> tuple[int, int]:
    """Where a sequence of undefined length ends, and how many elements lay in it (PS3.5 section 7.5.2).

    The stack holds, for each sequence or item that is open, whether its elements carry their VR and its byte order.
    """
    open_ = [(explicit, big)]
    looked_at = 0
    while open_:
        looked_at += 1
        if looked_at > MAX_ELEMENTS or len(open_) > MAX_DEPTH:
            raise Hostile("A sequence in the header does not end within reason.")
        explicit, big = open_[-1]
        window.reach(position, 8)
        at = position - window.base
        group, element, vr, length = (_BIG_EXPLICIT if big else _LITTLE_EXPLICIT)(window.data, at)
        tag = group << 16 | element
        unpack_length = _BIG_LENGTH if big else _LITTLE_LENGTH
        position += 8
        if tag in (SEQUENCE_END, ITEM_END):
            open_.pop()
            continue
        if tag == ITEM or not (explicit and vr in VRS):
            length = unpack_length(window.data, at + 4)[0]
        elif vr in LONG:
            length = unpack_length(window.take(position, 4))[0]
            position += 4
        if length == UNDEFINED:
            implicit_inside = tag != ITEM and vr == b"UN" and explicit
            open_.append((False, False) if implicit_inside else (explicit, big))
            continue
        position += length
        if position > window.size:
            raise Truncated("A sequence runs past the end of the file.")
    return position, looked_at


def _header(found: dict[int, bytes], syntax: str, *, big: bool) -> Header:
    charset = found.get(0x00080005, b"").decode("latin-1").strip(" \0")
    values: dict[str, str] = {}
    for tag, raw in found.items():
        if tag in UIDS:
            values[WANTED[tag]] = uid(raw)
        elif tag in BINARY:
            values[WANTED[tag]] = str(int.from_bytes(raw[:2], "big" if big else "little"))
        else:
            values[WANTED[tag]] = text(raw, "" if tag in PLAIN else charset, is_name=tag in NAMES)
    if not values.get("SOPInstanceUID"):
        if not values.get("SOPClassUID") and not values.get("StudyInstanceUID"):
            raise NotDicom("The file has no DICOM identifiers.")
        raise NotAnImage("The file has no SOPInstanceUID.")
    return Header(TransferSyntaxUID=syntax or EXPLICIT_LITTLE, **values)
