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

MISLEADING = re.compile(r"//|[/\\;]\.{1,2}([/\\;?#]|$)|%(2[ef]|5c)|[\x00-\x1f\x7f]", re.IGNORECASE)
"""The same of a path that begins like one of ours: what might lead out of there, should anybody resolve it again."""

STUDIES = "/dicom-web/studies"
PLAIN_QUERY = re.compile(r"([A-Za-z0-9._,=&-]|%2[Cc])*")
SEARCH_KEYS = frozenset({"limit", "offset", "fuzzymatching", "includefield", "StudyInstanceUID"})
"""A search for one study, as OHIF asks before it opens it, and nothing that could be read in two ways."""

PUBLISHED_SECONDS = 5.0
"""How long a case that was withdrawn just now may still be read."""


@dataclass(frozen=True, slots=True)
class StudyScope:
    """Open to `pacs.read`, and to `cases.read` when that study belongs to a published case."""

    study_uid: str


def capability_for(method: str, path: str, query: str | None = None) -> str | StudyScope:
    """What a request to Orthanc needs; PUBLIC for our own routes, which check themselves.

    Whatever is not named here needs `orthanc.admin`: the core's REST API, Orthanc Explorer, plugins' routes,
    STOW-RS. `query` is the query as the client wrote it, None where nobody can be believed about it.
    """
    if (path.startswith(OUR_PREFIXES) or path.rstrip("/") in OUR_PATHS) and not MISLEADING.search(path):
        return PUBLIC
    if UNCLEAN.search(path):
        return "orthanc.admin"
    if method.upper() in ("GET", "HEAD"):
        one = study_searched(query) if path.rstrip("/") == STUDIES else None
        return StudyScope(one) if one else _for_reading(path.rstrip("/"))
    return "orthanc.admin"


def _for_reading(path: str) -> str | StudyScope:
    study = IN_STUDY.fullmatch(path)
    if study and is_uid(study[1]):
        return StudyScope(study[1])
    return "pacs.read" if path == "/wado" or READS.fullmatch(path) else "orthanc.admin"


def is_dicomweb_read(method: str, path: str) -> bool:
    """Whether a request only reads DICOMweb: searches it, or fetches headers and pixels (QIDO-RS, WADO-RS)."""
    return (
        method.upper() in ("GET", "HEAD") and READS.fullmatch(path.rstrip("/")) is not None and not UNCLEAN.search(path)
    )


def study_searched(query: str | None) -> str | None:
    """The one study that a search on `/dicom-web/studies` can find, by its UID; None where it may find others."""
    if not query or not PLAIN_QUERY.fullmatch(query):
        return None
    pairs = [part.partition("=") for part in query.split("&")]
    keys = [key for key, _, _ in pairs]
    if len(set(keys)) != len(keys) or not SEARCH_KEYS.issuperset(keys):
        return None
    uid = next((value for key, _, value in pairs if key == "StudyInstanceUID"), "")
    return uid if is_uid(uid) else None


def is_uid(text: str) -> bool:
    """Whether this can be a UID of DICOM's."""
    return len(text) <= 64 and UID.fullmatch(text) is not None


class Access:
    """Applies the rule to an identity. `is_published(study_uid)` comes from the cases."""

    def __init__(self, is_published: Callable[[str], bool], clock: Clock) -> None:
        self._is_published = is_published
        self._published = Lately[str, bool](PUBLISHED_SECONDS, 4096, clock)

    def checks_itself(self, path: str) -> bool:
        """Whether the path is one of ours."""
        return capability_for("GET", path) == PUBLIC

    def allows(self, identity: Identity, method: str, path: str, query: str | None = None) -> bool:
        """Whether that identity may do this; `query` as in `capability_for`."""
        needed = capability_for(method, path, query)
        if not isinstance(needed, StudyScope):
            return identity.can(needed)
        return self.reads_study(identity, needed.study_uid)

    def reads_study(self, identity: Identity, uid: str) -> bool:
        """Whether that identity may read this study: with `pacs.read`, or as one of a published case."""
        if identity.can("pacs.read"):
            return True
        return identity.can("cases.read") and self._published.once(uid, lambda: self._is_published(uid))
