"""What we ask of an Orthanc, whoever carries the question: the plugin from within, or HTTP from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """Orthanc's answer to a file it was given: its ids, and whether it had that SOPInstanceUID already."""

    id: str
    already_stored: bool
    parent_series: str
    parent_study: str
    parent_patient: str


class Pacs(Protocol):
    """The four verbs of Orthanc's REST API; paths begin with a slash and are already quoted.

    Each raises PacsNotFound for a 404, PacsUnreachable when nobody answers, PacsError otherwise.
    """

    def get(self, path: str) -> bytes:
        """The body that Orthanc answers."""
        ...

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Send a body, get the answer's."""
        ...

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Replace a resource."""
        ...

    def delete(self, path: str) -> None:
        """Remove a resource."""
        ...


def get_json(pacs: Pacs, path: str) -> Any:
    """The JSON that Orthanc answers at that path."""
    return json.loads(pacs.get(path))


def store(pacs: Pacs, dicom: bytes) -> StoredInstance:
    """Give Orthanc one DICOM file; the bytes are kept as they are, unless it has that SOPInstanceUID already."""
    answer = json.loads(pacs.post("/instances", dicom, {"Content-Type": "application/dicom"}))
    return StoredInstance(
        id=answer["ID"],
        already_stored=answer["Status"] == "AlreadyStored",
        parent_series=answer["ParentSeries"],
        parent_study=answer["ParentStudy"],
        parent_patient=answer["ParentPatient"],
    )


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="")
