"""Whether a header still says who the patient is, or that something is burned into the picture."""

from __future__ import annotations

from typing import NamedTuple

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag

from readingroom.deidentify.sequences import items_of


class Flags(NamedTuple):
    """What `identifying` found; each a reason to ask before publishing."""

    has_patient_name: bool
    has_birth_date: bool
    burned_in: bool


def _tags(*keywords: str) -> frozenset[int]:
    return frozenset(tag for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None)


NAMES = _tags("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName")
BIRTHS = _tags("PatientBirthDate", "PatientBirthDateInAlternativeCalendar", "PatientBirthTime")
BURNED_IN = _tags("BurnedInAnnotation")

MAX_DEPTH = 16
"""Sequences inside sequences; deeper than any IOD, shallower than Python's stack."""


def identifying(dataset: Dataset) -> Flags:
    """Look for a patient's name, a birth date and BurnedInAnnotation YES, inside sequences too.

    An empty value, or a name of separators and spaces alone, says nothing. Reads no pixels.
    """
    found = [False, False, False]
    _look(dataset, found, MAX_DEPTH)
    return Flags(*found)


def _look(dataset: Dataset, found: list[bool], depth: int) -> None:
    for tag in dataset.keys():  # noqa: SIM118  # iterating a dataset itself decodes every element
        if tag in NAMES:
            found[0] = found[0] or bool(str(dataset[tag].value or "").strip(" ^=\\[]',\0"))
        elif tag in BIRTHS:
            found[1] = found[1] or bool(str(dataset[tag].value or "").strip(" \0"))
        elif tag in BURNED_IN:
            found[2] = found[2] or str(dataset[tag].value or "").strip().upper() == "YES"
        elif depth and _is_sequence(dataset, tag):
            for item in items_of(dataset, tag):
                _look(item, found, depth - 1)


def _is_sequence(dataset: Dataset, tag: BaseTag) -> bool:
    vr = dataset.get_item(tag).VR
    if vr in (None, "UN") and not tag.is_private:
        try:
            vr = dictionary_VR(tag)
        except KeyError:
            return False
    return vr == "SQ"
