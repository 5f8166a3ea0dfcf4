"""Tables of the NAS index; rows of files are kept small, because there are ten million of them."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from readingroom.db import UtcDateTime, metadata
from readingroom.db.engine import SCHEMA

ORTHANC = "orthanc"
"""`nas_source.kind` of what Orthanc itself has: found beside the NAS, and by nothing that is about the NAS."""

ORTHANC_NAME = "Orthanc"
"""Its name; no configured source has it."""

UNSETTLED = ""
"""`nas_series.integrity` of a series that changed since it was last looked at as a whole."""

nas_source = Table(
    "nas_source",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # local smb sftp list …, or ORTHANC
    Column("location", Text, nullable=False),  # without credentials
    Column("online", Boolean, nullable=False, default=True),
    Column("offline_reason", Text, nullable=False, default=""),
    Column("file_count", Integer, nullable=False, default=0),  # DICOM files
    Column("other_count", Integer, nullable=False, default=0),  # files known not to be DICOM
    Column("series_count", Integer, nullable=False, default=0),
    Column("size_bytes", BigInteger, nullable=False, default=0),
    Column("content", String(20), nullable=False, server_default="unknown"),  # dicom jpeg2000_firebird mixed unknown
    Column("picture_count", Integer, nullable=False, server_default="0"),  # JPEG 2000 files that were seen
    Column("created_at", UtcDateTime, nullable=False),
    Column("completed_at", UtcDateTime),  # when all of it was last seen
)

nas_folder = Table(
    "nas_folder",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("nas_source.id"), nullable=False),
    Column("path", Text, nullable=False),  # relative to the source, printable (see sources/names.py)
    UniqueConstraint("source_id", "path"),
)

nas_series = Table(
    "nas_series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("nas_source.id"), nullable=False),
    Column("series_key", String(40), nullable=False),
    # Newest study first, then id: the order of every list, and the row number of the search index (see `words`).
    Column("position", BigInteger, nullable=False, unique=True),
    Column("series_instance_uid", Text, nullable=False),
    Column("study_instance_uid", Text, nullable=False),
    Column("patient_name", Text, nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("patient_birth_date", Text, nullable=False),
    Column("patient_sex", Text, nullable=False),
    Column("study_date", Text, nullable=False),
    Column("study_time", Text, nullable=False),
    Column("study_description", Text, nullable=False),
    Column("series_description", Text, nullable=False),
    Column("series_number", Text, nullable=False),
    Column("modality", Text, nullable=False),
    Column("body_part", Text, nullable=False),
    Column("accession_number", Text, nullable=False),
    Column("institution_name", Text, nullable=False),
    Column("medical_aid", Text, nullable=False),
    Column("hospital", Text, nullable=False),
    Column("hospital_group", Text, nullable=False),
    Column("search_text", Text, nullable=False),  # folded, see `words`
    Column("file_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("integrity", String(16), nullable=False, default=UNSETTLED),  # complete gaps duplicates unknown
    # Another source has the same series and is the one to show.
    Column("is_copy", Boolean, nullable=False, default=False),
    Column("stored_at", UtcDateTime, nullable=False),
    UniqueConstraint("series_key", "source_id"),
)
Index("ix_nas_series_series_instance_uid", nas_series.c.series_instance_uid)
Index("ix_nas_series_study_instance_uid", nas_series.c.study_instance_uid)
_unsettled = text("integrity = ''")
Index(
    "ix_nas_series_unsettled",
    nas_series.c.source_id,
    sqlite_where=_unsettled,
    postgresql_where=_unsettled,
)

# No foreign keys: on PostgreSQL each would cost as much as the row, and only `Visit` writes here.
nas_file = Table(
    "nas_file",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("folder_id", Integer, nullable=False),  # of nas_folder
    Column("series_id", Integer, index=True),  # of nas_series; none: known not to be a DICOM image
    Column("name", Text, nullable=False),  # printable
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("instance_number", Integer),
    UniqueConstraint("folder_id", "name"),
)

nas_run = Table(
    "nas_run",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("source_id", ForeignKey("nas_source.id"), nullable=False),
    Column("path", Text, nullable=False, default=""),  # below the source; empty: all of it
    Column("method", String(16), nullable=False, default="auto"),
    Column("workers", Integer, nullable=False, default=0),  # 0: as many as fit the source
    Column("file_limit", Integer, nullable=False, default=0),  # 0: none
    Column("accept_loss", Boolean, nullable=False, server_default=false()),  # what is missing was removed on purpose
    Column("state", String(16), nullable=False),  # queued running paused done failed cancelled interrupted
    Column("asked", String(16), nullable=False, default=""),  # pause resume cancel: what somebody wants of it
    Column("started_by", String(200), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),  # a run whose heart stopped is interrupted
    Column("finished_at", UtcDateTime),
    Column("phase", String(16), nullable=False, default=""),
    Column("enumerated_files", Integer, nullable=False, default=0),
    Column("files_processed", Integer, nullable=False, default=0),
    Column("unchanged", Integer, nullable=False, default=0),
    Column("added", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("moved", Integer, nullable=False, default=0),
    Column("gone", Integer, nullable=False, default=0),
    Column("errors", Integer, nullable=False, default=0),
    Column("series_count", Integer, nullable=False, default=0),
    Column("files_per_second", Float, nullable=False, default=0.0),
    Column("estimated_completion", UtcDateTime),
    Column("message", Text, nullable=False, default=""),
)
Index("ix_nas_run_source_started", nas_run.c.source_id, nas_run.c.started_at)
# One run per source at a time, whichever process, machine or schedule starts it.
_under_way = text("state IN ('queued', 'running', 'paused')")
Index(
    "uq_nas_run_under_way",
    nas_run.c.source_id,
    unique=True,
    sqlite_where=_under_way,
    postgresql_where=_under_way,
)

nas_error = Table(
    "nas_error",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("nas_source.id"), nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("path", Text, nullable=False),  # printable
    Column("error_type", String(16), nullable=False),
    Column("error_code", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("suggestion", Text, nullable=False),
    Column("retry_count", Integer, nullable=False),
    Column("time", UtcDateTime, nullable=False),
    UniqueConstraint("source_id", "path"),
)
Index("ix_nas_error_run", nas_error.c.run_id, nas_error.c.id)

postgresql_metadata = MetaData(naming_convention=metadata.naming_convention)
"""Of tables that only PostgreSQL has."""

SEARCH_TABLE = "nas_series_terms"
"""The search index: an FTS5 table of its own shape on SQLite, this one on PostgreSQL."""

nas_series_terms = Table(
    SEARCH_TABLE,
    postgresql_metadata,
    Column("position", BigInteger, nullable=False),
    Column("series_id", Integer, nullable=False),
    Column("is_copy", Boolean, nullable=False),
    Column("search_text", Text, nullable=False),  # and behind it the properties, see `rows.property_mark`
    Column("terms", ARRAY(Integer), nullable=False),
    # The whole row but its terms, in the order of the list.
    Index(
        "uq_nas_series_terms_position",
        "position",
        unique=True,
        postgresql_include=["series_id", "is_copy", "search_text"],
    ),
    Index(
        "ix_nas_series_terms_terms", "terms", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 512}
    ),
    schema=SCHEMA,
)
