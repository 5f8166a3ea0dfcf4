"""What Orthanc's own routes ask of a caller: a pure rule of method and path, and its application."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from readingroom.clock import Clock
from readingroom.identity.lately import Lately
from readingroom.identity.model import PUBLIC, Identity

OUR_PREFIXES = ("/api/", "/share/", "/imaging/")
OUR_PATHS = ("/api", "/share", "/imaging", "/health")
"""Everything below these is ours and checks itself by its declared capability; what is not routed is our own
404."""

UID = re.compile(r"[0-9]+(\.[0-9]+)*")
"""A DICOM unique identifier (PS3.5 section 9.1); at most 64 characters."""

READS = re.compile(r"/dicom-web/(studies|series|instances)(/.*)?")
IN_STUDY = re.compile(r"/dicom-web/studies/([^/]+)(/.*)?")

UNCLEAN = re.compile(r"//|/\.{1,2}(/|$)|[\x00-\x1f\x7f\\%;?#]")
"""What Orthanc resolves before it asks us; if it ever does not, such a path is nobody's but an admin's."""

PUBLISHED_SECONDS = 5.0
"""How long a case that was withdrawn just now may still be read."""


@dataclass(frozen=True, slots=True)
class StudyScope:
    """Open to `pacs.read`, and to `cases.read` when that study belongs to a published case."""

    study_uid: str


def capability_for(method: str, path: str) -> str | StudyScope:
    """What a request to Orthanc needs; PUBLIC for our own routes, which check themselves.

    Whatever is not named here needs `orthanc.admin`: the core's REST API, Orthanc Explorer, plugins' routes,
    STOW-RS.
    """
    if UNCLEAN.search(path):
        return "orthanc.admin"
    if path.startswith(OUR_PREFIXES) or path.rstrip("/") in OUR_PATHS:
        return PUBLIC
    if method.upper() in ("GET", "HEAD"):
        return _for_reading(path.rstrip("/"))
    return "orthanc.admin"


def _for_reading(path: str) -> str | StudyScope:
    study = IN_STUDY.fullmatch(path)
    if study and len(study[1]) <= 64 and UID.fullmatch(study[1]):
        return StudyScope(study[1])
    return "pacs.read" if path == "/wado" or READS.fullmatch(path) else "orthanc.admin"


class Access:
    """Applies the rule to an identity. `is_published(study_uid)` comes from the cases."""

    def __init__(self, is_published: Callable[[str], bool], clock: Clock) -> None:
        self._is_published = is_published
        self._published = Lately[str, bool](PUBLISHED_SECONDS, 4096, clock)

    def checks_itself(self, path: str) -> bool:
        """Whether the path is one of ours."""
        return capability_for("GET", path) == PUBLIC

    def allows(self, identity: Identity, method: str, path: str) -> bool:
        """Whether that identity may do this."""
        needed = capability_for(method, path)
        if not isinstance(needed, StudyScope):
            return identity.can(needed)
        return self.reads_study(identity, needed.study_uid)

    def reads_study(self, identity: Identity, uid: str) -> bool:
        """Whether that identity may read this study: with `pacs.read`, or as one of a published case."""
        if identity.can("pacs.read"):
            return True
        return identity.can("cases.read") and self._published.once(uid, lambda: self._is_published(uid))

    def forget(self) -> None:
        """Ask afresh which studies are published."""
        self._published.forget()
