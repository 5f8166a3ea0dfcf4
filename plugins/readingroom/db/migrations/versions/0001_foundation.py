"""Everything that the first release stands on: identity, audit, cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from readingroom.db.metadata import UtcDateTime

revision = "0001_foundation"
down_revision = None


def upgrade() -> None:
    """Apply."""
    identity()
    audit()
    cases()


def identity() -> None:
    """Accounts, grants, sessions."""
    op.create_table(
        "access_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("clinic", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_grant"),
        sa.UniqueConstraint("user", "role", "clinic", name="uq_access_grant_user_role_clinic"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("clinic", sa.String(length=200), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("last_sign_in_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("in_cookie", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
    )
    op.create_index("ix_session_account_id", "session", ["account_id"], unique=False)
    op.create_index("ix_session_expires_at", "session", ["expires_at"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("jti", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("replaced_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name="fk_refresh_token_session_id_session", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("jti", name="pk_refresh_token"),
    )
    op.create_index("ix_refresh_token_session_id", "refresh_token", ["session_id"], unique=False)


def cases() -> None:
    """Exam types, cases, files, imports."""
    op.create_table(
        "case_import_run",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("deidentify", sa.Boolean(), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.String(length=200), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("files_seen", sa.Integer(), nullable=False),
        sa.Column("files_done", sa.Integer(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("not_dicom", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_import_run"),
    )
    op.create_index(
        "uq_case_import_run_under_way",
        "case_import_run",
        ["source"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "exam_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exam_type"),
        sa.UniqueConstraint("name", name="uq_exam_type_name"),
    )
    op.create_table(
        "case_import_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["case_import_run.id"], name="fk_case_import_item_run_id_case_import_run"),
        sa.PrimaryKeyConstraint("id", name="pk_case_import_item"),
    )
    op.create_index("ix_case_import_item_run_outcome", "case_import_item", ["run_id", "outcome"], unique=False)
    op.create_table(
        "clinical_case",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_number", sa.Integer(), nullable=False),
        sa.Column("exam_type_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["exam_type_id"], ["exam_type.id"], name="fk_clinical_case_exam_type_id_exam_type"),
        sa.PrimaryKeyConstraint("id", name="pk_clinical_case"),
        sa.UniqueConstraint("case_number", name="uq_clinical_case_case_number"),
    )
    op.create_table(
        "case_deidentified_uid",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("original", sa.Text(), nullable=False),
        sa.Column("replacement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["clinical_case.id"], name="fk_case_deidentified_uid_case_id_clinical_case"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_case_deidentified_uid"),
        sa.UniqueConstraint("case_id", "kind", "original", name="uq_case_deidentified_uid_case_id_kind_original"),
    )
    op.create_table(
        "case_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("exam_type", sa.String(length=64), nullable=False),
        sa.Column("relative_path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_size", sa.BigInteger(), nullable=False),
        sa.Column("source_mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("missing_at_source", sa.Boolean(), nullable=False),
        sa.Column("orthanc_id", sa.String(length=44), nullable=False),
        sa.Column("attachment", sa.String(length=16), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("has_patient_name", sa.Boolean(), nullable=False),
        sa.Column("has_birth_date", sa.Boolean(), nullable=False),
        sa.Column("burned_in", sa.Boolean(), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["clinical_case.id"], name="fk_case_file_case_id_clinical_case"),
        sa.PrimaryKeyConstraint("id", name="pk_case_file"),
        sa.UniqueConstraint(
            "case_id", "exam_type", "relative_path", name="uq_case_file_case_id_exam_type_relative_path"
        ),
    )
    op.create_index(
        "ix_case_file_availability",
        "case_file",
        ["case_id", "study_instance_uid", "size", "has_patient_name", "has_birth_date", "burned_in"],
        unique=False,
    )
    op.create_index("ix_case_file_orthanc_id", "case_file", ["orthanc_id"], unique=False)
    op.create_index("ix_case_file_source", "case_file", ["source"], unique=False)
    op.create_index("ix_case_file_study_instance_uid", "case_file", ["study_instance_uid"], unique=False)


def audit() -> None:
    """The trail: append-only by trigger, its head moving one step at a time."""
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.execute(sa.text("INSERT INTO audit_head (id, length, hash) VALUES (1, 0, :hash)").bindparams(hash="0" * 64))
    if op.get_bind().dialect.name == "postgresql":
        audit_on_postgresql()
    else:
        audit_on_sqlite()


def events(name: str, schema: str | None) -> None:
    """The table of events."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("clinic", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("entity_table", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        schema=schema,
    )
    op.create_index(f"ix_{name}_actor", name, ["actor", "time"], schema=schema)
    op.create_index(f"ix_{name}_entity", name, ["entity_table", "entity_id", "time"], schema=schema)
    op.create_index(f"ix_{name}_time", name, ["time"], schema=schema)


def audit_on_sqlite() -> None:
    """Table `audit_event`; the triggers say no to whoever goes through SQL."""
    events("audit_event", None)
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_event_no_{act.lower()} BEFORE {act} ON audit_event "
            "BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER audit_head_moves_on BEFORE UPDATE ON audit_head WHEN NEW.length <> OLD.length + 1 "
        "BEGIN SELECT RAISE(ABORT, 'the head of the audit trail moves one step at a time'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head "
        "BEGIN SELECT RAISE(ABORT, 'the head of the audit trail stays'); END"
    )


def audit_on_postgresql() -> None:
    """Table `audit.event`, its triggers, and `public.fn_has_capability` where the site has none."""
    op.execute("CREATE SCHEMA IF NOT EXISTS audit")
    events("event", "audit")
    op.execute(
        "CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON audit.event "
        "FOR EACH ROW EXECUTE FUNCTION audit.refuse()"
    )
    op.execute(
        "CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON audit.event "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()"
    )
    op.execute(
        "CREATE TRIGGER audit_head_moves_on BEFORE UPDATE ON readingroom.audit_head FOR EACH ROW "
        "WHEN (NEW.length <> OLD.length + 1) EXECUTE FUNCTION audit.refuse()"
    )
    op.execute(
        "CREATE TRIGGER audit_head_stays BEFORE DELETE ON readingroom.audit_head "
        "FOR EACH ROW EXECUTE FUNCTION audit.refuse()"
    )
    op.execute(CAPABILITY_FUNCTION)


CAPABILITY_FUNCTION = """
DO $outer$
BEGIN
    IF EXISTS (
        SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public' AND p.proname = 'fn_has_capability'
    ) THEN
        RETURN;
    END IF;
    CREATE FUNCTION public.fn_has_capability(clinic_id text, user_id text, capability_key text)
    RETURNS boolean LANGUAGE sql STABLE AS $inner$
        SELECT EXISTS (
            SELECT FROM readingroom.access_grant g
            WHERE g."user" = user_id AND g.clinic IN ('', clinic_id) AND (
                g.role = 'admin'
                OR (g.role = 'clinician' AND capability_key IN ('imaging.read', 'imaging.write'))
                OR (g.role = 'student' AND capability_key = 'cases.read')
                OR (g.role = 'staff' AND capability_key IN
                    ('index.run', 'index.search', 'share.create', 'pacs.read', 'cases.read'))
            )
        )
    $inner$;
    COMMENT ON FUNCTION public.fn_has_capability(text, text, text) IS 'Reading Room';
EXCEPTION WHEN insufficient_privilege THEN
    NULL;  -- the schema public is not ours to write to; grants decide all the same
END
$outer$
"""
"""What a site's own programs may ask; ours carries the comment by which it is known."""
