"""A synthetic CT of the chest: geometry, Hounsfield units and window as of a scanner, and no patient."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

FIELD_OF_VIEW = 360.0
"""Millimetres across the reconstructed square, as for an adult's chest."""

INTERCEPT = -1024
"""Stored 0 is air outside the field; twelve bits then reach 3071 HU."""

IMPLEMENTATION_UID = "2.25.21406384418907432146330478514613064961"
"""Who wrote the file (PS3.7 D.3.3.2): Reading Room, one fixed UUID of ours."""

SOP_LENGTH = 43
"""Characters of every UID from `uid`: always the same, so that one file is made from another by patching."""


def uid(*parts: object) -> str:
    """A UID that is the same for the same words, always 43 characters; below 2.25 as PS3.5 B.2 has it."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return f"2.25.{10**37 + int.from_bytes(digest) % 10**37}"


@dataclass(frozen=True, slots=True)
class Organ:
    """An ellipsoid: centre and half-axes as fractions of field of view and scan length; its density."""

    x: float
    y: float
    z: float
    across: float
    deep: float
    long: float
    hounsfield: int


CHEST: tuple[Organ, ...] = (
    Organ(0.0, 0.02, 0.5, 0.43, 0.31, 9.0, -90),  # fat below the skin
    Organ(0.0, 0.02, 0.5, 0.40, 0.28, 9.0, 55),  # muscle
    Organ(-0.20, 0.0, 0.45, 0.155, 0.215, 0.55, -820),  # the right lung, on the left of the picture
    Organ(0.20, 0.0, 0.45, 0.150, 0.215, 0.55, -820),
    Organ(0.06, -0.08, 0.62, 0.13, 0.11, 0.28, 45),  # heart
    Organ(-0.14, 0.0, 1.02, 0.24, 0.22, 0.24, 62),  # dome of the liver
    Organ(0.045, 0.12, 0.5, 0.035, 0.035, 9.0, 190),  # descending aorta, with contrast
    Organ(0.0, 0.02, 0.18, 0.028, 0.026, 0.40, -990),  # trachea
    Organ(0.0, 0.205, 0.5, 0.055, 0.048, 9.0, 480),  # a vertebral body
    Organ(0.0, 0.255, 0.5, 0.022, 0.022, 9.0, 35),  # spinal canal
    Organ(0.0, -0.245, 0.40, 0.030, 0.014, 0.50, 420),  # sternum
)
"""A chest good enough to page through, to window and to measure in."""

NODULE = Organ(-0.24, -0.03, 0.42, 0.021, 0.021, 0.035, 70)
"""A rounded opacity of about 15 mm in the right upper lobe, for the demonstration case."""

PULMONARY_NODULE = (*CHEST, NODULE)


@dataclass(frozen=True, slots=True)
class Scan:
    """What one series is made with; spacing and thickness in millimetres."""

    name: str
    count: int
    rows: int = 512
    columns: int = 512
    thickness: float = 2.5
    organs: tuple[Organ, ...] = CHEST
    study: str = ""
    series_number: int = 1
    study_description: str = "CT chest"
    series_description: str = "Axial 2.5 mm"

    @property
    def study_uid(self) -> str:
        """StudyInstanceUID: of `study` where it is given, so that several series can share one."""
        return uid("study", self.study or self.name)

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID."""
        return uid("series", self.study, self.name)

    def sop_uid(self, index: int) -> str:
        """SOPInstanceUID of the slice with that index, counted from 0."""
        return uid("instance", self.study, self.name, index)


def slice_dataset(scan: Scan, **more: object) -> Dataset:
    """One slice's header without pixels; `more` sets further attributes by keyword.

    Modules as in PS3.3 A.3 (CT Image IOD). The four values that differ from slice to slice are stand-ins.
    """
    spacing = f"{FIELD_OF_VIEW / scan.columns:.6f}".rstrip("0").rstrip(".")
    corner = f"{-FIELD_OF_VIEW / 2:.3f}"
    values: dict[str, object] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": _MARK_UID,
        "StudyDate": "20260105",
        "SeriesDate": "20260105",
        "AcquisitionDate": "20260105",
        "ContentDate": "20260105",
        "StudyTime": "083000",
        "SeriesTime": "083500",
        "ContentTime": "083600",
        "AccessionNumber": "",
        "Modality": "CT",
        "Manufacturer": "Reading Room",
        "ReferringPhysicianName": "",
        "StudyDescription": scan.study_description,
        "SeriesDescription": scan.series_description,
        "ManufacturerModelName": "Phantom",
        "PatientName": "",
        "PatientID": "PHANTOM",
        "PatientBirthDate": "",
        "PatientSex": "O",
        "SliceThickness": str(scan.thickness),
        "KVP": "120",
        "SpacingBetweenSlices": str(scan.thickness),
        "PatientPosition": "HFS",
        "StudyInstanceUID": scan.study_uid,
        "SeriesInstanceUID": scan.series_uid,
        "StudyID": "1",
        "SeriesNumber": str(scan.series_number),
        "AcquisitionNumber": "1",
        "InstanceNumber": _MARK_NUMBER,
        "ImagePositionPatient": [corner, corner, _MARK_POSITION],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "FrameOfReferenceUID": uid("frame", scan.study or scan.name),
        "PositionReferenceIndicator": "",
        "SliceLocation": _MARK_LOCATION,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": scan.rows,
        "Columns": scan.columns,
        "PixelSpacing": [spacing, spacing],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "BurnedInAnnotation": "NO",
        "WindowCenter": ["40", "-600"],
        "WindowWidth": ["400", "1500"],
        "RescaleIntercept": str(INTERCEPT),
        "RescaleSlope": "1",
        "RescaleType": "HU",
        "WindowCenterWidthExplanation": ["Mediastinum", "Lung"],
        **more,
    }
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


# Stand-ins that are patched in the encoded file; as long as what replaces them, and found nowhere else in it.
_MARK_UID = "2.25." + "9" * (SOP_LENGTH - 5)
_MARK_NUMBER = "777777"
_MARK_POSITION = "-7777.77"
_MARK_LOCATION = "-6666.66"


def slices(scan: Scan, **more: object) -> Iterator[bytes]:
    """The series as DICOM files (Explicit VR Little Endian), head first, one at a time.

    The header is encoded once and patched for each slice: thousands come in seconds.
    """
    before = _encoded(slice_dataset(scan, **more))
    # Element header of PixelData in explicit VR: tag, "OW", two reserved bytes, length (PS3.5 7.1.2).
    before += b"\xe0\x7f\x10\x00OW\x00\x00" + (scan.rows * scan.columns * 2).to_bytes(4, "little")
    marks = (_MARK_UID, _MARK_NUMBER, _MARK_POSITION, _MARK_LOCATION)
    places = {mark: _places(before, mark.encode()) for mark in marks}
    for index, picture in enumerate(pictures(scan)):
        position = f"{-index * scan.thickness:8.2f}"
        values = {
            _MARK_UID: scan.sop_uid(index),
            _MARK_NUMBER: f"{index + 1:6d}",  # IS and DS may be padded with spaces (PS3.5 table 6.2-1)
            _MARK_POSITION: position,
            _MARK_LOCATION: position,
        }
        patched = bytearray(before)
        for mark, value in values.items():
            for place in places[mark]:
                patched[place : place + len(value)] = value.encode()
        yield bytes(patched) + picture.tobytes()


def pictures(scan: Scan) -> Iterator[NDArray[numpy.uint16]]:
    """The stored pixel values of each slice, rows × columns, unsigned, 12 bits used."""
    down, across = numpy.mgrid[0 : scan.rows, 0 : scan.columns]
    y = (down + 0.5) / scan.rows - 0.5
    x = (across + 0.5) / scan.columns - 0.5
    inside = x * x + y * y <= 0.25
    noise = numpy.random.default_rng(7).normal(0, 12, (scan.rows, scan.columns))
    planes = [((x - o.x) / o.across) ** 2 + ((y - o.y) / o.deep) ** 2 for o in scan.organs]
    for index in range(scan.count):
        z = (index + 0.5) / scan.count
        density = numpy.full((scan.rows, scan.columns), -1000.0)
        for organ, plane in zip(scan.organs, planes, strict=True):
            left = 1.0 - ((z - organ.z) / organ.long) ** 2
            if left > 0:
                density[plane <= left] = organ.hounsfield
        # The same noise, moved on by a step that shares no factor with common sizes.
        density += numpy.roll(noise, index * 37, axis=(0, 1)[index % 2])
        stored = numpy.where(inside, density - INTERCEPT, 0)
        yield numpy.clip(stored, 0, 4095).astype("<u2")


def _encoded(dataset: Dataset) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    dataset.file_meta.ImplementationVersionName = "READINGROOM"
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _places(haystack: bytes, needle: bytes) -> list[int]:
    places, place = [], haystack.find(needle)
    while place >= 0:
        places.append(place)
        place = haystack.find(needle, place + 1)
    return places
