"""Routes of assets: upload one whole, look at it, take it out."""

from __future__ import annotations

import os

from flask import Response, request

from readingroom.audit import Trail
from readingroom.imaging.answers import AssetMade, LimitsAnswer, VariantQuery, id_in_path
from readingroom.imaging.assets import Assets
from readingroom.imaging.bodies import HEADER, HandedBodies
from readingroom.imaging.clinics import clinic_of
from readingroom.imaging.events import AssetViewed
from readingroom.imaging.once import key_of
from readingroom.imaging.reading import Reading
from readingroom.imaging.uploading import Uploading
from readingroom.metrics import Metrics
from readingroom.pictures import EXTENSIONS
from readingroom.routing import Area, caller, identity

READ, WRITE = "imaging.read", "imaging.write"

REFUSALS = (404, 409, 413, 415, 422, 429, 503, 507)
"""Statuses of an upload that is not filed."""


def routes(
    assets: Assets, uploading: Uploading, reading: Reading, bodies: HandedBodies, trail: Trail, metrics: Metrics,
    *, max_bytes: int, chunk_bytes: int,
) -> Area:  # fmt: skip
    """The area of assets."""
    area = Area("imaging_assets", "Imaging")

    @area.get("/imaging/limits", capability=READ, answer=LimitsAnswer)
    def imaging_limits() -> LimitsAnswer:
        """What is accepted: the largest file, the size of a chunk, and types."""
        return LimitsAnswer(max_bytes=max_bytes, chunk_bytes=chunk_bytes, accepted=sorted(EXTENSIONS))

    @area.post("/imaging/assets/upload", capability=WRITE, answer=AssetMade, status=201, errors=REFUSALS)
    def upload_asset() -> AssetMade:
        """File one picture or document: multipart/form-data with the fields `patientId`, `studyId`, `modality` (XRAY,
        PHOTO or DOC), `capturedAt` and `sourceDevice` where they are known, and one part `file`.

        What it is, its content says; what it is called is a name alone, 255 bytes at most: a path or an empty name is
        refused (400 `bad_file_name`) before anything is kept. With an `Idempotency-Key` the same request may be sent
        again for a day.
        """
        return _upload()

    @area.put("/imaging/assets/upload", capability=WRITE, answer=AssetMade, status=201, errors=REFUSALS)
    def upload_asset_by_put() -> AssetMade:
        """The same as POST, which the gateway turns into this; on Orthanc's own port a form arrives by PUT alone."""
        return _upload()

    def _upload() -> AssetMade:
        clinic, key = clinic_of(identity()), key_of(request.headers.get("Idempotency-Key"))
        kind, length = request.headers.get("Content-Type", ""), request.content_length or 0
        handed = bodies.body(request.headers.get(HEADER), caller())
        if handed is None:
            read = request.stream.read
            return AssetMade(asset_id=uploading.take(clinic, read, kind, length, key, caller()))
        with handed:
            length = os.fstat(handed.fileno()).st_size
            return AssetMade(asset_id=uploading.take(clinic, handed.read, kind, length, key, caller()))

    @area.get("/imaging/assets/<asset_id>", capability=READ, query=VariantQuery, errors=(404, 416, 422, 429, 503, 507))
    def get_asset(asset_id: str, query: VariantQuery) -> Response:
        """The picture for the page (`web`, at most 2000 pixels wide), a thumbnail (`thumb`, 400), or the `original`.

        A missing picture is made while you wait, or comes a little later (503 with Retry-After). `Range`, `If-Range`
        and `If-None-Match` are honoured.
        """
        asset = assets.theirs(clinic_of(identity()), id_in_path(asset_id, "asset"))
        asked = request.headers
        response = reading.answer(
            asset, query.variant, caller(), known=asked.get("If-None-Match", ""), wanted=asked.get("Range", ""),
            if_range=asked.get("If-Range", ""),
        )  # fmt: skip
        try:
            trail.record(AssetViewed(entity_id=str(asset.id), variant=query.variant), caller())
        except BaseException:
            response.close()
            raise
        metrics.add(f"imaging_views_{query.variant}_total")
        return response

    @area.delete("/imaging/assets/<asset_id>", capability=WRITE, status=204, errors=(404,))
    def delete_asset(asset_id: str) -> None:
        """Take a file out of every list. Its bytes stay for the time that the law may ask for them."""
        assets.delete(clinic_of(identity()), id_in_path(asset_id, "asset"), caller())
        metrics.add("imaging_assets_deleted_total")

    return area
