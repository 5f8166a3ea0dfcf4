"""What can be written into the audit trail: one frozen dataclass for each action.

An event holds metadata only: never a password, a token, a picture, a patient's name.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; fields that a subclass adds become the payload, except `entity_id` and `outcome`."""

    action: ClassVar[str]
    entity_table: ClassVar[str] = ""
    folded: ClassVar[bool] = False  # at most one per (actor, entity, 5 minutes)

    entity_id: str = ""
    outcome: str = "ok"

    def payload(self) -> dict[str, object]:
        """What is particular to this event."""
        apart = ("entity_id", "outcome")
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in apart}


# --- identity -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Event):
    """Somebody showed name and password and got tokens."""

    action: ClassVar[str] = "identity.sign_in"
    entity_table: ClassVar[str] = "account"
    in_cookie: bool  # a browser's session


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicUsed(Event):
    """A script showed name and password with a request (RFC 7617)."""

    action: ClassVar[str] = "identity.basic"
    entity_table: ClassVar[str] = "account"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused(Event):
    """A wrong name or password, a disabled account, or too many attempts.

    `name` is that of an existing account, else empty: what people type into the name's box by mistake is a
    password.
    """

    action: ClassVar[str] = "identity.sign_in_refused"
    entity_table: ClassVar[str] = "account"
    outcome: str = "refused"
    name: str
    reason: str  # password, disabled
    scheme: str  # form, basic


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInDelayed(Event):
    """An attempt came before its time; no password was looked at."""

    action: ClassVar[str] = "identity.sign_in_delayed"
    entity_table: ClassVar[str] = "account"
    folded: ClassVar[bool] = True  # else whoever is being slowed down could fill the trail
    outcome: str = "refused"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut(Event):
    """A session was ended by its holder."""

    action: ClassVar[str] = "identity.sign_out"
    entity_table: ClassVar[str] = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReused(Event):
    """A refresh token came back after it had been replaced: somebody has a copy, so the session was ended."""

    action: ClassVar[str] = "identity.refresh_reused"
    entity_table: ClassVar[str] = "session"
    outcome: str = "refused"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreated(Event):
    """An account was made."""

    action: ClassVar[str] = "identity.account.create"
    entity_table: ClassVar[str] = "account"
    name: str
    roles: tuple[str, ...]
    clinic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged(Event):
    """Roles or clinic of an account were set."""

    action: ClassVar[str] = "identity.account.change"
    entity_table: ClassVar[str] = "account"
    name: str
    roles: tuple[str, ...]
    clinic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """An account got another password; its sessions ended."""

    action: ClassVar[str] = "identity.account.password"
    entity_table: ClassVar[str] = "account"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDisabled(Event):
    """An account was shut; its sessions ended."""

    action: ClassVar[str] = "identity.account.disable"
    entity_table: ClassVar[str] = "account"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEnabled(Event):
    """A shut account was opened again."""

    action: ClassVar[str] = "identity.account.enable"
    entity_table: ClassVar[str] = "account"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantAdded(Event):
    """An outside identity was given a role."""

    action: ClassVar[str] = "identity.grant.add"
    entity_table: ClassVar[str] = "access_grant"
    user: str
    role: str
    clinic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRemoved(Event):
    """A role was taken from an outside identity."""

    action: ClassVar[str] = "identity.grant.remove"
    entity_table: ClassVar[str] = "access_grant"
    user: str
    role: str
    clinic: str


# --- audit --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRead(Event):
    """Somebody looked through the trail."""

    action: ClassVar[str] = "audit.read"
    entity_table: ClassVar[str] = "audit_event"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditExported(Event):
    """Somebody took a copy of the trail."""

    action: ClassVar[str] = "audit.export"
    entity_table: ClassVar[str] = "audit_event"
    form: str  # csv, jsonl


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerified(Event):
    """The chain was checked."""

    action: ClassVar[str] = "audit.verify"
    entity_table: ClassVar[str] = "audit_event"
    checked: int
    first_broken: int


# --- cases --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamTypeCreated(Event):
    """A modality folder was added."""

    action: ClassVar[str] = "cases.exam_type.create"
    entity_table: ClassVar[str] = "exam_type"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCreated(Event):
    """A case was made."""

    action: ClassVar[str] = "cases.case.create"
    entity_table: ClassVar[str] = "clinical_case"
    case_number: int
    exam_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChanged(Event):
    """Fields of a case were set; `changed` are their names."""

    action: ClassVar[str] = "cases.case.change"
    entity_table: ClassVar[str] = "clinical_case"
    case_number: int
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePublished(Event):
    """A case was opened to students; `confirmed_identifiable` when an admin said so despite identifying
    headers.
    """

    action: ClassVar[str] = "cases.case.publish"
    entity_table: ClassVar[str] = "clinical_case"
    case_number: int
    confirmed_identifiable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWithdrawn(Event):
    """A case was taken out."""

    action: ClassVar[str] = "cases.case.withdraw"
    entity_table: ClassVar[str] = "clinical_case"
    case_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseViewed(Event):
    """Somebody looked at a case."""

    action: ClassVar[str] = "cases.case.view"
    entity_table: ClassVar[str] = "clinical_case"
    folded: ClassVar[bool] = True
    case_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketIssued(Event):
    """A link for downloading was made."""

    action: ClassVar[str] = "cases.ticket.create"
    entity_table: ClassVar[str] = "clinical_case"
    case_numbers: tuple[int, ...]
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDownloaded(Event):
    """A zip of one or more cases began to flow."""

    action: ClassVar[str] = "cases.download"
    entity_table: ClassVar[str] = "clinical_case"
    case_numbers: tuple[int, ...]
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadBroken(Event):
    """A download ended early because a stored file is unreadable or no longer what was imported."""

    action: ClassVar[str] = "cases.download_broken"
    entity_table: ClassVar[str] = "case_file"
    outcome: str = "failed"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStarted(Event):
    """An import run began; `source` without credentials."""

    action: ClassVar[str] = "cases.import.start"
    entity_table: ClassVar[str] = "case_import_run"
    source: str
    dry_run: bool
    deidentify: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFinished(Event):
    """An import run ended, one way or another."""

    action: ClassVar[str] = "cases.import.finish"
    entity_table: ClassVar[str] = "case_import_run"
    state: str
    added: int
    unchanged: int
    changed: int
    missing: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCancelled(Event):
    """Somebody asked a run to stop."""

    action: ClassVar[str] = "cases.import.cancel"
    entity_table: ClassVar[str] = "case_import_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImported(Event):
    """A case's file was stored or replaced."""

    action: ClassVar[str] = "cases.file.import"
    entity_table: ClassVar[str] = "clinical_case"
    files: int
    bytes: int


# --- Orthanc's own routes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyViewed(Event):
    """Somebody read a study over DICOMweb."""

    action: ClassVar[str] = "pacs.study.view"
    entity_table: ClassVar[str] = "study"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiesSearched(Event):
    """Somebody searched over DICOMweb."""

    action: ClassVar[str] = "pacs.search"
    entity_table: ClassVar[str] = "study"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreRead(Event):
    """Somebody read one of Orthanc's own resources over its REST API; the entity is the resource's path."""

    action: ClassVar[str] = "orthanc.read"
    entity_table: ClassVar[str] = "orthanc"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreChanged(Event):
    """Somebody sent Orthanc's own REST API something other than a GET; the entity is the path."""

    action: ClassVar[str] = "orthanc.change"
    entity_table: ClassVar[str] = "orthanc"
    method: str
