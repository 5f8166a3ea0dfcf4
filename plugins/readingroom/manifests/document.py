"""Writes the manifest: what holds of most frames once, what differs as columns in display order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readingroom.manifests import tags
from readingroom.manifests.frames import Frame
from readingroom.manifests.lookups import numbered
from readingroom.manifests.ordering import Group
from readingroom.manifests.values import whole, word, words
from readingroom.series import FoundSeries


@dataclass(frozen=True, slots=True)
class Instance:
    """One file of the series: its SOPInstanceUID, the name by which single files are asked for, InstanceNumber."""

    uid: str
    handle: str
    number: int | None


def document(
    found: FoundSeries, version: str, values: Mapping[int, bytes], instances: Sequence[Instance],
    frames: Sequence[Frame], groups: Sequence[Group], unshown: Mapping[int, str],
) -> bytes:  # fmt: skip
    """The manifest as JSON. `values` are of the first header that could be read: facts come from the files of this
    series alone, never from what is known of the patient elsewhere.
    """
    charset = values.get(tags.CHARSET, b"")

    def said(tag: int, *, is_name: bool = False) -> str:
        return words(values.get(tag, b""), charset, is_name=is_name)

    of_frames, luts = numbered(frame.said for frame in frames)
    defaults, columns = _columns(of_frames)
    told: dict[str, Any] = {
        "version": version,
        "seriesUid": found.series_uid or found.key,
        "studyUid": found.study_uid,
        "modality": word(values.get(tags.MODALITY, b"")),
        "seriesNumber": whole(values.get(tags.SERIES_NUMBER, b"")),
        "seriesDescription": said(tags.SERIES_DESCRIPTION),
        "place": found.origin,
        "patient": {
            "name": said(tags.PATIENT_NAME, is_name=True),
            "id": said(tags.PATIENT_ID),
            "birthDate": word(values.get(tags.BIRTH_DATE, b"")),
            "sex": word(values.get(tags.SEX, b"")),
        },
        "study": {
            "date": word(values.get(tags.STUDY_DATE, b"")),
            "time": word(values.get(tags.STUDY_TIME, b"")),
            "description": said(tags.STUDY_DESCRIPTION),
            "institution": said(tags.INSTITUTION),
        },
        "frameCount": len(frames),
        "groups": [{"name": each.name, "from": each.start, "count": each.count} for each in groups],
        "instances": {
            "uid": [each.uid for each in instances],
            "handle": [each.handle for each in instances],
            "number": [each.number for each in instances],
        },
        "defaults": defaults,
        "frames": _places(frames) | columns,
        "unshown": [{"instance": index, "reason": reason} for index, reason in sorted(unshown.items())],
    }
    if luts:
        told["luts"] = luts
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _places(frames: Sequence[Frame]) -> dict[str, Any]:
    numbers = [frame.place.number for frame in frames]
    told: dict[str, Any] = {"instance": [frame.place.file for frame in frames]}
    if any(each != 1 for each in numbers):
        told["frameNumber"] = numbers
    return told | {"position": [frame.position for frame in frames]}


def _columns(said: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """What most frames say, and for what not all say alike, what each says."""
    defaults: dict[str, Any] = {}
    columns: dict[str, list[Any]] = {}
    for name in dict.fromkeys(key for each in said for key in each):
        values = [each.get(name) for each in said]
        first = values[0]
        if all(each == first for each in values):
            defaults[name] = first
        else:
            defaults[name] = _commonest(values)
            columns[name] = values
    return defaults, columns


def _commonest(values: Sequence[Any]) -> Any:
    keys: list[Hashable] = [tuple(each) if isinstance(each, list) else each for each in values]
    commonest, _ = Counter(keys).most_common(1)[0]
    return values[keys.index(commonest)]
