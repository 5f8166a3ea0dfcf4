"""Names by which single files of a series are asked for: Orthanc's own ids, and opaque ones elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from readingroom.series import SeriesFile
from readingroom.series.crcs import fingerprint
from readingroom.series.model import Place

MARK = 8
"""Hex digits that stand for the file as it was: a handle of another file that came to its place is none."""

_ELSEWHERE = re.compile(r"(nas|copy)-([0-9a-f]{40})-([0-9]{1,7})-([0-9a-f]{8})")
_ORTHANC = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{8}){4}")


class Handle(NamedTuple):
    """What a handle says: of Orthanc's, the id alone; of others, the series' key, the file's index and mark."""

    place: Place
    id: str
    number: int = -1
    mark: str = ""


def handle(place: Place, key: str, index: int, file: SeriesFile) -> str:
    """The handle of a file, the series' key being `key`."""
    return file.id if place == "orthanc" else f"{place}-{key}-{index}-{_mark(file)}"


def parsed(said: str) -> Handle | None:
    """What a handle says; None where it is none."""
    if _ORTHANC.fullmatch(said):
        return Handle("orthanc", said)
    elsewhere = _ELSEWHERE.fullmatch(said)
    if elsewhere is None:
        return None
    place: Place = "nas" if elsewhere[1] == "nas" else "copy"
    return Handle(place, elsewhere[2], int(elsewhere[3]), elsewhere[4])


def place_of(wanted: Handle, files: Sequence[SeriesFile]) -> int | None:
    """The index of the file that a handle from outside of Orthanc names; None where the series has it no longer."""
    fits = wanted.number < len(files) and _mark(files[wanted.number]) == wanted.mark
    return wanted.number if fits else None


def _mark(file: SeriesFile) -> str:
    return fingerprint(file.name, file.size, file.mtime_ns, file.sop_instance_uid)[:MARK]
