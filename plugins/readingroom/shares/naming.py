"""How a download is called at the reader's: never after a patient."""

from __future__ import annotations

import re
from collections.abc import Mapping


def zip_name(facts: Mapping[str, str], deidentified: bool) -> str:
    """`CT_2026-01-31_series_3.zip`; without the date where it is not to be told, or not known."""
    modality = re.sub(r"[^A-Z0-9]", "", facts.get("Modality", "").upper())[:16] or "DICOM"
    date = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", facts.get("StudyDate", ""))
    number = re.sub(r"[^0-9]", "", facts.get("SeriesNumber", ""))[:12]
    said = [modality]
    if date and not deidentified:
        said.append("-".join(date.groups()))
    said.append(f"series_{number}" if number else "series")
    return "_".join(said) + ".zip"
