"""What the trail tells of those who read DICOMweb: which study they looked at, or that they searched."""

from __future__ import annotations

from readingroom.audit.events import Event, StudiesSearched, StudyViewed
from readingroom.identity.access import StudyScope, capability_for, is_dicomweb_read


def reading(method: str, path: str) -> Event | None:
    """What to write of a request that was let through; None for one that does not read DICOMweb."""
    if not is_dicomweb_read(method, path):
        return None
    needed = capability_for(method, path)
    return StudyViewed(entity_id=needed.study_uid) if isinstance(needed, StudyScope) else StudiesSearched()
