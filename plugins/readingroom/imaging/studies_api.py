"""Routes of studies: make one, list a patient's, look at one."""

from __future__ import annotations

from readingroom.audit import Trail
from readingroom.imaging.answers import (
    NewStudyBody,
    StudiesAnswer,
    StudyAnswer,
    StudyList,
    StudyMade,
    id_in_path,
    study_answer,
)
from readingroom.imaging.clinics import clinic_of
from readingroom.imaging.events import StudiesListed, StudyViewed
from readingroom.imaging.studies import NewStudy, Studies
from readingroom.metrics import Metrics
from readingroom.routing import Area, caller, identity

READ, WRITE = "imaging.read", "imaging.write"


def routes(studies: Studies, trail: Trail, metrics: Metrics, *, variants: bool) -> Area:
    """The area of studies; `variants` says whether pictures are made of what they hold."""
    area = Area("imaging_studies", "Imaging")

    @area.post("/imaging/studies", capability=WRITE, body=NewStudyBody, answer=StudyMade, status=201, errors=(404,))
    def create_study(body: NewStudyBody) -> StudyMade:
        """Make a study of one of your clinic's patients: a capture session that files belong to."""
        new = NewStudy(body.patient_id, body.kind, body.title or None, body.captured_at, body.source or None)
        made = studies.create(clinic_of(identity()), new, caller())
        metrics.add("imaging_studies_created_total")
        return StudyMade(study_id=made)

    @area.get("/imaging/studies", capability=READ, query=StudyList, answer=StudiesAnswer, errors=(404,))
    def list_studies(query: StudyList) -> StudiesAnswer:
        """Studies with their files: one patient's, last captured first, or your whole clinic's, last made first."""
        found, total = studies.page(clinic_of(identity()), query.patient_id, query.limit, query.offset)
        trail.record(StudiesListed(entity_id="" if query.patient_id is None else str(query.patient_id)), caller())
        return StudiesAnswer(items=[study_answer(study, variants=variants) for study in found], total=total)

    @area.get("/imaging/studies/<study_id>", capability=READ, answer=StudyAnswer, errors=(404,))
    def get_study(study_id: str) -> StudyAnswer:
        """One study with its files."""
        clinic = clinic_of(identity())
        found = studies.get(clinic, id_in_path(study_id, "study"))
        trail.record(StudyViewed(entity_id=str(found.id)), caller())
        return study_answer(found, variants=variants)

    return area
