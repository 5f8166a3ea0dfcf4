"""A confined process that makes DICOM files of assets: `python -m readingroom.imaging.dicom_process`.

The files are strangers', and large pictures would hold Orthanc's interpreter. It is told paths, writes one file, and
says what came of it.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from pydicom import Dataset, FileMetaDataset, config
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

from readingroom.confined.line import receive
from readingroom.confined.process import serve
from readingroom.imaging import dicom_header, dicom_pixels
from readingroom.imaging.dicom_line import LENGTH, SECONDS
from readingroom.imaging.dicom_subject import Subject, series_of

IMPLEMENTATION_UID = UID("2.25.21406384418907432146330478514613064961")
"""Who wrote the file (PS3.7 D.3.3.2): Reading Room, the same as of every file that we write."""

MEMORY = 4 << 30
"""Bytes of address space: three times the largest accepted picture in RGB, and what numpy and the decoders take."""

LARGEST_FILE = 1 << 30
"""Bytes that are written: Orthanc takes a file in one piece, and holds it."""


def write(subject: Subject, original: Path, target: Path, max_pixels: int) -> None:
    """Write the instance that an asset becomes. Raises NotAnImage."""
    config.settings.writing_validation_mode = config.RAISE
    series = series_of(subject.modality, subject.mime_type)
    if series == "DOC":
        document = original.read_bytes()
        header = dicom_header.of_pdf(subject)
        header.EncapsulatedDocumentLength = len(document)
        header.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
        _save(header, ExplicitVRLittleEndian, target)
        return
    pixels = dicom_pixels.read(
        original, subject.mime_type, grey=series == "DX", deep=series != "XC", max_pixels=max_pixels
    )
    header = dicom_header.of_image(subject, pixels)
    if pixels.is_jpeg:
        header.add_new("PixelData", "OB", encapsulate([pixels.data]))
        header["PixelData"].is_undefined_length = True
        _save(header, JPEGBaseline8Bit, target)
        return
    vr = "OW" if pixels.bits > 8 else "OB"
    header.add_new("PixelData", vr, pixels.data + b"\0" * (len(pixels.data) % 2))
    _save(header, ExplicitVRLittleEndian, target)


def _save(header: Dataset, syntax: UID, target: Path) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "READINGROOM"
    header.file_meta = meta
    dcmwrite(target, header, enforce_file_format=True)


def answer(job: dict[str, Any]) -> dict[str, str]:
    """Do it; `{}` when it is done, else `notAnImage` or `failed` with why."""
    try:
        subject = Subject.from_json(job["subject"])
        write(subject, Path(job["original"]), Path(job["target"]), int(job["maxPixels"]))
    except dicom_pixels.NotAnImage as error:
        return {"notAnImage": str(error)}
    except MemoryError:
        return {"notAnImage": "it is too large"}
    except Exception as error:  # a malformed file makes decoders raise whatever Python has; it quotes nothing
        return {"failed": type(error).__name__}
    return {}


def on_line(line: socket.socket) -> None:
    """One job, and what came of it; each is JSON behind its length."""
    (length,) = LENGTH.unpack(receive(line, LENGTH.size))
    said = json.dumps(answer(json.loads(receive(line, length)))).encode()
    line.sendall(LENGTH.pack(len(said)) + said)


if __name__ == "__main__":
    serve(on_line, memory=MEMORY, seconds=SECONDS, written=LARGEST_FILE)
