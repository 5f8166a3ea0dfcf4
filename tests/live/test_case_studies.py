"""A study that lies in Orthanc becomes one of a case's: downloaded, opened and guarded like imported ones."""

from __future__ import annotations

import io
import zipfile

from tests import factories
from tests.fixtures.instance import LiveInstance
from tests.fixtures.live_cases import store


def laid(instance: LiveInstance, name: str, count: int = 3, **keywords: object) -> tuple[str, list[bytes]]:
    """A study in Orthanc, as a modality leaves it: its UID and its files."""
    files = list(factories.ct_slices(count, 16, 16, name=name, study=name, **keywords))
    stored = store(instance, [(f"IM{number}", file) for number, file in enumerate(files)])
    study = instance.admin.get(f"/instances/{stored[0]['orthanc_id']}/study").json()
    return str(study["MainDicomTags"]["StudyInstanceUID"]), files


def new_case(instance: LiveInstance, **fields: object) -> str:
    answer = instance.admin.post("/api/bestof/cases", json={"examType": "CT", "title": "From Orthanc", **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_its_files_are_the_case_s_byte_for_byte(instance: LiveInstance) -> None:
    study, files = laid(instance, "attached")
    case = new_case(instance)
    done = instance.admin.post(f"/api/bestof/cases/{case}/studies", json={"studyUid": study})
    assert done.status_code == 200, done.text
    assert (done.json()["added"], done.json()["already"], done.json()["hidden"]) == (3, 0, False)
    told = instance.admin.get(f"/api/bestof/cases/{case}").json()
    assert (told["fileCount"], told["totalSizeBytes"], told["studyUids"]) == (3, sum(map(len, files)), [study])
    zipped = instance.admin.get(f"/api/bestof/dicoms/download?caseId={case}")
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.read(name) for name in archive.namelist()) == sorted(files)

    again = instance.admin.post(f"/api/bestof/cases/{case}/studies", json={"studyUid": study}).json()
    assert (again["added"], again["already"]) == (0, 3)
    events = instance.admin.get(f"/api/audit?entity=clinical_case:{case}&action=cases.study.attach").json()["items"]
    assert [(each["actor"], each["payload"]["study_uid"], each["payload"]["files"]) for each in events] == [
        ("admin", study, 3)
    ]


def test_students_see_it_with_the_case_and_a_patient_s_name_takes_both_away(instance: LiveInstance) -> None:
    study, _ = laid(instance, "attached and published")
    named, _ = laid(instance, "attached with a name", PatientName="Example^Person", PatientBirthDate="19700101")
    case = new_case(instance, published=True)
    seen = f"/dicom-web/studies/{study}/metadata"
    assert instance.student.get(seen).status_code == 403
    assert not instance.admin.post(f"/api/bestof/cases/{case}/studies", json={"studyUid": study}).json()["hidden"]
    assert instance.student.get(f"/api/bestof/cases/{case}").status_code == 200
    done = instance.admin.post(f"/api/bestof/cases/{case}/studies", json={"studyUid": named}).json()
    assert (done["added"], done["hidden"]) == (3, True)
    assert instance.student.get(f"/api/bestof/cases/{case}").status_code == 404
    refused = instance.admin.put(f"/api/bestof/cases/{case}", json={"published": True})
    assert (refused.status_code, refused.json()["error"]) == (409, "case_identifiable")


def test_what_is_not_there_or_takes_none_is_said(instance: LiveInstance) -> None:
    study, _ = laid(instance, "attached", 3)
    case = new_case(instance)
    for uid in ("1.2.3.4.5", "*", "", "1.2/../3"):
        answer = instance.admin.post(f"/api/bestof/cases/{case}/studies", json={"studyUid": uid})
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), uid
    answer = instance.admin.post("/api/bestof/cases/nothing/studies", json={"studyUid": study})
    assert answer.status_code == 404
    assert instance.admin.delete(f"/api/bestof/cases/{case}").status_code == 204
    answer = instance.admin.post(f"/api/bestof/cases/{case}/studies", json={"studyUid": study})
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert instance.student.post(f"/api/bestof/cases/{case}/studies", json={"studyUid": study}).status_code == 403
