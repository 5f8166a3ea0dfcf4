"""DICOM files for tests, each in one call: no person behind them, and a misspelt keyword is refused.

ct(PatientName="Doe^Jane")              one dataset
dicom_bytes(mr())                       one file
for file in ct_slices(2000): ...        a CT series, fast
tree = bestof_tree(folder)              MRI/0001/…, CT/0003/… as real folders are
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy
import numpy.typing
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.datadict import tag_for_keyword
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundMultiFrameImageStorage,
)
from readingroom.cases.phantom import IMPLEMENTATION_UID, Scan, slice_dataset, slices, uid

__all__ = [
    "JUNK",
    "Scan",
    "bestof_tree",
    "big_endian",
    "ct",
    "ct_series",
    "ct_slices",
    "dataset",
    "deflated",
    "dicom_bytes",
    "implicit",
    "lut",
    "mr",
    "secondary_capture",
    "uid",
    "us_multiframe",
    "without_preamble",
    "write_tree",
]

JUNK: Mapping[str, bytes] = {
    "empty.dcm": b"",
    "notes.txt": b"Please fetch the second series on Monday.\n",
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    "zeros.dcm": bytes(4096),
    "picture.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)),
    "short.dcm": bytes(128) + b"DIC",
}
"""Files that lie between the images of a real folder and are not DICOM."""


def dataset(**keywords: object) -> Dataset:
    """A dataset with these attributes; TypeError for a keyword that the DICOM dictionary lacks."""
    made = Dataset()
    for keyword, value in keywords.items():
        if tag_for_keyword(keyword) is None:
            raise TypeError(f"{keyword} is not a DICOM keyword")
        setattr(made, keyword, [*value] if isinstance(value, (tuple, Sequence)) else value)
    return made


def dicom_bytes(made: Dataset, syntax: UID = ExplicitVRLittleEndian, *, preamble: bytes = bytes(128)) -> bytes:
    """The dataset as a DICOM file (PS3.10) in that transfer syntax."""
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = syntax
    made.file_meta.ImplementationClassUID = IMPLEMENTATION_UID
    made.preamble = preamble
    buffer = io.BytesIO()
    dcmwrite(buffer, made, enforce_file_format=True)
    return buffer.getvalue()


def implicit(made: Dataset) -> bytes:
    """The dataset as a file in Implicit VR Little Endian."""
    return dicom_bytes(made, ImplicitVRLittleEndian)


def deflated(made: Dataset) -> bytes:
    """The dataset as a file in Deflated Explicit VR Little Endian."""
    return dicom_bytes(made, DeflatedExplicitVRLittleEndian)


def big_endian(made: Dataset) -> bytes:
    """The dataset as a file in Explicit VR Big Endian (retired); its pixels are swapped."""
    if "PixelData" in made and made.BitsAllocated == 16:
        made.PixelData = numpy.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
    return dicom_bytes(made, ExplicitVRBigEndian)


def without_preamble(made: Dataset) -> bytes:
    """A file that begins with its file meta group: no preamble, no `DICM`."""
    return dicom_bytes(made)[132:]


def ct(
    name: str = "ct",
    index: int = 0,
    *,
    rows: int = 16,
    columns: int = 16,
    study: str = "",
    **keywords: object,
) -> Dataset:
    """One CT slice with a small picture; the same `name`, `index` and `study` give the same UIDs."""
    scan = Scan(name, index + 1, rows, columns, study=study)
    position = f"{-index * scan.thickness:.2f}"
    fixed: dict[str, object] = {
        "SOPInstanceUID": scan.sop_uid(index),
        "InstanceNumber": str(index + 1),
        "ImagePositionPatient": ["-180", "-180", position],
        "SliceLocation": position,
        "PixelData": _ramp(rows, columns, index),
    }
    return slice_dataset(scan, **(fixed | _checked(keywords)))


def mr(
    name: str = "mr",
    index: int = 0,
    *,
    rows: int = 16,
    columns: int = 16,
    study: str = "",
    **keywords: object,
) -> Dataset:
    """One MR slice, T1 weighted by its header."""
    position = f"{index * 4.0:.2f}"
    return dataset(
        **{
            **_patient(),
            **_image(name, index, study, "MR", MRImageStorage, rows, columns),
            "ImageType": ["ORIGINAL", "PRIMARY", "M"],
            "ScanningSequence": "SE",
            "SequenceVariant": "NONE",
            "ScanOptions": "",
            "MRAcquisitionType": "2D",
            "EchoTime": "12",
            "RepetitionTime": "500",
            "SliceThickness": "4",
            "ImagePositionPatient": ["-120", "-120", position],
            "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
            "PixelSpacing": [f"{240 / rows:.6f}", f"{240 / columns:.6f}"],
            "FrameOfReferenceUID": uid("frame", study or name),
            "WindowCenter": "500",
            "WindowWidth": "1000",
            "PixelData": _ramp(rows, columns, index),
            **keywords,
        }
    )


def us_multiframe(
    name: str = "us",
    *,
    frames: int = 4,
    rows: int = 16,
    columns: int = 16,
    study: str = "",
    **keywords: object,
) -> Dataset:
    """One ultrasound loop in colour, several frames in one file."""
    down, across = numpy.mgrid[0:rows, 0:columns]
    loop = [numpy.stack([down * 8 + n, across * 8, (down + across + n) * 4], axis=-1) for n in range(frames)]
    return dataset(
        **{
            **_patient(),
            **_image(name, 0, study, "US", UltrasoundMultiFrameImageStorage, rows, columns),
            **_COLOUR,
            "NumberOfFrames": str(frames),
            "FrameTime": "40",
            "FrameIncrementPointer": 0x00181063,
            "PixelData": (numpy.stack(loop) % 256).astype("u1").tobytes(),
            **keywords,
        }
    )


def lut(
    entries: numpy.typing.ArrayLike, first: int = 0, bits: int = 16, *, words: bool = True, **keywords: object
) -> Dataset:
    """An item of a Modality LUT or VOI LUT Sequence; entries of 8 bits lie in bytes unless in `words`."""
    table = numpy.asarray(entries)
    made = dataset(**keywords)
    made.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(table) % 65536, first, bits])
    data = table.astype("<u2" if words else "u1").tobytes()
    made.add_new("LUTData", "OW", data + bytes(len(data) % 2))
    return made


def secondary_capture(
    name: str = "sc", *, rows: int = 16, columns: int = 16, study: str = "", **keywords: object
) -> Dataset:
    """One screen capture in colour, of the kind that has names burned into its pixels."""
    return dataset(
        **{
            **_patient(),
            **_image(name, 0, study, "OT", SecondaryCaptureImageStorage, rows, columns),
            **_COLOUR,
            "ConversionType": "WSD",
            "PixelData": (numpy.arange(rows * columns * 3) % 256).astype("u1").tobytes(),
            **keywords,
        }
    )


def ct_slices(
    count: int, rows: int = 64, columns: int = 64, *, name: str = "ct", study: str = "", **keywords: object
) -> Iterator[bytes]:
    """A CT series as files, head first: a phantom with geometry, rescale, window; 2,000 slices a second."""
    return slices(Scan(name, count, rows, columns, study=study), **_checked(keywords))


def ct_series(
    folder: Path, count: int, rows: int = 64, columns: int = 64, *, name: str = "ct", **keywords: object
) -> list[Path]:
    """Write such a series as `folder/IM00001.dcm` and so on; returns the files in order."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, file in enumerate(ct_slices(count, rows, columns, name=name, **keywords), start=1):
        path = folder / f"IM{number:05d}.dcm"
        path.write_bytes(file)
        written.append(path)
    return written


def bestof_tree(folder: Path, *, junk: bool = True) -> dict[str, bytes]:
    """Write a small best-of folder; returns what lies in it, by path relative to `folder`.

    Case 1 (MRI and Echo), 2 (MRI), 3 (CT, nested, two series with equal file names), 12 (Echo).
    """
    tree: dict[str, bytes] = {}
    for index in range(3):
        tree[f"MRI/0001/T1/IM{index + 1:04d}"] = dicom_bytes(mr("t1", index, study="one"))
        tree[f"MRI/0001/T2 axial/IM{index + 1:04d}"] = implicit(mr("t2", index, study="one"))
    tree["Echo/0001/loop.dcm"] = dicom_bytes(us_multiframe("loop", study="one echo"))
    tree["MRI/0002/grüße/façade.dcm"] = deflated(mr("deflated", study="two"))
    tree["MRI/0002/old/bigendian.dcm"] = big_endian(mr("big", study="two"))
    tree["MRI/0002/old/nopreamble.ima"] = without_preamble(mr("bare", study="two"))
    for series in ("lung", "soft tissue"):
        for index, file in enumerate(ct_slices(5, 32, 32, name=series, study="three")):
            tree[f"CT/0003/{series}/a/b/{index:03d}.dcm"] = file
    tree["Echo/0012/clip"] = dicom_bytes(us_multiframe("twelve", frames=2, study="twelve"))
    if junk:
        tree |= {f"CT/0003/{name}": data for name, data in JUNK.items()}
        tree["MRI/README.txt"] = b"not in a case folder\n"
    write_tree(folder, tree)
    return tree


def write_tree(folder: Path, tree: Mapping[str, bytes]) -> None:
    """Write files by relative path, folders included."""
    for path, data in tree.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


_COLOUR: dict[str, object] = {
    "SamplesPerPixel": 3,
    "PhotometricInterpretation": "RGB",
    "PlanarConfiguration": 0,
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
}


def _patient() -> dict[str, object]:
    return {"PatientName": "", "PatientID": "TEST", "PatientBirthDate": "", "PatientSex": "O"}


def _image(
    name: str, index: int, study: str, modality: str, sop_class: UID, rows: int, columns: int
) -> dict[str, object]:
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": sop_class,
        "SOPInstanceUID": uid("instance", study, name, index),
        "StudyInstanceUID": uid("study", study or name),
        "SeriesInstanceUID": uid("series", study, name),
        "StudyDate": "20260105",
        "StudyTime": "083000",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "Modality": modality,
        "Manufacturer": "Reading Room",
        "StudyID": "1",
        "SeriesNumber": "1",
        "InstanceNumber": str(index + 1),
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "BurnedInAnnotation": "NO",
    }


def _ramp(rows: int, columns: int, index: int) -> bytes:
    return ((numpy.arange(rows * columns, dtype="<u2") * 7 + index * 13) % 4096).astype("<u2").tobytes()


def _checked(keywords: dict[str, object]) -> dict[str, object]:
    dataset(**keywords)
    return keywords
