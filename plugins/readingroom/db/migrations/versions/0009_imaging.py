"""Studies and assets of clinics, in the site's own tables where it has them; uploads under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from readingroom.db.metadata import UtcDateTime
from readingroom.errors import SettingsError

revision = "0009_imaging"
down_revision = "0008_share_copies"

STUDY_COLUMNS = {
    "id", "clinic_id", "patient_id", "kind", "title", "captured_at", "source",
    "created_at", "created_by_id", "updated_at", "updated_by_id", "is_active",
}  # fmt: skip

ASSET_COLUMNS = {
    "id", "clinic_id", "patient_id", "study_id", "modality", "mime_type", "size_bytes", "sha256", "storage_backend",
    "storage_key", "thumb_key", "web_key", "captured_at", "source_device", "is_active",
    "created_at", "created_by_id", "updated_at", "updated_by_id",
}  # fmt: skip


def upgrade() -> None:
    """Apply."""
    schema = "public" if op.get_bind().dialect.name == "postgresql" else None
    look = sa.inspect(op.get_bind())
    try:
        if look.has_table("imaging_study", schema=schema):
            check("imaging_study", STUDY_COLUMNS, schema)
        else:
            study(schema)
        if look.has_table("imaging_asset", schema=schema):
            check("imaging_asset", ASSET_COLUMNS, schema)
            extend(schema)
        else:
            asset(schema)
    except sa.exc.ProgrammingError as error:
        if "InsufficientPrivilege" not in type(error.orig).__name__:
            raise
        raise SettingsError(
            "The tables imaging_study and imaging_asset belong into the schema public, where this account may not make "
            "or change them: GRANT USAGE, CREATE ON SCHEMA public (and make it the owner of tables that are there)."
        ) from None
    upload()


def check(name: str, columns: set[str], schema: str | None) -> None:
    """Refuse a site's table that is another one of the same name."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(name, schema=schema)}
    if missing := sorted(columns - there):
        raise SettingsError(f"The site's table {name} lacks {', '.join(missing)}: it is not the one that is needed.")


def big_id() -> sa.types.TypeEngine[int]:
    """A bigint that numbers itself."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def moment(name: str) -> sa.Column[object]:
    """A moment that is now unless it is said."""
    return sa.Column(name, UtcDateTime(), nullable=False, server_default=sa.func.now())


def traces() -> list[sa.Column[object]]:
    """Who made and changed a row."""
    return [
        moment("created_at"),
        sa.Column("created_by_id", sa.Uuid(as_uuid=False), nullable=True),
        moment("updated_at"),
        sa.Column("updated_by_id", sa.Uuid(as_uuid=False), nullable=True),
    ]


def beyond() -> list[sa.Column[object]]:
    """What we keep of an asset beyond what the imaging service before us kept."""
    return [
        sa.Column("state", sa.Text(), nullable=False, server_default="ready"),
        sa.Column("file_name", sa.Text(), nullable=False, server_default=""),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("dicom_instance_id", sa.Text(), nullable=True),
    ]


def study(schema: str | None) -> None:
    """A capture session."""
    op.create_table(
        "imaging_study",
        sa.Column("id", big_id(), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        moment("captured_at"),
        sa.Column("source", sa.Text(), nullable=True),
        *traces(),
        sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.PrimaryKeyConstraint("id", name="pk_imaging_study"),
        schema=schema,
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_imaging_study_patient",
        "imaging_study",
        ["clinic_id", "patient_id", "captured_at"],
        schema=schema,
    )


def asset(schema: str | None) -> None:
    """A file."""
    target = "imaging_study.id" if schema is None else f"{schema}.imaging_study.id"
    op.create_table(
        "imaging_asset",
        sa.Column("id", big_id(), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("study_id", big_id(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("storage_backend", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("thumb_key", sa.Text(), nullable=True),
        sa.Column("web_key", sa.Text(), nullable=True),
        moment("captured_at"),
        sa.Column("source_device", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()),
        *traces(),
        *beyond(),
        sa.ForeignKeyConstraint(
            ["study_id"], [target], name="fk_imaging_asset_study_id_imaging_study", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_imaging_asset"),
        schema=schema,
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_imaging_asset_patient",
        "imaging_asset",
        ["clinic_id", "patient_id", "captured_at"],
        schema=schema,
    )
    op.create_index("ix_imaging_asset_study_id", "imaging_asset", ["study_id"], schema=schema)
    op.create_index(
        "uq_imaging_asset_storage", "imaging_asset", ["storage_backend", "storage_key"], unique=True, schema=schema
    )


def extend(schema: str | None) -> None:
    """Give a site's own table what it lacks; its rows are whole files, so they are `ready`."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("imaging_asset", schema=schema)}
    for column in beyond():
        if column.name not in there:
            op.add_column("imaging_asset", column, schema=schema)


def upload() -> None:
    """An upload in parts, or a whole one with an Idempotency-Key."""
    op.create_table(
        "imaging_upload",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("user", sa.String(length=200), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("source_device", sa.Text(), nullable=True),
        sa.Column("captured_at", UtcDateTime(), nullable=True),
        sa.Column("in_parts", sa.Boolean(), nullable=False),
        sa.Column("total_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("received", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asset_id", sa.BigInteger(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_imaging_upload"),
        sa.UniqueConstraint(
            "clinic_id", "user", "idempotency_key", name="uq_imaging_upload_clinic_id_user_idempotency_key"
        ),
    )
    op.create_index("ix_imaging_upload_expires_at", "imaging_upload", ["expires_at"], unique=False)
    op.create_index("ix_imaging_upload_asset_id", "imaging_upload", ["asset_id"], unique=False)
