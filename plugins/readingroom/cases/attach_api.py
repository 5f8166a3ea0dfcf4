"""The route that adds a study in Orthanc to a case."""

from __future__ import annotations

from pydantic import Field

from readingroom.cases.attaching import Attaching
from readingroom.routing import Answer, Area, Body, caller


class StudyBody(Body):
    """A study in Orthanc, by its StudyInstanceUID."""

    study_uid: str = Field(max_length=64)


class AttachedAnswer(Answer):
    """How many files are new to the case, and how many it had.

    `hidden`: the case was published, and left the students' sight, as headers of the study identify a patient.
    """

    case_number: int
    added: int
    already: int
    hidden: bool


def routes(attaching: Attaching) -> Area:
    """The area of attaching."""
    area = Area("case_studies", "Cases")

    @area.post(
        "/api/bestof/cases/<case_id>/studies", capability="cases.admin", body=StudyBody, answer=AttachedAnswer,
        errors=(404, 409, 503),
    )  # fmt: skip
    def add_study(case_id: str, body: StudyBody) -> AttachedAnswer:
        """Add a study that lies in Orthanc to a case; its files are downloaded with the case's from then on."""
        done = attaching.attach(caller(), case_id, body.study_uid)
        return AttachedAnswer(case_number=done.case_number, added=done.added, already=done.already, hidden=done.hidden)

    return area
