"""Names of stored objects: made and checked here, the same whatever holds the bytes.

`clinic_<clinic>/patients/<patient>/studies/<study>/<originals|thumbs|web>/<name>`: ASCII, at most 512 characters, no
empty part, no `..`. A key that passes `checked` is safe below any folder and in any bucket.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from readingroom.errors import BadKey

Kind = Literal["originals", "thumbs", "web"]

MAX_KEY = 512
"""S3 takes 1024 bytes and most file systems 4096 a path; half of the smaller leaves room for a base folder."""

_ID = "[0-9]{1,19}"  # a bigint's digits
_NAME = r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?"
_KEY = re.compile(
    rf"clinic_(?P<clinic>{_ID})/patients/(?P<patient>{_ID})/studies/(?P<study>{_ID})"
    rf"/(?P<kind>originals|thumbs|web)/(?P<name>{_NAME})"
)
_LEVELS = (rf"clinic_{_ID}", "patients", _ID, "studies", _ID, "originals|thumbs|web")

TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "tif": "image/tiff",
    "webp": "image/webp",
    "heic": "image/heic",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "pdf": "application/pdf",
}
"""The ending that each kind of content has in a key; a folder keeps the content's type in no other way."""

UNKNOWN_TYPE = "application/octet-stream"


class KeyParts(NamedTuple):
    """What a key says; ids as the text that stands in it."""

    clinic: str
    patient: str
    study: str
    kind: Kind
    name: str


def original_key(clinic: str | int, patient: int, study: int, asset: int, moment: datetime, ending: str) -> str:
    """The key of an original: `<asset>_<moment, UTC>.<ending>`. Raises BadKey."""
    stamp = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return _made(clinic, patient, study, "originals", f"{asset}_{stamp}.{ending}")


def thumb_key(clinic: str | int, patient: int, study: int, asset: int) -> str:
    """The key of an asset's thumbnail. Raises BadKey."""
    return _made(clinic, patient, study, "thumbs", f"{asset}_thumb.webp")


def web_key(clinic: str | int, patient: int, study: int, asset: int) -> str:
    """The key of an asset's picture for the browser. Raises BadKey."""
    return _made(clinic, patient, study, "web", f"{asset}_web.webp")


def checked(key: str) -> str:
    """The key itself. Raises BadKey where it has not the shape that every key of ours has."""
    parts_of(key)
    return key


def parts_of(key: str) -> KeyParts:
    """What the key says. Raises BadKey."""
    match = _KEY.fullmatch(key) if len(key) <= MAX_KEY else None
    if match is None:
        raise BadKey("That is not the name of a stored object", detail={"key": key[:MAX_KEY]})
    return KeyParts(match["clinic"], match["patient"], match["study"], match["kind"], match["name"])  # type: ignore[arg-type]  # the pattern lets only the three kinds through


def is_key(key: str) -> bool:
    """Whether it has the shape of a key of ours: a bucket or folder may hold what is not."""
    return len(key) <= MAX_KEY and _KEY.fullmatch(key) is not None


def checked_prefix(prefix: str) -> str:
    """A folder of keys as `a/b/`, or "" for all. Raises BadKey where no key can lie below it."""
    parts = prefix.removesuffix("/").split("/") if prefix else []
    fits = len(parts) <= len(_LEVELS) and all(
        re.fullmatch(level, part) for level, part in zip(_LEVELS, parts, strict=False)
    )
    if not fits:
        raise BadKey("No stored object can lie below that", detail={"prefix": prefix[:MAX_KEY]})
    return "/".join(parts) + "/" if parts else ""


def type_of(key: str) -> str:
    """The content type that the key's ending stands for."""
    return TYPES.get(key.rpartition(".")[2].lower(), UNKNOWN_TYPE)


def ending_of(content_type: str) -> str:
    """The ending that stands for that content type; `bin` for one that is not in TYPES."""
    return next((ending for ending, known in TYPES.items() if known == content_type), "bin")


def _made(clinic: str | int, patient: int, study: int, kind: Kind, name: str) -> str:
    return checked(f"clinic_{clinic}/patients/{patient}/studies/{study}/{kind}/{name}")
