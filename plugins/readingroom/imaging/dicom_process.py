"""A confined process that makes DICOM files of assets: `python -m readingroom.imaging.dicom_process`.

The files are strangers', and large pictures would hold Orthanc's interpreter. It is handed one file to read and one to
write, and says what came of it.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any, BinaryIO

from pydicom import Dataset, FileMetaDataset, config
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

from readingroom.confined.line import receive
from readingroom.confined.process import serve
from readingroom.imaging import dicom_header, dicom_pixels
from readingroom.imaging.dicom_line import CLOCK, LENGTH, SECONDS
from readingroom.imaging.dicom_subject import Subject, series_of

IMPLEMENTATION_UID = UID("2.25.21406384418907432146330478514613064961")
"""Who wrote the file (PS3.7 D.3.3.2): Reading Room, the same as of every file that we write."""

MEMORY = 4 << 30
"""Bytes of address space: three times the largest accepted picture in RGB, and what numpy and the decoders take."""

LARGEST_FILE = 1 << 30
"""Bytes that are written: Orthanc takes a file in one piece, and holds it."""


def write(subject: Subject, original: BinaryIO, target: BinaryIO, max_pixels: int) -> None:
    """Write the instance that an asset becomes. Raises NotAnImage."""
    config.settings.writing_validation_mode = config.RAISE
    series = series_of(subject.modality, subject.mime_type)
    if series == "DOC":
        document = original.read()
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


def _save(header: Dataset, syntax: UID, target: BinaryIO) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "READINGROOM"
    header.file_meta = meta
    dcmwrite(target, header, enforce_file_format=True)


def answer(job: dict[str, Any], original: BinaryIO, target: BinaryIO) -> dict[str, str]:
    """Do it; `{}` when it is done, else `notAnImage` or `failed` with why."""
    try:
        write(Subject.from_json(job["subject"]), original, target, int(job["maxPixels"]))
        target.flush()
    except dicom_pixels.NotAnImage as error:
        return {"notAnImage": str(error)}
    except MemoryError:
        return {"notAnImage": "it is too large"}
    except Exception as error:  # a malformed file makes decoders raise whatever Python has; it quotes nothing
        return {"failed": type(error).__name__}
    return {}


def on_line(line: socket.socket) -> None:
    """One job, and what came of it: JSON behind its length, with it the file to read and the one to write."""
    head, descriptors, _, _ = socket.recv_fds(line, LENGTH.size, 2, socket.MSG_WAITALL)
    (length,) = LENGTH.unpack(head)
    with os.fdopen(descriptors[0], "rb") as original, os.fdopen(descriptors[1], "wb") as target:
        said = json.dumps(answer(json.loads(receive(line, length)), original, target)).encode()
    line.sendall(LENGTH.pack(len(said)) + said)


if __name__ == "__main__":
    serve(on_line, memory=MEMORY, seconds=SECONDS, clock=CLOCK, written=LARGEST_FILE)
