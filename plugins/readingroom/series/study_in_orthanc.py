"""The series of a study that lie in Orthanc, without listing their files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from readingroom.pacs import Pacs
from readingroom.recent import Recent
from readingroom.series.model import ListedSeries, SeriesFile

COUNTED = 64
"""Files up to which a series' frames are counted: those of multi-frame files are few, and files of one frame many."""

KEPT = 4096

WITHOUT_IMAGES = frozenset(
    {"SR", "PR", "KO", "DOC", "AU", "ECG", "HD", "PLAN", "RTPLAN", "RTSTRUCT", "RTRECORD", "REG"}
)
"""Modalities whose files hold no picture."""

_UID = re.compile(r"[0-9.]{1,64}")


class OrthancStudies:
    """Safe for many threads. A study of 20 series that is known already costs one question."""

    def __init__(self, pacs: Pacs) -> None:
        self._pacs = pacs
        self._known = Recent[str, ListedSeries](KEPT)

    def of_study(self, study_uid: str) -> list[ListedSeries]:
        """Its series in no order; where several patients were given one series UID, the largest. Raises PacsError."""
        if not _UID.fullmatch(study_uid):
            return []
        answer = self._find(
            Level="Series",
            Query={"StudyInstanceUID": study_uid},
            ResponseContent=["MainDicomTags", "Metadata", "RequestedTags"],
            RequestedTags=["NumberOfSeriesRelatedInstances"],
        )
        found: dict[str, ListedSeries] = {}
        for each in answer:
            series = self._listed(each)
            if series.uid and (series.uid not in found or series.file_count > found[series.uid].file_count):
                found[series.uid] = series
        return list(found.values())

    def _listed(self, answer: Mapping[str, Any]) -> ListedSeries:
        orthanc_id, tags = str(answer["ID"]), answer["MainDicomTags"]
        count = int(answer["RequestedTags"].get("NumberOfSeriesRelatedInstances") or 0)
        said = json.dumps([orthanc_id, answer["Metadata"].get("LastUpdate", ""), count])
        state = hashlib.sha256(said.encode()).hexdigest()[:32]
        known = self._known.get(state)
        if known is None:
            known = self._looked_up(orthanc_id, tags, count, state)
            self._known.keep(state, known)
        return known

    def _looked_up(self, orthanc_id: str, tags: Mapping[str, Any], count: int, state: str) -> ListedSeries:
        files = self._find(
            Level="Instance",
            Query={},
            ParentSeries=orthanc_id,
            ResponseContent=["MainDicomTags"],
            OrderBy=[{"Type": "DicomTag", "Key": "InstanceNumber", "Direction": "ASC"}],
            Limit=COUNTED if count <= COUNTED else 1,
        )
        modality = str(tags.get("Modality", ""))
        images = sum(_frames(each) for each in files) if count <= COUNTED else count
        first = files[0] if files else None
        return ListedSeries(
            uid=str(tags.get("SeriesInstanceUID", "")),
            place="orthanc",
            where="",
            modality=modality,
            number=_number(tags.get("SeriesNumber")),
            description=str(tags.get("SeriesDescription", "")),
            file_count=count,
            image_count=0 if modality in WITHOUT_IMAGES else images,
            state=state,
            first=None
            if first is None
            else SeriesFile(
                name="",
                size=0,
                mtime_ns=0,
                crc32=None,
                sop_instance_uid=str(first["MainDicomTags"].get("SOPInstanceUID", "")),
                instance_number=_number(first["MainDicomTags"].get("InstanceNumber")),
                id=str(first["ID"]),
            ),
        )

    def _find(self, **question: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._pacs.post("/tools/find", json.dumps(question).encode()))
        return found


def _frames(instance: Mapping[str, Any]) -> int:
    return max(_number(instance["MainDicomTags"].get("NumberOfFrames")) or 1, 1)


def _number(said: object) -> int | None:
    try:
        return int(str(said))
    except ValueError:
        return None
