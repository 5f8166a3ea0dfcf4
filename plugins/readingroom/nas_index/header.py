"""Reads what an index needs of a DICOM file's header, and nothing else of it (PS3.5 section 7, PS3.10 section 7)."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from readingroom.headers.beginning import EXPLICIT_LITTLE, Beginnings
from readingroom.headers.elements import Encoding
from readingroom.headers.errors import NotAnImage, NotDicom
from readingroom.headers.stretches import Piece, Stretch, Stretches
from readingroom.headers.text import ESCAPE, PADDING, text, uid
from readingroom.headers.window import FIRST_BYTES, Read, Window

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
CHARSET: Final = 0x00080005
UIDS: Final = frozenset({0x00080016, 0x00080018, 0x0020000D, 0x0020000E})


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


ABSENT: Final = dict.fromkeys(Header._fields, "")
"""The values of a header that has none, in their order."""


def read_header(read: Read, size: int, first: bytes = b"") -> Header:
    """The header of one file; see `HeaderReader.read`, which is for many."""
    return HeaderReader().read(read, size, first)


class HeaderReader:
    """Reads header after header, the quicker the more alike they are; threads may share it."""

    def __init__(self) -> None:
        self._beginnings = Beginnings()
        self._data = {
            (explicit, big): Stretches(Encoding(explicit, big, last=LAST), WANTED, CHARSET)
            for explicit in (True, False)
            for big in (False, True)
        }
        self._series = ""
        """Of the last file."""

    def read(self, read: Read, size: int, first: bytes = b"") -> Header:
        """The header of a file of `size` bytes; `first` are its first bytes where they are at hand already.

        Raises NotDicom, NotAnImage, Truncated and Hostile, and what `read` raises; nothing else, whatever the file
        holds.
        """
        if size == 0:
            raise NotDicom("The file is empty.")
        begun = self._beginnings.of(Window(read, size, first or read(0, min(FIRST_BYTES, size))))
        elements = self._data[begun.explicit, begun.big]
        _, pieces, new = elements.walk(begun.window, begun.position)
        header = _header(pieces, begun.syntax, big=begun.big)
        series = header.SeriesInstanceUID
        if series == self._series:
            elements.leave_out(new)
            self._beginnings.leave_out(begun.new)
        self._series = series
        return header


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


def _header(pieces: list[Piece], syntax: str, *, big: bool) -> Header:
    charset = b""
    for piece in pieces:
        if not isinstance(piece, Stretch) and piece[0] == CHARSET:
            charset = piece[1]
    values = ABSENT.copy()
    values["TransferSyntaxUID"] = syntax or EXPLICIT_LITTLE
    for piece in pieces:
        if isinstance(piece, Stretch):
            known, texts = piece.texts
            if known != charset:
                texts = {WANTED[tag]: _text(tag, raw, charset, big=big) for tag, raw in piece.values}
                piece.texts = charset, texts
            values.update(texts)
        else:
            tag, raw = piece
            values[WANTED[tag]] = _text(tag, raw, charset, big=big)
    if not values["SOPInstanceUID"]:
        if not values["SOPClassUID"] and not values["StudyInstanceUID"]:
            raise NotDicom("The file has no DICOM identifiers.")
        raise NotAnImage("The file has no SOPInstanceUID.")
    return Header._make(values.values())


def _text(tag: int, raw: bytes, charset: bytes, *, big: bool) -> str:
    if tag in UIDS:
        return uid(raw)
    if tag in BINARY:
        return str(int.from_bytes(raw[:2], "big" if big else "little"))
    if tag not in NAMES and raw.isascii() and ESCAPE not in raw:
        return raw.decode("ascii").strip(PADDING)  # as `text` does it, and nothing that comes once is remembered
    return text(raw, "" if tag in PLAIN else charset.decode("latin-1").strip(" \0"), is_name=tag in NAMES)
