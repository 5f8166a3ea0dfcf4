"""Makes a study that lies in Orthanc one of a case's: its files are recorded as if they had been imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from isal import isal_zlib
from sqlalchemy import Connection, Row, select

from readingroom.audit import Trail
from readingroom.audit.events import Event
from readingroom.cases import publishing
from readingroom.cases.catalogue import locked
from readingroom.cases.import_header import BrokenDicom, Header, NotDicom, read_header
from readingroom.cases.import_records import upsert
from readingroom.cases.tables import case_file, clinical_case, exam_type
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.downloads import StoredFiles
from readingroom.downloads.stored_files import DICOM
from readingroom.errors import Conflict, NotFound
from readingroom.identity import Caller
from readingroom.identity.access import is_uid
from readingroom.pacs import Pacs

SOURCE = "orthanc"
"""What stands as the source of such files: no import has it, so none takes them for missing."""

MAX_FILES = 4_000
MAX_BYTES = 4 << 30
"""What is read within one request: 4 GiB, some ten seconds from a local folder."""

PIECE = 4 << 20
HEADER_BYTES = 16 << 20
"""So much of a file is kept while it is read: its header, which ends before the pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAttached(Event):
    """A study in Orthanc became one of a case's."""

    action: ClassVar[str] = "cases.study.attach"
    entity_table: ClassVar[str] = "clinical_case"
    case_number: int
    study_uid: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Attached:
    """What came of it; `hidden` where the case left the students' sight, as the study's headers identify somebody."""

    case_number: int
    added: int
    already: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class _Instance:
    id: str
    size: int


class Attaching:
    """Safe for many threads."""

    def __init__(self, database: Database, pacs: Pacs, stored: StoredFiles, clock: Clock, trail: Trail) -> None:
        self._database = database
        self._pacs = pacs
        self._stored = stored
        self._clock = clock
        self._trail = trail

    def attach(self, caller: Caller, case_id: str, study_uid: str) -> Attached:
        """Record those of the study's files that the case does not have yet.

        Raises NotFound for a case or a study that is not there, Conflict for a case that takes none, a study that is
        too large or has an unreadable file; StoredFileBroken and PacsUnreachable when one cannot be had.
        """
        with self._database.read() as connection:
            row = connection.execute(select(clinical_case).where(clinical_case.c.id == case_id)).first()
            folder = _takes_files(connection, row)
            have = set(connection.scalars(_of_case(case_id)))
        found = self._instances(study_uid)
        fresh = [each for each in found if each.id not in have]
        rows = [self._row(case_id, folder, each) for each in fresh]
        identifying = any(row["has_patient_name"] or row["has_birth_date"] or row["burned_in"] for row in rows)
        with self._database.write() as connection:
            case = locked(connection, case_id)
            _takes_files(connection, case)
            hidden: list[int] = []
            if rows:
                connection.execute(upsert(self._database.is_postgresql), rows)
                if identifying:
                    hidden = publishing.hide_identifying(connection, self._clock, self._trail, caller, [case_id])
                event = StudyAttached(
                    entity_id=case_id, case_number=case.case_number, study_uid=study_uid, files=len(rows),
                    bytes=sum(each.size for each in fresh),
                )  # fmt: skip
                self._trail.record(event, caller, connection)
        return Attached(case.case_number, len(rows), len(found) - len(fresh), bool(hidden))

    def _instances(self, study_uid: str) -> list[_Instance]:
        if not is_uid(study_uid):
            raise NotFound("There is no such study in Orthanc.")
        question = {
            "Level": "Instance",
            "Query": {"StudyInstanceUID": study_uid},
            "ResponseContent": ["Attachments"],
            "Limit": MAX_FILES + 1,
        }
        found = []
        for each in json.loads(self._pacs.post("/tools/find", json.dumps(question).encode())):
            sizes = [int(a["UncompressedSize"]) for a in each["Attachments"] if a["ContentType"] == DICOM]
            found += [_Instance(str(each["ID"]), size) for size in sizes]
            self._stored.learn(str(each["ID"]), each["Attachments"])
        if not found:
            raise NotFound("There is no such study in Orthanc.")
        if len(found) > MAX_FILES or sum(each.size for each in found) > MAX_BYTES:
            raise Conflict(f"This study has more than {MAX_FILES:,} files or {MAX_BYTES >> 30} GB: import it instead.")
        return found

    def _row(self, case_id: str, folder: str, instance: _Instance) -> dict[str, Any]:
        digest, crc, beginning = hashlib.sha256(), 0, bytearray()
        for piece in self._pieces(instance):
            digest.update(piece)
            crc = isal_zlib.crc32(piece, crc)
            beginning += piece[: max(HEADER_BYTES - len(beginning), 0)]
        try:
            header = read_header(bytes(beginning), whole=len(beginning) == instance.size)
        except (BrokenDicom, NotDicom) as error:
            raise Conflict(f"A file of this study cannot be read: {error.message}.") from error
        return {
            "case_id": case_id,
            "exam_type": folder,
            "relative_path": _path(header),
            "size": instance.size,
            "crc32": crc,
            "sha256": digest.hexdigest(),
            "source": SOURCE,
            "source_size": instance.size,
            "source_mtime_ns": 0,
            "source_sha256": digest.hexdigest(),
            "missing_at_source": False,
            "orthanc_id": instance.id,
            "attachment": "dicom",
            "sop_instance_uid": header.sop_instance_uid,
            "series_instance_uid": header.series_instance_uid,
            "study_instance_uid": header.study_instance_uid,
            **header.flags._asdict(),
            "imported_at": self._clock.now(),
        }

    def _pieces(self, instance: _Instance) -> Iterator[bytes]:
        with self._stored.open(instance.id, "dicom", instance.size) as reader:
            for start in range(0, instance.size, PIECE):
                piece = bytearray(min(PIECE, instance.size - start))
                reader.read_into(start, memoryview(piece))
                yield bytes(piece)


def _of_case(case_id: str) -> Any:
    return select(case_file.c.orthanc_id).where(case_file.c.case_id == case_id, case_file.c.attachment == "dicom")


def _takes_files(connection: Connection, case: Row[Any] | None) -> str:
    """The exam type that new files of this case are filed under; raises NotFound, Conflict."""
    if case is None:
        raise NotFound("There is no such case.")
    if case.withdrawn_at is not None:
        raise Conflict("This case was withdrawn and is not edited any more.")
    changed = select(case_file.c.id).where(
        case_file.c.case_id == case.id, case_file.c.sha256 != case_file.c.source_sha256
    )
    if connection.execute(changed.limit(1)).first() is not None:
        raise Conflict("This case was imported de-identified; a study as it lies in Orthanc is not added to it.")
    return str(connection.scalar(select(exam_type.c.name).where(exam_type.c.id == case.exam_type_id)))


def _path(header: Header) -> str:
    """Where the file stands in the case: nothing of it is the patient's."""
    return "/".join((SOURCE, header.study_instance_uid, header.series_instance_uid, f"{header.sop_instance_uid}.dcm"))
