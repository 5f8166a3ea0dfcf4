"""The attributes of an instance that is made of an asset, module by module (PS3.3 A.26, A.32.4, A.8.1, A.45.1)."""

from __future__ import annotations

from datetime import UTC, datetime

from pydicom import Dataset

from readingroom import __version__
from readingroom.imaging.dicom_pixels import Pixels
from readingroom.imaging.dicom_subject import SOP_CLASSES, Subject, series_of

PRIVATE_GROUP = 0x0011
PRIVATE_CREATOR = "READING ROOM"
ASSET, CLINIC, STUDY, DIGEST = 0x01, 0x02, 0x03, 0x04
"""Elements of our private block, all LO: the asset's id, clinic's, study's, and the original's SHA-256 (two values)."""

SERIES = {"DX": (1, "X-ray images"), "XC": (2, "Photographs"), "SC": (3, "Scanned documents"), "DOC": (4, "Documents")}
"""SeriesNumber and SeriesDescription; the four keep apart what one study may hold."""

UNKNOWN_SPACING = "The size of a pixel is not known: 1 mm stands for it. Lengths must not be measured."


def of_image(subject: Subject, pixels: Pixels) -> Dataset:
    """An image without its PixelData."""
    series = series_of(subject.modality, subject.mime_type)
    header = _common(subject, series)
    _image(header, subject, pixels)
    if series == "DX":
        _radiograph(header, subject, pixels)
    elif series == "XC":
        header.Laterality = ""  # of a part of the body that comes in pairs: nobody said which part it is
        header.AcquisitionContextSequence = []
    else:
        header.Laterality = ""
        _captured(header, "SD")  # a scanned document
    return header


def of_pdf(subject: Subject) -> Dataset:
    """An Encapsulated PDF without its document (PS3.3 A.45.1, C.24)."""
    header = _common(subject, "DOC")
    _captured(header, "WSD")
    captured = _moment(subject.captured_at)
    header.InstanceNumber = str(subject.number)
    header.ContentDate, header.ContentTime = _date(captured), _time(captured)
    header.AcquisitionDateTime = captured.strftime("%Y%m%d%H%M%S.%f+0000")
    header.BurnedInAnnotation = "YES" if subject.said.burned_in else "NO"
    header.DocumentTitle = text(subject.title or subject.kind, 1024)
    header.ConceptNameCodeSequence = []
    header.MIMETypeOfEncapsulatedDocument = "application/pdf"
    return header


def text(value: str, longest: int) -> str:
    """As a value of one line: without backslashes, which part values, and control characters; cut to its length."""
    return " ".join("".join(c if c.isprintable() and c != "\\" else " " for c in value).split())[:longest].strip()


def _common(subject: Subject, series: str) -> Dataset:
    """Patient, General Study, General Series, General Equipment and SOP Common."""
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.SOPClassUID, header.SOPInstanceUID = SOP_CLASSES[series], subject.instance_uid
    made, study = _moment(subject.made_at), _moment(subject.study_at)
    header.InstanceCreationDate, header.InstanceCreationTime = _date(made), _time(made)
    header.TimezoneOffsetFromUTC = "+0000"

    # A number of a patient means somebody in its clinic alone, and Orthanc knows patients by PatientID alone.
    header.PatientName = ""
    header.PatientID = f"clinic_{subject.clinic_id}/{subject.patient_id}"
    header.IssuerOfPatientID = "Reading Room"
    header.PatientBirthDate = ""
    header.PatientSex = ""
    inside = Dataset()
    inside.PatientID, inside.IssuerOfPatientID = str(subject.patient_id), f"clinic_{subject.clinic_id}"
    inside.TypeOfPatientID = "TEXT"
    header.OtherPatientIDsSequence = [inside]

    header.StudyInstanceUID = subject.study_uid
    header.StudyDate, header.StudyTime = _date(study), _time(study)
    header.StudyID = str(subject.study_id)[-16:]
    header.StudyDescription = text(subject.title or subject.kind, 64)
    header.ReferringPhysicianName = ""
    header.AccessionNumber = ""

    number, description = SERIES[series]
    header.Modality = {"SC": "OT"}.get(series, series)
    header.SeriesInstanceUID = subject.series_uid
    header.SeriesNumber = str(number)
    header.SeriesDescription = description

    header.Manufacturer = ""  # of the device that took the picture; its name is all that is known of it
    if subject.source_device:
        header.ManufacturerModelName = text(subject.source_device, 64)
    header.ContributingEquipmentSequence = [_ourselves(made)]

    block = header.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(ASSET, "LO", str(subject.asset_id))
    block.add_new(CLINIC, "LO", str(subject.clinic_id))
    block.add_new(STUDY, "LO", str(subject.study_id))
    block.add_new(DIGEST, "LO", [subject.sha256[:32], subject.sha256[32:]])
    return header


def _ourselves(made: datetime) -> Dataset:
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "109102", "DCM"
    purpose.CodeMeaning = "Processing Equipment"
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [purpose]
    item.Manufacturer = "Reading Room"
    item.SoftwareVersions = __version__
    item.ContributionDateTime = made.strftime("%Y%m%d%H%M%S.%f+0000")
    item.ContributionDescription = "Made a DICOM instance of a file that a clinic had filed"
    return item


def _image(header: Dataset, subject: Subject, pixels: Pixels) -> None:
    """General Image, Image Pixel, and what VL Image and SC Image ask for beyond."""
    captured = _moment(subject.captured_at)
    header.InstanceNumber = str(subject.number)
    header.ImageType = ["DERIVED", "PRIMARY"]
    header.AcquisitionDate, header.AcquisitionTime = _date(captured), _time(captured)
    header.ContentDate, header.ContentTime = _date(captured), _time(captured)
    header.PatientOrientation = ""
    header.DerivationDescription = text("; ".join(("From a picture file", *pixels.changed)), 1024)
    header.BurnedInAnnotation = "YES" if subject.said.burned_in else "NO"
    header.LossyImageCompression = "00" if pixels.ratio is None else "01"
    if pixels.ratio is not None:
        header.LossyImageCompressionRatio = f"{max(pixels.ratio, 1):.4g}"
        if pixels.method:
            header.LossyImageCompressionMethod = pixels.method
    header.SamplesPerPixel = pixels.samples
    header.PhotometricInterpretation = pixels.photometric
    if pixels.samples > 1:
        header.PlanarConfiguration = 0
    header.Rows, header.Columns = pixels.rows, pixels.columns
    header.BitsAllocated = header.BitsStored = pixels.bits
    header.HighBit = pixels.bits - 1
    header.PixelRepresentation = 0
    if pixels.bits > 8:
        header.WindowCenter, header.WindowWidth = _window(*pixels.window)


def _radiograph(header: Dataset, subject: Subject, pixels: Pixels) -> None:
    """DX Series, Anatomy Imaged, Image and Detector (PS3.3 C.8.11.1 to C.8.11.4), VOI LUT, Acquisition Context."""
    said = subject.said
    header.PresentationIntentType = "FOR PRESENTATION"
    header.ImageLaterality = said.laterality
    header.AnatomicRegionSequence = []
    header.PatientOrientation = list(said.patient_orientation)
    # Bones are bright in what a sensor's program writes: the higher, the less radiation. A TIFF that says that white
    # is 0 is the other way round.
    dark = pixels.photometric == "MONOCHROME1"
    header.PixelIntensityRelationship = "LOG"
    header.PixelIntensityRelationshipSign = 1 if dark else -1
    header.RescaleIntercept, header.RescaleSlope, header.RescaleType = "0", "1", "US"
    header.PresentationLUTShape = "INVERSE" if dark else "IDENTITY"
    header.WindowCenter, header.WindowWidth = _window(*pixels.window)
    header.DetectorType = ""
    spacing = f"{said.pixel_spacing:.6g}" if said.pixel_spacing else "1"
    header.ImagerPixelSpacing = [spacing, spacing]
    if said.pixel_spacing is None:
        header.ImageComments = UNKNOWN_SPACING
    header.AcquisitionContextSequence = []


def _captured(header: Dataset, conversion: str) -> None:
    """SC Equipment (PS3.3 C.8.6.1)."""
    header.ConversionType = conversion
    header.SecondaryCaptureDeviceManufacturer = "Reading Room"
    header.SecondaryCaptureDeviceSoftwareVersions = __version__


def _window(low: float, high: float) -> tuple[str, str]:
    """WindowCenter and WindowWidth that show `low` as the darkest and `high` as the brightest (PS3.3 C.11.2.1.2.1)."""
    return f"{(low + high + 1) / 2:.8g}", f"{max(high - low + 1, 1):.8g}"


def _moment(said: str) -> datetime:
    return datetime.fromisoformat(said).astimezone(UTC)


def _date(moment: datetime) -> str:
    return moment.strftime("%Y%m%d")


def _time(moment: datetime) -> str:
    return moment.strftime("%H%M%S.%f")
