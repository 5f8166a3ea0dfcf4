"""The sample NAS: a few invented patients with names of many scripts, at hospitals that the regional profile knows."""

from __future__ import annotations

import math
from array import array
from pathlib import Path
from typing import NamedTuple

from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SIDE = 64
"""Pixels of a slice each way: enough to see that it is one."""


class Patient(NamedTuple):
    """One patient with one series."""

    name: str
    number: str
    born: str
    sex: str
    taken: str
    study: str
    hospital: str
    aid: str
    slices: int


PATIENTS = (
    Patient("van der Merwe^Annelie", "SA-1001", "19610412", "F", "20240118",
            "CT chest", "Netcare Milpark Hospital", "Discovery Health", 12),
    Patient("Nkosi^Thandi", "SA-1002", "19880930", "F", "20240305",
            "CT abdomen", "Mediclinic Panorama", "GEMS", 10),
    Patient("Müller^Jörg", "EU-2001", "19550221", "M", "20231107",
            "CT head", "Life Groenkloof Hospital", "Bonitas", 8),
    Patient("Иванова^Анна", "EU-2002", "19790605", "F", "20230814",
            "CT sinuses", "", "", 6),
    Patient("Παπαδόπουλος^Νίκος", "EU-2003", "19671201", "M", "20240622",
            "CT spine", "", "", 6),
    Patient("حسن^أمل", "ME-3001", "19930317", "F", "20240511",
            "CT chest", "", "", 6),
    Patient("כהן^רות", "ME-3002", "19490828", "F", "20230129",
            "CT head", "", "", 6),
    Patient("Yamada^Tarou=山田^太郎=やまだ^たろう", "AS-4001", "19720710", "M", "20240902",
            "CT abdomen", "", "", 8),
    Patient("Wang^XiaoDong=王^小东", "AS-4002", "19841119", "M", "20240416",
            "CT chest", "", "", 6),
    Patient("Hong^Gildong=洪^吉洞=홍^길동", "AS-4003", "19900101", "M", "20231225",
            "CT knee", "", "", 6),
)  # fmt: skip


def write_folder(folder: Path) -> None:
    """Write what is not there yet."""
    for number, patient in enumerate(PATIENTS, start=1):
        place = folder / patient.taken[:4] / patient.number / patient.study.replace(" ", "_")
        place.mkdir(parents=True, exist_ok=True)
        for slice_number in range(1, patient.slices + 1):
            file = place / f"IM{slice_number:04d}.dcm"
            if not file.exists():
                fresh = file.with_suffix(".fresh")
                dcmwrite(fresh, _slice(patient, number, slice_number), enforce_file_format=True)
                fresh.replace(file)
    notes = folder / "README.txt"
    if not notes.exists():
        notes.write_text("Sample files of invented patients; this one is no DICOM file.\n")


def _slice(patient: Patient, number: int, slice_number: int) -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = CTImageStorage
    study = f"{patient.number} {patient.taken}"
    made.StudyInstanceUID = generate_uid(entropy_srcs=["sample NAS", study])
    made.SeriesInstanceUID = generate_uid(entropy_srcs=["sample NAS", study, "1"])
    made.SOPInstanceUID = generate_uid(entropy_srcs=["sample NAS", study, "1", str(slice_number)])
    made.PatientName, made.PatientID = patient.name, patient.number
    made.PatientBirthDate, made.PatientSex = patient.born, patient.sex
    made.StudyDate, made.StudyTime = patient.taken, "083000"
    made.AccessionNumber, made.StudyID = f"A{number:05d}", str(number)
    made.StudyDescription, made.SeriesDescription = patient.study, "Axial 5 mm"
    made.Modality, made.SeriesNumber, made.InstanceNumber = "CT", 1, slice_number
    if patient.hospital:
        made.InstitutionName = patient.hospital
    if patient.aid:
        made.InsurancePlanIdentification = patient.aid
    made.ImagePositionPatient = [0, 0, 5 * slice_number]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.PixelSpacing, made.SliceThickness = [5, 5], 5
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows = made.Columns = SIDE
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 1
    made.RescaleSlope, made.RescaleIntercept = 1, 0
    made.WindowCenter, made.WindowWidth = 40, 400
    made.PixelData = _pixels(slice_number / patient.slices)
    return made


def _pixels(depth: float) -> bytes:
    """A ball of soft tissue in air, in Hounsfield units, cut at that part of its height."""
    middle, radius = (SIDE - 1) / 2, 0.45 * SIDE * math.sqrt(max(1 - (2 * depth - 1) ** 2, 0.1))
    return array(
        "h",
        [
            40 if math.hypot(row - middle, column - middle) < radius else -1000
            for row in range(SIDE)
            for column in range(SIDE)
        ],
    ).tobytes()
