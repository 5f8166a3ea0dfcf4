"""Adds our entries to the pages of Orthanc Explorer."""

from __future__ import annotations

from pathlib import Path

from readingroom.host.orthanc_module import Orthanc

SCRIPT = Path(__file__).with_name("explorer.js")


def extend(orthanc: Orthanc) -> None:
    """Hand our script to Orthanc, which adds it to those of its own pages."""
    orthanc.ExtendOrthancExplorer(SCRIPT.read_text(encoding="utf-8"))
