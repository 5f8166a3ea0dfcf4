"""Tells by a sample of its files what kind of archive a source is: pure DICOM, JPEG 2000 with a database, or both."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Literal

from readingroom.nas_index.file_names import JPEG_2000, extension, may_be_dicom

Kind = Literal["dicom", "jpeg2000_firebird", "mixed", "unknown"]

BEGINNING = 132
"""Bytes of a file that tell what it is."""

SAMPLE = 400
"""Files looked at; a kind that makes one file in a hundred is missed by such a sample once in fifty times."""

FEW = 0.02
"""A share below which one kind is a stray: a site's exported picture in a DICOM archive, or the other way round."""

JP2_BOX = bytes.fromhex("0000000c6a5020200d0a870a")  # ISO/IEC 15444-1, I.5.1
JP2_STREAM = bytes.fromhex("ff4fff51")  # ISO/IEC 15444-1, A.2: SOC and SIZ
JP2_EXTENSIONS = JPEG_2000
DATABASES = frozenset({"fdb", "gdb"})


def kind_of_file(name: str, first: bytes) -> Literal["dicom", "jpeg2000", "database", "other"]:
    """What a file is, by its beginning; an empty beginning (not read) leaves it to the name, where that tells."""
    if first[128:132] == b"DICM":
        return "dicom"
    if first.startswith((JP2_BOX, JP2_STREAM)):
        return "jpeg2000"
    ends = extension(name)
    if ends in DATABASES:
        return "database"
    if not first and ends in JP2_EXTENSIONS:
        return "jpeg2000"
    # A file without preamble: what its first element would be (PS3.5 section 7.1).
    if may_be_dicom(name) and first[:4] in (b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x02\x00\x00\x00"):
        return "dicom"
    return "other"


def recognise(sample: Iterable[tuple[str, bytes]], *, has_mapping: bool = False) -> Kind:
    """The kind of an archive by names and beginnings of some of its files, at most SAMPLE of them.

    `has_mapping`: whether a database is configured for it; then single pictures count too.
    """
    counted = {"dicom": 0, "jpeg2000": 0, "database": 0, "other": 0}
    for name, first in islice(sample, SAMPLE):
        counted[kind_of_file(name, first)] += 1
    return kind_of(
        counted["dicom"], counted["jpeg2000"], has_mapping=has_mapping, has_database=bool(counted["database"])
    )


def kind_of(dicom: int, pictures: int, *, has_mapping: bool = False, has_database: bool = False) -> Kind:
    """The kind of an archive with so many DICOM files and so many pictures, seen in a sample or in all of it."""
    whole = dicom + pictures
    if not whole:
        return "jpeg2000_firebird" if has_database and has_mapping else "unknown"
    has_dicom = dicom / whole >= FEW
    has_pictures = pictures / whole >= FEW or bool(pictures and (has_mapping or has_database))
    if has_dicom and has_pictures:
        return "mixed"
    return "dicom" if has_dicom else "jpeg2000_firebird"
