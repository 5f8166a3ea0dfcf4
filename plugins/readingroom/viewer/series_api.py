"""Routes about series: those of a study, and one series' manifest, images and small picture."""

from __future__ import annotations

from flask import Response, request
from pydantic import Field

from readingroom.audit import Trail
from readingroom.manifests import Plans
from readingroom.routing import Answer, Area, Query, caller
from readingroom.series import Origins
from readingroom.thumbnails import api as pictures
from readingroom.thumbnails.thumbnails import Thumbnails
from readingroom.viewer.answers import tagged
from readingroom.viewer.events import SeriesPictured, SeriesViewed, StudyListed
from readingroom.viewer.images import image_ids, images
from readingroom.viewer.manifest_model import ManifestAnswer
from readingroom.viewer.sight import SEES, Sight
from readingroom.viewer.studies import Studies

ONE = "/api/pacs/studies/<study_uid>/series/<series_uid>"

TRIED_AGAIN = (404, 429, 503)
"""What may be answered: no such series; too many are being opened; Orthanc or the NAS does not answer."""


class SeriesAnswer(Answer):
    """One series of a study."""

    series_uid: str
    series_number: int | None
    series_description: str
    image_count: int = Field(description="Images, those of multi-frame files counted each")
    modality: str
    first_image_url: str | None
    place: str = Field(description="orthanc, nas or copy")
    source: str = Field(description="Name of the NAS source; empty elsewhere")
    file_count: int
    version: str = Field(description="Another one when the series has other files")
    thumbnail_url: str
    manifest_url: str


class SeriesListAnswer(Answer):
    """All series of a study that the caller may see."""

    series: list[SeriesAnswer]


class ImageAnswer(Answer):
    """One image."""

    image_number: int = Field(description="Place in the display order, from 1")
    image_url: str
    instance_uid: str
    frame_number: int = Field(description="Place in its file, from 1")
    orthanc_id: str = Field(description="Handle of its file: Orthanc's id, an opaque one elsewhere")


class ImagesAnswer(Answer):
    """Some images of a series in anatomical order."""

    images: list[ImageAnswer]
    total_images: int
    has_more: bool


class ImagesQuery(Query):
    """Which images."""

    start: int = Field(0, ge=0)
    count: int = Field(50, ge=1, le=5000)


class ImageIdsAnswer(Answer):
    """Image ids for a stock Cornerstone loader."""

    image_ids: list[str]
    total: int


class ImageIdsQuery(Query):
    """Which images, and by which of the stock loaders."""

    scheme: str = Field("wadouri", pattern="^(wadouri|wadors)$")
    series: str = Field("", max_length=64, description="One series alone")


def routes(
    sight: Sight, studies: Studies, plans: Plans, origins: Origins, thumbnails: Thumbnails, trail: Trail
) -> Area:
    """The area of series."""
    area = Area("viewer", "Viewer")

    @area.get("/api/pacs/studies/<study_uid>/series/", capability=SEES, answer=SeriesListAnswer, errors=(404, 503))
    def study_series(study_uid: str) -> Response:
        """The series of a study, in Orthanc and on the NAS, by number. Has an ETag: ask again for new ones."""
        listed = studies.listed(caller().identity, study_uid)
        trail.record(StudyListed(entity_id=study_uid), caller())
        answers = [
            SeriesAnswer(
                series_uid=each.uid,
                series_number=each.number,
                series_description=each.description,
                image_count=each.image_count,
                modality=each.modality,
                first_image_url=f"/api/pacs/instances/{each.first}/frames/1" if each.first else None,
                place=each.place,
                source=each.where,
                file_count=each.file_count,
                version=each.version,
                thumbnail_url=f"/api/pacs/studies/{study_uid}/series/{each.uid}/thumbnail",
                manifest_url=f"/api/pacs/studies/{study_uid}/series/{each.uid}/manifest",
            )
            for each in listed
        ]
        return tagged(SeriesListAnswer(series=answers).model_dump_json(by_alias=True).encode())

    @area.get(f"{ONE}/manifest", capability=SEES, answer=ManifestAnswer, errors=TRIED_AGAIN)
    def series_manifest(study_uid: str, series_uid: str) -> Response:
        """All that a viewer needs to show every image but its pixels; see docs/viewer-api.md. Has an ETag."""
        found = sight.series(caller().identity, study_uid, series_uid)
        plan = plans.of(found)
        studies.learn(plan)
        trail.record(SeriesViewed(entity_id=found.key, place=found.origin), caller())
        return tagged(plan.manifest, plan.version)

    @area.get(f"{ONE}/images/bulk", capability=SEES, query=ImagesQuery, answer=ImagesAnswer, errors=TRIED_AGAIN)
    def series_images(study_uid: str, series_uid: str, query: ImagesQuery) -> ImagesAnswer:
        """The images of a series in anatomical order, a page at a time."""
        found = sight.series(caller().identity, study_uid, series_uid)
        plan = plans.of(found)
        studies.learn(plan)
        trail.record(SeriesViewed(entity_id=found.key, place=found.origin), caller())
        page = images(plan, query.start, query.count)
        answers = [
            ImageAnswer(
                image_number=each.number,
                image_url=f"/api/pacs/instances/{each.handle}/frames/{each.frame}",
                instance_uid=each.uid,
                frame_number=each.frame,
                orthanc_id=each.handle,
            )
            for each in page
        ]
        total = len(plan.frames)
        return ImagesAnswer(images=answers, total_images=total, has_more=query.start + len(page) < total)

    @area.get("/api/pacs/studies/<study_uid>/image-ids/", capability=SEES, query=ImageIdsQuery,
              answer=ImageIdsAnswer, errors=TRIED_AGAIN)  # fmt: skip
    def study_image_ids(study_uid: str, query: ImageIdsQuery) -> ImageIdsAnswer:
        """Image ids of a study, series after series in display order, that Cornerstone's own loaders take.

        `wadouri` needs nothing beside them; `wadors` needs the metadata of each instance first, which
        `/api/pacs/instances/{handle}/dicomweb` gives.
        """
        who = caller()
        found: list[str] = []
        for each in studies.listed(who.identity, study_uid):
            if query.series in ("", each.uid):
                series = sight.series(who.identity, study_uid, each.uid)
                found += image_ids(plans.of(series), query.scheme)
                trail.record(SeriesViewed(entity_id=series.key, place=series.origin), who)
        return ImageIdsAnswer(image_ids=found, total=len(found))

    @area.get(f"{ONE}/thumbnail", capability=SEES, errors=TRIED_AGAIN)
    def series_thumbnail(study_uid: str, series_uid: str) -> Response:
        """The middle image of a series, 256 pixels at most (WebP); 304 where the browser has it."""
        found = sight.series(caller().identity, study_uid, series_uid)
        response = pictures.answer(thumbnails.of(found, origins), request.headers.get("If-None-Match", ""))
        if response.status_code == 200:
            trail.record(SeriesPictured(entity_id=found.key), caller())
        return response

    return area
