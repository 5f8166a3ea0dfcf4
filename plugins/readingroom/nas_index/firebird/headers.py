"""One row of the database as the header of its picture, with identifiers that stay the same run after run."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from readingroom.nas_index.firebird.mapping import PATH, Mapping
from readingroom.nas_index.header import Header
from readingroom.sources.names import inside

JPEG_2000_SYNTAX = "1.2.840.10008.1.2.4.91"
"""JPEG 2000 (PS3.5 section 10.19): what the pictures are packed as."""

NAMESPACE = uuid.UUID("6d1f1d0e-7a5b-5c55-9a53-4b8f0a7f2c11")
"""Of the UIDs made here: must never change, or every series gets another key."""

_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})")
_SEXES = {"M": "M", "MALE": "M", "F": "F", "W": "F", "FEMALE": "F", "O": "O"}


def header_of(mapping: Mapping, source: str, row: tuple[Any, ...]) -> tuple[str, Header]:
    """The picture's path below the source, and its header. Raises ValueError for a row without a usable path.

    UIDs that the database does not have are made (PS3.5 section B.2) of what it has: a study of its patient, day,
    accession number and StudyID; a series of its study and number; an instance of its path.
    """
    said = dict(zip(mapping.columns, row, strict=True))
    path = path_of(mapping, said.pop(PATH))
    values = dict(mapping.defaults) | {keyword: text for keyword, value in said.items() if (text := _text(value))}
    for keyword in ("StudyDate", "PatientBirthDate"):
        values[keyword] = _date(values.get(keyword, ""))
    values["StudyTime"] = re.sub(r"\D", "", values.get("StudyTime", "").partition(".")[0])
    values["PatientSex"] = _SEXES.get(values.get("PatientSex", "").upper(), "")
    _identify(values, source, path)
    return path, Header(TransferSyntaxUID=JPEG_2000_SYNTAX, **values)


def path_of(mapping: Mapping, value: Any) -> str:
    """A path as the database has it, below the source; raises ValueError."""
    said = _text(value).replace("\\", "/")
    prefix = mapping.path_prefix.replace("\\", "/")
    if prefix and said.lower().startswith(prefix.lower()):  # Windows does not tell upper case from lower
        said = said[len(prefix) :]
    said = said.lstrip("/")
    if not said or re.match(r"[A-Za-z]:", said):
        raise ValueError("the row names no file below the source")
    return inside(said)


def _identify(values: dict[str, str], source: str, path: str) -> None:
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        if not _UID.fullmatch(values.get(keyword, "")):
            values.pop(keyword, None)
    if "SeriesInstanceUID" not in values:
        if "StudyInstanceUID" not in values:
            parts = [values.get(name, "") for name in ("PatientID", "AccessionNumber", "StudyID", "StudyDate")]
            # Nothing to tell studies apart by: then a folder is one, which is how such archives are laid out.
            parts = parts if any(parts) else [path.rpartition("/")[0]]
            values["StudyInstanceUID"] = made_uid(source, "study", *parts)
        values["SeriesInstanceUID"] = made_uid(
            source, "series", values["StudyInstanceUID"], values.get("SeriesNumber", ""), values.get("Modality", "")
        )
    values.setdefault("StudyInstanceUID", made_uid(source, "study of", values["SeriesInstanceUID"]))
    values.setdefault("SOPInstanceUID", made_uid(source, "instance", path))


def made_uid(*parts: str) -> str:
    """A UID that follows from these words."""
    return f"2.25.{uuid.uuid5(NAMESPACE, '\0'.join(parts)).int}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y%m%d")
    if isinstance(value, date):
        return value.strftime("%Y%m%d")
    if isinstance(value, time):
        return value.strftime("%H%M%S")
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return str(value).strip()


def _date(text: str) -> str:
    if re.fullmatch(r"\d{8}", text):
        return text
    if found := _YEAR_FIRST.match(text):
        year, month, day = found.groups()
    elif found := _DAY_FIRST.match(text):
        day, month, year = found.groups()
    else:
        return ""
    return f"{year}{int(month):02d}{int(day):02d}"
