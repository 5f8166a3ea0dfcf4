"""Audit events of the cases beyond the common ones in `audit/events.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnpublished(Event):
    """A case was taken from the students' sight: by an admin, or by an import that brought identifying
    headers.
    """

    action: ClassVar[str] = "cases.case.unpublish"
    entity_table: ClassVar[str] = "clinical_case"
    case_number: int
    reason: str  # admin, identifiable


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRefused(Event):
    """Publishing was stopped because headers still identify a patient; the figures are counts of files."""

    action: ClassVar[str] = "cases.case.publish"
    entity_table: ClassVar[str] = "clinical_case"
    outcome: str = "refused"
    case_number: int
    patient_names: int
    birth_dates: int
    burned_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeidentificationRead(Event):
    """An admin looked at which original stands behind which replacement."""

    action: ClassVar[str] = "cases.deidentification.read"
    entity_table: ClassVar[str] = "clinical_case"
    case_number: int
    entries: int
