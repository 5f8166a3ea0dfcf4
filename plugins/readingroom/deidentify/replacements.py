"""What stands in for a UID, an identifier, or any value: the same each time, and no way back without the
private map.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import NamedTuple

REGISTERED = "1.2.840.10008."
"""Root of the UIDs that DICOM itself registers: classes, syntaxes, well-known instances. They name no
patient.
"""


_MARKS = 0xF << 76 | 0x3 << 62
_VERSION_8 = 0x8 << 76 | 0x2 << 62
"""What makes 128 bits a UUID of the kind that a program defines for itself (RFC 9562, sections 4 and 5.8)."""


class Replacement(NamedTuple):
    """One entry of the private map; `kind` is the attribute's DICOM keyword."""

    kind: str
    original: str
    replacement: str


class Substitutes:
    """Makes substitutes for one case: keyed, so that nobody finds an original by trying; the same on every
    run.
    """

    def __init__(self, secret: bytes, scope: str) -> None:
        if len(secret) < 16:
            raise ValueError("the secret of de-identification has at least 16 bytes")
        self._key = hmac.digest(secret, f"readingroom deidentify {scope}".encode(), "sha256")
        self._uids: dict[str, str] = {}
        self._patients: dict[str, str] = {}

    def abide_by(self, kept: Iterable[Replacement]) -> None:
        """Go on with these UIDs and patients, which were given out under another scope or secret."""
        for kind, original, replacement in kept:
            if kind == "PatientID":
                if self.patient_id(original) != replacement:
                    self._patients[original] = replacement
            elif kind.endswith("UID") and self.uid(original) != replacement:
                self._uids[original] = replacement

    def uid(self, original: str) -> str:
        """The UID that stands for another one, below 2.25 (PS3.5 B.2); one of DICOM's own stays as it is."""
        if original.startswith(REGISTERED):
            return original
        if (kept := self._uids.get(original)) is not None:
            return kept
        digits = int.from_bytes(self._digest("uid", original)[:16])
        return f"2.25.{digits & ~_MARKS | _VERSION_8}"

    def patient_id(self, original: str) -> str:
        """An identifier of 16 letters and digits, another for each patient.

        Not empty, as the profile would allow: Orthanc files all studies with one PatientID under one patient.
        """
        if (kept := self._patients.get(original)) is not None:
            return kept
        return base64.b32encode(self._digest("patient", original)[:10]).decode()

    def _digest(self, kind: str, original: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\x00{original}".encode(), hashlib.sha256)


DUMMIES: dict[str, object] = {
    "AE": "REMOVED",
    "AS": "000Y",
    "AT": 0,
    "CS": "REMOVED",
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "FD": 0.0,
    "FL": 0.0,
    "IS": "0",
    "LO": "REMOVED",
    "LT": "REMOVED",
    "OB": b"\x00\x00",
    "OD": bytes(8),
    "OF": bytes(4),
    "OL": bytes(4),
    "OV": bytes(8),
    "OW": b"\x00\x00",
    "PN": "REMOVED",
    "SH": "REMOVED",
    "SL": 0,
    "SS": 0,
    "ST": "REMOVED",
    "SV": 0,
    "TM": "000000",
    "UC": "REMOVED",
    "UL": 0,
    "UN": b"\x00\x00",
    "UR": "https://removed.invalid/",
    "US": 0,
    "UT": "REMOVED",
    "UV": 0,
}
"""A value for each VR that says nothing (action D); `.invalid` is reserved for that (RFC 2606)."""
