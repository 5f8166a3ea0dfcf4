"""The route by which an asset becomes a DICOM instance."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from readingroom.imaging.answers import id_in_path
from readingroom.imaging.clinics import clinic_of
from readingroom.imaging.dicom_subject import Said
from readingroom.imaging.dicomizing import Dicomizing
from readingroom.routing import Answer, Area, Body, caller, identity

OPPOSITES = ("AP", "LR", "HF")


def _one_way(said: str) -> str:
    if any(set(each) <= set(said) for each in OPPOSITES) or len(set(said)) < len(said):
        raise ValueError("that is no direction")
    return said


Direction = Annotated[str, Field(pattern="^[APLRHF]{1,3}$"), AfterValidator(_one_way)]
"""PS3.3 C.7.6.1.1.1: anterior or posterior, left or right, head or foot."""


class DicomBody(Body):
    """What the clinic knows of the picture and the file does not say; all of it may be left out."""

    laterality: Literal["L", "R", "B", "U"] = Field(
        "U", description="X-rays: left, right, both sides, unpaired; DICOM has no word for unknown"
    )
    patient_orientation: tuple[Direction, Direction] = Field(
        ("L", "F"), description="X-rays: where to rows and columns run in the patient (A P L R H F)"
    )
    burned_in: bool = Field(True, description="False: somebody looked, and no name or date stands in the picture")
    pixel_spacing: float | None = Field(
        None, gt=0.0001, le=10, description="X-rays: millimetres between pixels; left out: 1, and a remark"
    )


class DicomAnswer(Answer):
    """The instance; `orthancId` opens it in Orthanc, the UIDs anywhere."""

    orthanc_id: str
    sop_class_uid: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    is_new: bool


def routes(dicomizing: Dicomizing) -> Area:
    """The area of instances made of assets."""
    area = Area("imaging_dicom", "Imaging")

    @area.post(
        "/imaging/assets/<asset_id>/dicom", capability="imaging.write", body=DicomBody, answer=DicomAnswer,
        errors=(404, 422, 429, 502, 503, 507),
    )  # fmt: skip
    def make_dicom(asset_id: str, body: DicomBody) -> DicomAnswer:
        """Make a DICOM instance of a file, in Orthanc: a DX of an X-ray, an XC of a photo, an Encapsulated PDF of a
        PDF, a Secondary Capture of any other document. Asked again, it answers with the same one.
        """
        said = Said(body.laterality, body.patient_orientation, body.burned_in, body.pixel_spacing)
        made = dicomizing.make(clinic_of(identity()), id_in_path(asset_id, "asset"), said, caller())
        return DicomAnswer(
            orthanc_id=made.orthanc_id, sop_class_uid=made.sop_class_uid, study_instance_uid=made.study_uid,
            series_instance_uid=made.series_uid, sop_instance_uid=made.instance_uid, is_new=made.is_new,
        )  # fmt: skip

    return area
