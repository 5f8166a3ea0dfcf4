"""One series as it is stored: its columns from a header, its place in the lists, its words and terms."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from readingroom.nas_index.header import Header
from readingroom.nas_index.positions import position
from readingroom.nas_index.words import id_words, name_words, search_text, tag, terms, text_words

MAX_TEXT = 400
"""Characters kept of one value; DICOM's own limit for all of these is 64 a component."""


MAX_SEARCHED = 1800
"""Bytes of a search text; with its properties it must fit an index entry of PostgreSQL, which takes 2,704 bytes."""


LONGEST_PATH = 600
"""Characters of a path that an error is kept under, for the same reason; a line of a list may be a page of text."""


@dataclass(frozen=True, slots=True)
class Region:
    """What a regional profile recognises in a header; empty: nothing."""

    medical_aid: str = ""
    hospital: str = ""
    hospital_group: str = ""


NOWHERE = Region()

_LETTER = {"source": "s", "modality": "m", "medical_aid": "a", "hospital": "h", "hospital_group": "g"}
"""Of each property: what is read by the thousand is kept short."""

Recognise = Callable[[Header], Region]

COLUMNS = (
    "position", "series_instance_uid", "study_instance_uid", "patient_name", "patient_id", "patient_birth_date",
    "patient_sex", "study_date", "study_time", "study_description", "series_description", "series_number", "modality",
    "body_part", "accession_number", "institution_name", "medical_aid", "hospital", "hospital_group", "search_text",
)  # fmt: skip
"""The columns of nas_series that come from a header, in the order of `SeriesRow.values`."""


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series' columns, in the order of COLUMNS, and the terms that it is found by."""

    position: int
    search_text: str
    values: tuple[Any, ...]
    terms: set[int]
    marks: str  # the properties, as PostgreSQL's search table has them behind the text


def series_row(header: Header, series_id: int, source_id: int, recognise: Recognise) -> SeriesRow:
    """What is stored of a series whose first file has this header."""
    region = recognise(header)
    at = position(header.StudyDate, series_id)
    lines = [
        name_words(header.PatientName[:MAX_TEXT]),
        id_words(header.PatientID[:MAX_TEXT]),
        id_words(header.AccessionNumber[:MAX_TEXT]),
        text_words(header.StudyDescription[:MAX_TEXT]),
        text_words(header.SeriesDescription[:MAX_TEXT]),
        text_words(header.Modality[:MAX_TEXT]),
        text_words(header.BodyPartExamined[:MAX_TEXT]),
        text_words(region.hospital or header.InstitutionName[:MAX_TEXT]),
        text_words(region.hospital_group),
        text_words(region.medical_aid),
    ]
    text = bounded(search_text(lines))
    properties = tags(clean(header.Modality), source_id, region)
    found = terms(text) | {tag(kind, value) for kind, value in properties}
    values = (
        at,
        *map(
            clean,
            (
                header.SeriesInstanceUID, header.StudyInstanceUID, header.PatientName, header.PatientID,
                header.PatientBirthDate, header.PatientSex, header.StudyDate, header.StudyTime,
                header.StudyDescription, header.SeriesDescription, header.SeriesNumber, header.Modality,
                header.BodyPartExamined, header.AccessionNumber, header.InstitutionName,
                region.medical_aid, region.hospital, region.hospital_group,
            ),
        ),
        text,
    )  # fmt: skip
    marks = "".join(property_mark(kind, value)[:-1] for kind, value in properties) + "\t"
    return SeriesRow(at, text, values, found, marks)


def tags(modality: str, source_id: int, region: Region) -> list[tuple[str, str | int]]:
    """The properties that lists are narrowed by, kind and value."""
    found: list[tuple[str, str | int]] = [
        ("source", source_id),
        ("modality", modality),
        ("medical_aid", region.medical_aid),
        ("hospital", region.hospital),
        ("hospital_group", region.hospital_group),
    ]
    return [(kind, value) for kind, value in found if value]


def bounded(text: str) -> str:
    """A search text that an index takes whole; the end of an endless one is not searched."""
    if len(text) * 4 <= MAX_SEARCHED:
        return text
    return text.encode()[:MAX_SEARCHED].decode("utf-8", "ignore")


def error_path(path: str) -> str:
    """The path that an error is kept under; of an endless one its beginning, and what tells it from others."""
    if len(path) <= LONGEST_PATH:
        return path
    mark = hashlib.sha1(path.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    return f"{path[: LONGEST_PATH - len(mark) - 2]}… {mark}"


def property_mark(kind: str, value: str | int) -> str:
    """How a property stands in a search text that is to decide on properties too; no word holds a tab."""
    return f"\t{_LETTER[kind]}={value}\t"


def clean(value: str) -> str:
    """A header's value as any table takes it: no NUL, no lone surrogate, not endless."""
    value = value[:MAX_TEXT]
    if "\0" in value:
        value = value.replace("\0", "")
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def instance_number(header: Header) -> int | None:
    """InstanceNumber as a number; None for what is none, or none that 32 bits hold."""
    return number_of(header.InstanceNumber)


def number_of(said: str) -> int | None:
    """The first number of a value, as `instance_number`."""
    if said.isdecimal() and len(said) < 10:
        return int(said)
    said = said.split("\\", 1)[0].strip()
    if not said or len(said) > 12:
        return None
    try:
        number = int(said)
    except ValueError:
        return None
    return number if -(1 << 31) <= number < 1 << 31 else None
