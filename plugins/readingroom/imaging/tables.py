"""Tables of studies, of the files in them, and of uploads under way.

Studies and assets stand in the schema `public` on PostgreSQL, with the columns of the imaging service that a site may
have had before: where its tables are there they are used (migration 0009). Uploads are ours alone.
"""

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
    Uuid,
    func,
    true,
)

from readingroom.db import SITE_SCHEMA, UtcDateTime, metadata

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A bigint; SQLite numbers rows by itself only under the name INTEGER, which holds 64 bits there too."""

imaging_study = Table(
    "imaging_study",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("clinic_id", BigInteger, nullable=False),
    Column("patient_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # XRAY_BWX XRAY_PA PHOTO DOCUMENT …
    Column("title", Text),
    Column("captured_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("source", Text),
    Column("created_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("created_by_id", Uuid(as_uuid=False)),  # where the identity is a uuid; who it was stands in the trail
    Column("updated_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("updated_by_id", Uuid(as_uuid=False)),
    Column("is_active", Boolean, nullable=False, default=True, server_default=true()),
    Index("ix_imaging_study_patient", "clinic_id", "patient_id", "captured_at"),  # read from its end: newest first
    schema=SITE_SCHEMA,
    sqlite_autoincrement=True,  # an id that was given once is in the names of objects
)

imaging_asset = Table(
    "imaging_asset",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("clinic_id", BigInteger, nullable=False),
    Column("patient_id", BigInteger, nullable=False),
    Column("study_id", ForeignKey(imaging_study.c.id, ondelete="CASCADE"), nullable=False),
    Column("modality", Text, nullable=False),  # XRAY PHOTO DOC
    Column("mime_type", Text, nullable=False),  # of the original, by its content
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),  # of the original, hex; empty while it is being received
    Column("storage_backend", Text, nullable=False),  # nfs s3
    Column("storage_key", Text, nullable=False),
    Column("thumb_key", Text),
    Column("web_key", Text),
    Column("captured_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("source_device", Text),
    Column("is_active", Boolean, nullable=False, default=True, server_default=true()),
    Column("created_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("created_by_id", Uuid(as_uuid=False)),
    Column("updated_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("updated_by_id", Uuid(as_uuid=False)),
    # Beyond document 4:
    Column("state", Text, nullable=False, default="ready", server_default="ready"),  # see below
    Column("file_name", Text, nullable=False, default="", server_default=""),  # as shown, cleaned
    Column("width", Integer),  # pixels of the original as it is looked at; of a document's first page
    Column("height", Integer),
    Column("dicom_instance_id", Text),  # Orthanc's id of the instance that was made of it
    Index("ix_imaging_asset_patient", "clinic_id", "patient_id", "captured_at"),
    Index("ix_imaging_asset_study_id", "study_id"),
    Index("uq_imaging_asset_storage", "storage_backend", "storage_key", unique=True),
    schema=SITE_SCHEMA,
    sqlite_autoincrement=True,
)
"""A row is shown only when it is `ready` and active. One that is `receiving` has objects that are not whole yet, an
`abandoned` one waits for being swept, of an `erased` one the bytes are gone, of a `lost` one they were not found."""

imaging_upload = Table(
    "imaging_upload",
    metadata,
    Column("id", String(36), primary_key=True),  # uuid
    Column("clinic_id", BigInteger, nullable=False),
    Column("user", String(200), nullable=False),
    Column("patient_id", BigInteger, nullable=False),
    Column("study_id", BigInteger, nullable=False),
    Column("modality", Text, nullable=False),
    Column("mime_type", Text, nullable=False),  # as announced
    Column("file_name", Text, nullable=False, default=""),
    Column("source_device", Text),
    Column("captured_at", UtcDateTime),
    Column("in_parts", Boolean, nullable=False, default=True),  # else one whole request
    Column("total_bytes", BigInteger),
    Column("sha256", String(64)),  # as announced
    Column("received", Text, nullable=False, default="[]"),  # JSON [[start, stop], …], sorted, apart from each other
    Column("state", String(16), nullable=False),  # open completing done refused
    Column("asset_id", BigInteger),  # of the row that it became, from the moment that row is there
    Column("idempotency_key", String(200)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    UniqueConstraint("clinic_id", "user", "idempotency_key"),
    Index("ix_imaging_upload_expires_at", "expires_at"),
    Index("ix_imaging_upload_asset_id", "asset_id"),
)
"""Uploads in parts, and whole ones that came with an Idempotency-Key."""
