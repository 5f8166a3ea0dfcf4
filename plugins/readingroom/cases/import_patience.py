"""How an import waits for Orthanc: as every procedure does."""

from __future__ import annotations

from readingroom.procedures.patience import FAULTS, OUTAGE_SECONDS, PatientPacs, is_fault, is_refusal

__all__ = ["FAULTS", "OUTAGE_SECONDS", "PatientPacs", "is_fault", "is_refusal"]
