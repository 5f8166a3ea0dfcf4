"""The audit event of an asset that became a DICOM instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetMadeDicom(Event):
    """An asset became an instance in Orthanc; `series` is DX, XC, SC or DOC."""

    action: ClassVar[str] = "imaging.asset.dicom"
    entity_table: ClassVar[str] = "imaging_asset"
    orthanc_id: str
    sop_instance_uid: str
    series: str
