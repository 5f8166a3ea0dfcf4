"""Whose and what an instance is that is made of an asset: the rows' words, and the UIDs that follow from them."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from readingroom.clock import iso

NAMESPACE = uuid.UUID("1f6a4a6e-6a0b-5a0b-8d2b-6f1f0a7d9c51")
"""What our UIDs are derived below (RFC 9562, section 5.5)."""


SOP_CLASSES = {
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray Image Storage - For Presentation
    "XC": "1.2.840.10008.5.1.4.1.1.77.1.4",  # VL Photographic Image Storage
    "SC": "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture Image Storage
    "DOC": "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF Storage
}
"""PS3.4 B.5, by what an asset becomes."""


@dataclass(frozen=True, slots=True)
class Said:
    """What nobody can know from the file, and the clinic may say; each with what stands in the instance otherwise."""

    laterality: str = "U"
    """ImageLaterality, type 1 in a DX: R, L, B (both), U (unpaired): DICOM has no word for "unknown"."""

    patient_orientation: tuple[str, str] = ("L", "F")
    """PatientOrientation of rows and columns, type 1 in a DX: as a picture seen from the front."""

    burned_in: bool = True
    """BurnedInAnnotation: as long as nobody has looked, a name may stand in the picture."""

    pixel_spacing: float | None = None
    """ImagerPixelSpacing in millimetres, type 1 in a DX. Unknown: 1, which no sensor has and anybody sees is none."""


@dataclass(frozen=True, slots=True)
class Subject:
    """All that a header says of an asset; times are ISO 8601 in UTC, as `clock.iso` writes them."""

    clinic_id: int
    patient_id: int
    study_id: int
    asset_id: int
    modality: str
    mime_type: str
    kind: str
    title: str
    study_at: str
    captured_at: str
    made_at: str
    source_device: str
    sha256: str
    number: int
    study_uid: str
    series_uid: str
    instance_uid: str
    said: Said = Said()

    def as_json(self) -> dict[str, Any]:
        """For the process that writes the file."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Subject:
        """What `as_json` said."""
        said = dict(told["said"])
        said["patient_orientation"] = tuple(said["patient_orientation"])
        return cls(**{each.name: told[each.name] for each in fields(cls) if each.name != "said"}, said=Said(**said))


def series_of(modality: str, mime_type: str) -> str:
    """DX, XC, SC or DOC: which of the four an asset becomes."""
    if mime_type == "application/pdf":
        return "DOC"
    return {"XRAY": "DX", "PHOTO": "XC"}.get(modality, "SC")


def uid(*parts: object) -> str:
    """A UID below 2.25 (PS3.5 B.2) that is the same for the same words."""
    return f"2.25.{uuid.uuid5(NAMESPACE, chr(0x1F).join(str(part) for part in parts)).int}"


def study_root(clinic_id: int, patient_id: int, study_id: int, created_at: datetime) -> tuple[object, ...]:
    """What the UIDs of a study and all in it are derived of.

    Ids begin at 1 in every installation. The microsecond in which the row was made tells two of them apart, is the
    same for every server on that database, and moves with the row.
    """
    return (clinic_id, patient_id, study_id, created_at.strftime("%Y%m%dT%H%M%S.%f"), iso(created_at))


def uids(root: tuple[object, ...], modality: str, asset_id: int) -> tuple[str, str, str]:
    """Study, series (one for each modality of a study) and instance."""
    return uid("study", *root), uid("series", *root, modality), uid("instance", *root, asset_id)
