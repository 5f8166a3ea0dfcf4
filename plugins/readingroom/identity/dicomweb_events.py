"""What the trail tells of those who read DICOMweb: which study they looked at, and that they searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event
from readingroom.identity.access import StudyScope, capability_for, is_dicomweb_read


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomwebStudyRead(Event):
    """Somebody read headers or images of a study by DICOMweb; its id is its StudyInstanceUID."""

    action: ClassVar[str] = "dicomweb.study"
    entity_table: ClassVar[str] = "study"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomwebSearched(Event):
    """Somebody searched studies, series or instances by DICOMweb."""

    action: ClassVar[str] = "dicomweb.search"
    entity_table: ClassVar[str] = "study"
    folded: ClassVar[bool] = True


def reading(method: str, path: str) -> Event | None:
    """What to write of a request that was let through; None for one that does not read DICOMweb."""
    if not is_dicomweb_read(method, path):
        return None
    needed = capability_for(method, path)
    return DicomwebStudyRead(entity_id=needed.study_uid) if isinstance(needed, StudyScope) else DicomwebSearched()
