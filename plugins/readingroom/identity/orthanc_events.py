"""What the trail tells of requests to Orthanc's own routes that were let through: who read what, who changed what.

It is written before Orthanc sees the request, so that nothing is done unwritten; what came of it, Orthanc alone knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from readingroom.audit.events import CoreChanged, CoreRead, Event, StudiesSearched, StudyViewed
from readingroom.identity.access import StudyScope, capability_for, is_dicomweb_read, is_uid

NOBODYS = re.compile(r"/|/(app|ui)(/.*)?|/(system|statistics|plugins)(/.*)?|/tools/metrics-prometheus")
"""Orthanc Explorer's own files, and what tells of the server alone: reading these is no event."""

RESOURCE = re.compile(r"(/[^/]*){1,2}")
"""The first two parts of a path: a resource; all that is read of it is one view."""

LONGEST = 200
"""Characters of a path that are kept."""


def event_of(method: str, path: str, arguments: Mapping[str, str]) -> Event | None:
    """What to write of a request; None where it says nothing of anybody. `arguments` are those of its query."""
    if method not in ("GET", "HEAD"):
        return CoreChanged(entity_id=path[:LONGEST], method=method)
    if is_dicomweb_read(method, path):
        needed = capability_for(method, path)
        return StudyViewed(entity_id=needed.study_uid) if isinstance(needed, StudyScope) else StudiesSearched()
    if path.rstrip("/") == "/wado":
        return _wado(arguments)
    if NOBODYS.fullmatch(path):
        return None
    resource = RESOURCE.match(path.rstrip("/"))
    return CoreRead(entity_id=(resource[0] if resource else path)[:LONGEST])


def _wado(arguments: Mapping[str, str]) -> Event:
    """WADO-URI (PS3.18 section 9.4) names the study; DICOMweb of Orthanc's does without, the image is enough for it."""
    study = arguments.get("studyUID", "")
    if is_uid(study):
        return StudyViewed(entity_id=study)
    return CoreRead(entity_id=f"/wado/{arguments.get('objectUID', '')}"[:LONGEST])
