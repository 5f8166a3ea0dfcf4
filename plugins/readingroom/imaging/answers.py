"""What imaging takes and answers in JSON."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from readingroom.clock import iso
from readingroom.errors import NotFound
from readingroom.imaging.assets import Asset, Modality
from readingroom.imaging.clinics import MAX_ID
from readingroom.imaging.studies import Study
from readingroom.routing import Answer, Body, Page, Query

EARLIEST, LATEST = datetime(1895, 11, 8, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""The evening of the first X-ray; and the other end of what is no slip of a finger."""


def _plausible(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("nothing was captured then")
    return moment


def _one_line(text: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise ValueError("this is one line of text, without control characters")
    return text.strip()


Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Line = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
Variant = Literal["original", "web", "thumb"]


class NewStudyBody(Body):
    """A study to make."""

    patient_id: Id
    kind: str = Field(
        pattern="^[A-Z][A-Z0-9_]{0,63}$", description="XRAY_BWX, XRAY_PA, PHOTO, DOCUMENT …", examples=["XRAY_BWX"]
    )
    title: Line | None = None
    captured_at: Moment | None = Field(None, description="With its time zone; left out: now")
    source: Line | None = Field(None, description="What sent it: schick-bridge, manual-upload …")


class StudyMade(Answer):
    """The study that was made."""

    study_id: int


class StudyList(Page):
    """Which studies."""

    patient_id: Id | None = Field(None, description="Left out: those of all your clinic's patients")


class AssetFields(Body):
    """The fields of a multipart upload beside its `file`."""

    patient_id: Id
    study_id: Id
    modality: Modality
    captured_at: Moment | None = None
    source_device: Line | None = None


class AssetMade(Answer):
    """The asset that was made."""

    asset_id: int


class LimitsAnswer(Answer):
    """What an upload may be; a chunk is one part of an upload in parts."""

    max_bytes: int
    chunk_bytes: int
    accepted: list[str]


class VariantQuery(Query):
    """Which form of it."""

    variant: Variant = "web"


class AssetAnswer(Answer):
    """A file; `webUrl` and `thumbUrl` are null where no variants are made."""

    id: int
    study_id: int
    patient_id: int
    modality: str
    mime_type: str
    size_bytes: int
    sha256: str
    file_name: str
    width: int | None
    height: int | None
    captured_at: str
    source_device: str | None
    created_at: str
    thumb_url: str | None
    web_url: str | None
    original_url: str
    dicom_instance_id: str | None


class StudyAnswer(Answer):
    """A study and what it holds."""

    id: int
    patient_id: int
    kind: str
    title: str | None
    captured_at: str
    source: str | None
    created_at: str
    assets: list[AssetAnswer]


class StudiesAnswer(Answer):
    """One page of studies."""

    items: list[StudyAnswer]
    total: int


def asset_answer(asset: Asset, *, variants: bool) -> AssetAnswer:
    """An asset as it is told; `variants` says whether missing ones are made on demand."""
    url = f"/imaging/assets/{asset.id}?variant="
    return AssetAnswer(
        id=asset.id, study_id=asset.study_id, patient_id=asset.patient_id, modality=asset.modality,
        mime_type=asset.mime_type, size_bytes=asset.size_bytes, sha256=asset.sha256, file_name=asset.file_name,
        width=asset.width, height=asset.height, captured_at=iso(asset.captured_at),
        source_device=asset.source_device, created_at=iso(asset.created_at),
        thumb_url=f"{url}thumb" if variants or asset.thumb_key else None,
        web_url=f"{url}web" if variants or asset.web_key else None,
        original_url=f"{url}original", dicom_instance_id=asset.dicom_instance_id,
    )  # fmt: skip


def study_answer(study: Study, *, variants: bool) -> StudyAnswer:
    """A study as it is told."""
    return StudyAnswer(
        id=study.id, patient_id=study.patient_id, kind=study.kind, title=study.title,
        captured_at=iso(study.captured_at), source=study.source, created_at=iso(study.created_at),
        assets=[asset_answer(asset, variants=variants) for asset in study.assets],
    )  # fmt: skip


def id_in_path(text: str, what: str) -> int:
    """The number of a row in an address. Raises NotFound for what can be none."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 20 and int(text) <= MAX_ID):
        raise NotFound(f"There is no such {what}.")
    return int(text)
