"""The profile's table: which action PS3.15 table E.1-1 names for each attribute, and ours for what it leaves
open.
"""

from __future__ import annotations

from importlib import resources
from typing import Literal, cast

from pydicom.datadict import tag_for_keyword
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalMammographyXRayImageStorageForProcessing,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    MRImageStorage,
    NuclearMedicineImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    XRayAngiographicImageStorage,
    XRayRadiofluoroscopicImageStorage,
)

Action = Literal["D", "Z", "X", "U", "K"]
"""Dummy value, empty, remove, new UID, keep (sequences: look inside)."""

PLAIN_CLASSES = frozenset(
    {
        ComputedRadiographyImageStorage,
        CTImageStorage,
        DigitalMammographyXRayImageStorageForPresentation,
        DigitalMammographyXRayImageStorageForProcessing,
        DigitalXRayImageStorageForPresentation,
        DigitalXRayImageStorageForProcessing,
        MRImageStorage,
        NuclearMedicineImageStorage,
        SecondaryCaptureImageStorage,
        UltrasoundImageStorage,
        UltrasoundMultiFrameImageStorage,
        XRayAngiographicImageStorage,
        XRayRadiofluoroscopicImageStorage,
    }
)
"""SOP classes in whose IODs (PS3.3 annex A) what is X/D or X/Z/D is Type 3 and what is Z/D is Type 2."""

_IN_PLAIN_CLASSES: dict[str, Action] = {"X/Z": "Z", "X/D": "X", "Z/D": "Z", "X/Z/D": "X", "X/Z/U*": "U"}
_ELSEWHERE: dict[str, Action] = {"X/Z": "Z", "X/D": "D", "Z/D": "D", "X/Z/D": "D", "X/Z/U*": "U"}
"""Where an attribute may be Type 1, a dummy value keeps the file conformant and says as little as none."""

_STRICTER: dict[Action, tuple[str, ...]] = {
    # Attributes that the table does not name and that would undo what it does: originals in an encrypted
    # envelope, signatures that no longer fit, names of the archive they came from, a birth date as another calendar has
    # it, UIDs of other instances.
    "X": (
        "EncryptedAttributesSequence",
        "MACParametersSequence",
        "NTPSourceAddress",
        "PatientBirthDateInAlternativeCalendar",
        "PatientDeathDateInAlternativeCalendar",
        "HomeCommunityID",
        "RepositoryUniqueID",
        "RetrieveLocationUID",
    ),
    "U": (
        "AssertionUID",
        "EquipmentFrameOfReferenceUID",
        "FindingsGroupUIDTrial",
        "ModelGroupUID",
        "MultiFrameSourceSOPInstanceUID",
        "RadiopharmaceuticalAdministrationEventUID",
        "ReferencedAssertionUID",
        "ReferencedColorPaletteInstanceUID",
        "ReferencedFiducialUID",
        "ReferencedFindingsGroupUIDTrial",
        "SOPInstanceUIDOfConcatenationSource",
        "SelectorUIValue",
        "TableFrameOfReferenceUID",
        "TargetFrameOfReferenceUID",
        "VolumeFrameOfReferenceUID",
        "VolumetricPresentationInputSetUID",
    ),
    "K": ("CodingSchemeURL", "URNCodeValue"),
}

BY_VR: dict[str, Action] = {"PN": "Z", "DA": "X", "DT": "X", "TM": "X", "UR": "X"}
"""What happens to an attribute that the table does not name: a person, a moment or an address is not kept."""


def _read() -> dict[int, str]:
    text = resources.files("readingroom.deidentify").joinpath("basic_profile.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {int(row[0].replace(",", ""), 16): row[1] for row in rows}


BASIC_PROFILE = _read()
"""Tag → the action as the standard writes it, such as `X/Z/D`."""


def actions_for(sop_class_uid: str) -> dict[int, Action]:
    """Tag → the one action to take in an instance of that class; an unknown class gets the answers that fit
    every IOD.
    """
    compound = _IN_PLAIN_CLASSES if sop_class_uid in PLAIN_CLASSES else _ELSEWHERE
    named = {tag: compound.get(action) or cast(Action, action) for tag, action in BASIC_PROFILE.items()}
    return named | _STRICTER_BY_TAG


_STRICTER_BY_TAG: dict[int, Action] = {
    tag: action
    for action, keywords in _STRICTER.items()
    for keyword in keywords
    if (tag := tag_for_keyword(keyword)) is not None
}
