"""What an import asks of Orthanc beside storing: may it be trusted, and does it still have what it was given."""

from __future__ import annotations

import hashlib
import json

from readingroom.cases.import_plan import Recorded
from readingroom.downloads import StoredFiles
from readingroom.errors import PacsError, PacsNotFound, PacsUnreachable, StoredFileBroken
from readingroom.pacs import Pacs, get_json


def check_orthanc(pacs: Pacs) -> bool:
    """See that an import can do no harm; returns whether every stored file has to be compared.

    Raises PacsError where Orthanc would overwrite what others stored, or takes nothing.
    """
    system = get_json(pacs, "/system")
    if system.get("OverwriteInstances"):
        raise PacsError("Orthanc: OverwriteInstances is on, an import could destroy what others stored. Switch it off.")
    if system.get("ReadOnly"):
        raise PacsError("Orthanc: it is read-only and takes no files")
    return bool(system.get("IngestTranscoding"))


class Presence:
    """Tells which recorded files Orthanc has lost, by asking for whole studies at a time.

    With `verify` every file is read back and compared with what was recorded: slow, and certain.
    """

    KEPT = 16
    """Studies whose list of instances is remembered: a walk comes through a case in one go."""

    def __init__(self, pacs: Pacs, stored: StoredFiles, *, verify: bool = False) -> None:
        self._pacs = pacs
        self._stored = stored
        self._verify = verify
        self._studies: dict[str, frozenset[str]] = {}

    def gone(self, files: list[Recorded]) -> set[int]:
        """The rows of those files whose bytes are not there any more."""
        if self._verify:
            return {file.row for file in files if not self._unharmed(file)}
        there = self._instances({file.study_instance_uid for file in files})
        return {file.row for file in files if not self._there(file, there)}

    def _there(self, file: Recorded, instances: set[str]) -> bool:
        place = f"/instances/{file.orthanc_id}"
        if file.attachment != "dicom":
            return self._has(f"{place}/attachments/{file.attachment}/info")
        # A site may limit the answers of a search: what was not in them is asked for by name.
        return file.orthanc_id in instances or self._has(place)

    def _unharmed(self, file: Recorded) -> bool:
        data = read_back(self._stored, file.orthanc_id, file.attachment, file.size)
        return data is not None and hashlib.sha256(data).hexdigest() == file.sha256

    def _instances(self, studies: set[str]) -> set[str]:
        unknown = sorted(studies - self._studies.keys())
        there: set[str] = set()
        for study in studies & self._studies.keys():
            there |= self._studies[study]
        for study in unknown:
            if not study:
                continue  # an empty key would match everything; these files are asked for by name
            query = {"Level": "Instance", "Query": {"StudyInstanceUID": study}, "Expand": False}
            found = frozenset(json.loads(self._pacs.post("/tools/find", json.dumps(query).encode())))
            there |= found
            self._studies[study] = found
            if len(self._studies) > self.KEPT:
                del self._studies[next(iter(self._studies))]
        return there

    def _has(self, path: str) -> bool:
        try:
            self._pacs.get(path)
        except PacsNotFound:
            return False
        return True


def read_back(stored: StoredFiles, instance: str, attachment: str, size: int) -> bytes | None:
    """A stored file as a student would get it; None where it is missing, unreadable, or of another size."""
    data = bytearray(size)
    try:
        with stored.open(instance, attachment, size) as file:
            file.read_into(0, memoryview(data))
    except StoredFileBroken as error:
        if isinstance(error.__cause__, PacsUnreachable):
            raise error.__cause__ from None
        return None
    return bytes(data)
