"""Routes of uploads in parts: begin, send parts, see what came, complete, give up."""

from __future__ import annotations

from typing import Annotated

from flask import request
from pydantic import Field

from readingroom.clock import iso
from readingroom.errors import BadRequest
from readingroom.imaging import part_checksums
from readingroom.imaging.answers import AssetMade, Id, Line, Moment
from readingroom.imaging.assets import Modality
from readingroom.imaging.clinics import clinic_of
from readingroom.imaging.file_names import checked_name
from readingroom.imaging.once import key_of
from readingroom.imaging.parts import CHUNK_BYTES, Parts
from readingroom.imaging.upload_rows import NewUpload, Upload
from readingroom.metrics import Metrics
from readingroom.routing import Answer, Area, Body, Query, caller, identity

WRITE = "imaging.write"

Size = Annotated[int, Field(ge=1, le=1 << 50)]
Sha256 = Annotated[str, Field(pattern="^[0-9A-Fa-f]{64}$", description="In hex, of the whole file")]


class NewUploadBody(Body):
    """An upload to begin."""

    patient_id: Id
    study_id: Id
    modality: Modality
    mime_type: str = Field(max_length=100, examples=["image/png"])
    source_device: Line | None = None
    total_bytes: Size | None = Field(None, description="Left out: told when it is completed")
    file_name: str | None = Field(
        None, description="The name alone, 255 bytes at most: a path is refused (`bad_file_name`)", examples=["pan.png"]
    )
    captured_at: Moment | None = None
    sha256: Sha256 | None = None


class UploadMade(Answer):
    """The upload that was begun; parts of `chunkBytes` are a good size."""

    upload_id: str
    max_bytes: int
    chunk_bytes: int
    expires_at: str


class PartQuery(Query):
    """Where a part belongs."""

    offset: Annotated[int, Field(ge=0, le=1 << 50)] | None = Field(
        None, description="In bytes from the file's beginning; or in the header Upload-Offset"
    )


class ReceivedAnswer(Answer):
    """What has come: [start, stop) each, sorted."""

    received: list[tuple[int, int]]


class UploadAnswer(ReceivedAnswer):
    """How far an upload is."""

    state: str = Field(description="open, completing, done, refused")
    total_bytes: int | None
    asset_id: int | None = Field(description="Once it is done")
    expires_at: str


class CompleteBody(Body):
    """What all the parts are together."""

    total_bytes: Size
    sha256: Sha256 | None = None


def routes(parts: Parts, metrics: Metrics) -> Area:
    """The area of uploads in parts."""
    area = Area("imaging_uploads", "Imaging")

    @area.post(
        "/imaging/assets/upload-init", capability=WRITE, body=NewUploadBody, answer=UploadMade, status=201,
        errors=(404, 409, 413, 415, 429, 503, 507),
    )  # fmt: skip
    def begin_upload(body: NewUploadBody) -> UploadMade:
        """Begin an upload in parts. The same `Idempotency-Key` gives the same upload again."""
        said = body.model_dump()
        said["mime_type"] = body.mime_type.partition(";")[0].strip().lower()
        said["sha256"] = body.sha256.lower() if body.sha256 else None
        said["file_name"] = "" if body.file_name is None else checked_name(body.file_name)
        said["source_device"] = body.source_device or None
        upload = parts.begin(
            clinic_of(identity()), NewUpload(**said), key_of(request.headers.get("Idempotency-Key")), caller()
        )
        return UploadMade(
            upload_id=upload.id, max_bytes=parts.max_bytes, chunk_bytes=CHUNK_BYTES,
            expires_at=iso(upload.expires_at),
        )  # fmt: skip

    @area.put(
        "/imaging/uploads/<upload_id>/chunks", capability=WRITE, query=PartQuery, answer=ReceivedAnswer,
        errors=(404, 409, 413, 415, 503, 507),
    )  # fmt: skip
    def put_chunk(upload_id: str, query: PartQuery) -> ReceivedAnswer:
        """Send a part: its bytes as body. Parts come in any order, and again where an answer was lost; `X-Chunk-SHA256`
        or `Content-Digest` lets a damaged one be noticed. Orthanc's own port loses the query of a PUT: the header
        `Upload-Offset` says the same.
        """
        clinic = clinic_of(identity())
        data = request.get_data(cache=False)
        part_checksums.check(dict(request.headers), data)
        upload = parts.receive(clinic, upload_id, _offset(query), data, caller())
        metrics.add("imaging_upload_chunks_total")
        return ReceivedAnswer(received=list(upload.received.ranges))

    @area.get("/imaging/uploads/<upload_id>", capability=WRITE, answer=UploadAnswer, errors=(404,))
    def get_upload(upload_id: str) -> UploadAnswer:
        """What has come of an upload of yours: how to go on with it."""
        return _answer(parts.find(clinic_of(identity()), upload_id, caller()))

    @area.post(
        "/imaging/uploads/<upload_id>/complete", capability=WRITE, body=CompleteBody, answer=AssetMade,
        errors=(404, 409, 413, 415, 422, 429, 503, 507),
    )  # fmt: skip
    def complete_upload(upload_id: str, body: CompleteBody) -> AssetMade:
        """Make an asset of what has come. Asked again, also after a lost answer, it tells the same asset."""
        sha256 = body.sha256.lower() if body.sha256 else None
        made = parts.complete(clinic_of(identity()), upload_id, body.total_bytes, sha256, caller())
        return AssetMade(asset_id=made)

    @area.delete("/imaging/uploads/<upload_id>", capability=WRITE, status=204, errors=(404, 409, 503))
    def cancel_upload(upload_id: str) -> None:
        """Give an upload up."""
        parts.cancel(clinic_of(identity()), upload_id, caller())

    return area


def _offset(query: PartQuery) -> int:
    said = request.headers.get("Upload-Offset")
    if query.offset is not None:
        return query.offset
    if said is None or not (said.isascii() and said.isdigit() and len(said) < 16):
        raise BadRequest("Say with ?offset= or the header Upload-Offset where this part belongs.")
    return int(said)


def _answer(upload: Upload) -> UploadAnswer:
    return UploadAnswer(
        received=list(upload.received.ranges), state=upload.state, total_bytes=upload.new.total_bytes,
        asset_id=upload.asset_id if upload.state == "done" else None, expires_at=iso(upload.expires_at),
    )  # fmt: skip
