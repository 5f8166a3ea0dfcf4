"""Tables of the teaching cases."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from readingroom.db import UtcDateTime, metadata

exam_type = Table(
    "exam_type",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),  # the modality folder: MRI, CT, Echo
    Column("created_at", UtcDateTime, nullable=False),
)

clinical_case = Table(
    "clinical_case",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("case_number", Integer, nullable=False, unique=True),  # over all exam types, never used twice
    Column("exam_type_id", ForeignKey("exam_type.id"), nullable=False),
    Column("title", String(200), nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("search_text", Text, nullable=False, default=""),  # title and text, folded for searching
    Column("published", Boolean, nullable=False, default=False),
    Column("withdrawn_at", UtcDateTime),
    Column("created_by", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

case_file = Table(
    "case_file",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey("clinical_case.id"), nullable=False),
    Column("exam_type", String(64), nullable=False),  # the folder it lay in; may differ from its case's own
    Column("relative_path", Text, nullable=False),  # below {exam_type}/{number}/, POSIX separators
    Column("size", BigInteger, nullable=False),  # bytes, of the stored file
    Column("crc32", BigInteger, nullable=False),  # of the stored file, unsigned
    Column("sha256", String(64), nullable=False),  # of the stored file, hex
    Column("source", Text, nullable=False, default=""),  # as in case_import_run.source
    Column("source_size", BigInteger, nullable=False),  # as the source lists it, before de-identification
    Column("source_mtime_ns", BigInteger, nullable=False),
    Column("source_sha256", String(64), nullable=False),
    Column("missing_at_source", Boolean, nullable=False, default=False),
    Column("orthanc_id", String(44), nullable=False),  # Orthanc's id of the instance
    # Which of the instance's attachments holds the case's bytes: "dicom", or a number ≥ 1024.
    Column("attachment", String(16), nullable=False, default="dicom"),
    Column("sop_instance_uid", String(64), nullable=False),
    Column("series_instance_uid", String(64), nullable=False),
    Column("study_instance_uid", String(64), nullable=False),
    Column("has_patient_name", Boolean, nullable=False),
    Column("has_birth_date", Boolean, nullable=False),
    Column("burned_in", Boolean, nullable=False),  # BurnedInAnnotation (0028,0301) is YES
    Column("imported_at", UtcDateTime, nullable=False),
    UniqueConstraint("case_id", "exam_type", "relative_path"),
)
# All that a list of cases sums up: read from the index alone, so that a page of 50 cases takes milliseconds.
Index(
    "ix_case_file_availability",
    case_file.c.case_id,
    case_file.c.study_instance_uid,
    case_file.c.size,
    case_file.c.has_patient_name,
    case_file.c.has_birth_date,
    case_file.c.burned_in,
)
Index("ix_case_file_study_instance_uid", case_file.c.study_instance_uid)
Index("ix_case_file_source", case_file.c.source)
Index("ix_case_file_orthanc_id", case_file.c.orthanc_id)

import_run = Table(
    "case_import_run",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("source", Text, nullable=False),  # without credentials
    Column("state", String(16), nullable=False),  # queued running done failed cancelled interrupted
    Column("dry_run", Boolean, nullable=False),
    Column("deidentify", Boolean, nullable=False),
    Column("workers", Integer, nullable=False),
    Column("started_by", String(200), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),  # a run whose heart stopped is interrupted
    Column("finished_at", UtcDateTime),
    Column("cancel_asked", Boolean, nullable=False, default=False),
    Column("phase", String(16), nullable=False, default=""),
    Column("files_seen", Integer, nullable=False, default=0),
    Column("files_done", Integer, nullable=False, default=0),
    Column("bytes_done", BigInteger, nullable=False, default=0),
    Column("added", Integer, nullable=False, default=0),
    Column("unchanged", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("missing", Integer, nullable=False, default=0),
    Column("not_dicom", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("message", Text, nullable=False, default=""),
)

# One run per source at a time, whichever process, machine or schedule starts it.
_under_way = text("state IN ('queued', 'running')")
Index(
    "uq_case_import_run_under_way",
    import_run.c.source,
    unique=True,
    sqlite_where=_under_way,
    postgresql_where=_under_way,
)

import_item = Table(
    "case_import_item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("case_import_run.id"), nullable=False),
    Column("path", Text, nullable=False),
    Column("outcome", String(16), nullable=False),  # added changed missing not_dicom failed skipped
    Column("reason", Text, nullable=False, default=""),
    Index("ix_case_import_item_run_outcome", "run_id", "outcome"),
)

deidentified_uid = Table(
    "case_deidentified_uid",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey("clinical_case.id"), nullable=False),
    Column("kind", String(32), nullable=False),  # DICOM keyword: StudyInstanceUID, PatientID, PatientName, …
    Column("original", Text, nullable=False),
    Column("replacement", Text, nullable=False),
    UniqueConstraint("case_id", "kind", "original"),
)
