"""Modalities push by C-STORE: who is known gets through, byte for byte in its pixels; who is not is refused."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage, PatientRootQueryRetrieveInformationModelFind, Verification

from tests.factories import ct, dataset, dicom_bytes
from tests.fixtures.instance import Client, LiveInstance, running

CALLED = "READINGROOM"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    """An instance that knows one modality, CT1."""
    known = json.dumps({"ct1": ["CT1", "127.0.0.1", 104]})
    with running(tmp_path_factory.mktemp("modalities") / "data", READINGROOM_MODALITIES=known) as instance:
        yield instance


@pytest.fixture(scope="module")
def admin(live: LiveInstance) -> Client:
    """Signed in once for all tests of this file."""
    return live.admin


def slices(name: str, count: int = 3) -> list[Dataset]:
    """A small series, as a scanner holds it."""
    return [dcmread(io.BytesIO(dicom_bytes(ct(name, index)))) for index in range(count)]


def send(live: LiveInstance, sender: str, datasets: list[Dataset], called: str = CALLED) -> list[int]:
    """C-STORE with pynetdicom; the status of each, up to the one at which the other side hung up."""
    modality = AE(ae_title=sender)
    modality.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = modality.associate("127.0.0.1", live.dicom_port, ae_title=called)
    statuses: list[int] = []
    if not association.is_established:
        return statuses
    for each in datasets:
        answer = association.send_c_store(each)
        if "Status" not in answer:
            return statuses  # aborted; pynetdicom has ended the association
        statuses.append(int(answer.Status))
    association.release()
    return statuses


def echo(live: LiveInstance, sender: str, called: str = CALLED) -> bool:
    """Whether a C-ECHO is answered."""
    modality = AE(ae_title=sender)
    modality.add_requested_context(Verification)
    association = modality.associate("127.0.0.1", live.dicom_port, ae_title=called)
    if not association.is_established:
        return False
    try:
        return bool(association.send_c_echo().get("Status") == 0)
    finally:
        association.release()


def arrived(admin: Client, image: Dataset) -> bytes:
    """The stored file of that SOPInstanceUID, empty when there is none."""
    found = admin.post("/tools/lookup", data=str(image.SOPInstanceUID)).json()
    instances = [each for each in found if each["Type"] == "Instance"]
    return admin.get(f"/instances/{instances[0]['ID']}/file").content if instances else b""


def storescu(live: LiveInstance, sender: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Send a folder with DCMTK."""
    command = ["storescu", "-v", "-aet", sender, "-aec", CALLED, "127.0.0.1", str(live.dicom_port)]
    return subprocess.run([*command, "+sd", str(folder)], capture_output=True, text=True, timeout=60, check=False)


def test_what_a_known_modality_sends_is_stored_searchable_and_in_dicomweb_at_once(
    live: LiveInstance, admin: Client
) -> None:
    datasets = slices("pynetdicom")
    assert send(live, "CT1", datasets) == [0, 0, 0]
    for sent in datasets:
        stored = dcmread(io.BytesIO(arrived(admin, sent)))
        assert stored.PixelData == sent.PixelData
        assert stored == sent
    study = str(datasets[0].StudyInstanceUID)
    found = admin.get(f"/dicom-web/studies?StudyInstanceUID={study}", headers={"Accept": "application/dicom+json"})
    assert [each["0020000D"]["Value"] for each in found.json()] == [[study]]
    series = admin.get(f"/dicom-web/studies/{study}/series/{datasets[0].SeriesInstanceUID}/instances")
    assert len(series.json()) == 3


def test_what_dcmtk_sends_arrives(live: LiveInstance, admin: Client, tmp_path: Path) -> None:
    datasets = slices("dcmtk")
    for index, each in enumerate(datasets):
        each.save_as(tmp_path / f"{index}.dcm")
    done = storescu(live, "CT1", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for sent in datasets:
        assert dcmread(io.BytesIO(arrived(admin, sent))) == sent


def test_an_unknown_ae_title_stores_nothing_and_is_told_so(live: LiveInstance, admin: Client, tmp_path: Path) -> None:
    datasets = slices("stranger")
    assert send(live, "STRANGER", datasets) == []
    for index, each in enumerate(datasets):
        each.save_as(tmp_path / f"{index}.dcm")
    done = storescu(live, "STRANGER", tmp_path)
    assert done.returncode != 0, done.stdout + done.stderr
    assert not any(arrived(admin, each) for each in datasets)


def test_whoever_calls_another_ae_title_than_ours_is_refused(live: LiveInstance, admin: Client) -> None:
    datasets = slices("wrong-called")
    assert send(live, "CT1", datasets, called="SOMEBODY") == []
    assert not echo(live, "CT1", called="SOMEBODY")
    assert not any(arrived(admin, each) for each in datasets)


def test_an_echo_is_answered_to_anybody_and_nothing_else_is(live: LiveInstance) -> None:
    assert echo(live, "CT1")
    assert echo(live, "STRANGER"), "what a technician tries first"
    done = subprocess.run(
        ["echoscu", "-aet", "CT1", "-aec", CALLED, "127.0.0.1", str(live.dicom_port)], timeout=30, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize(("sender", "answered"), [("CT1", True), ("STRANGER", False)])
def test_only_a_known_modality_may_search(live: LiveInstance, sender: str, answered: bool) -> None:
    modality = AE(ae_title=sender)
    modality.add_requested_context(PatientRootQueryRetrieveInformationModelFind)
    association = modality.associate("127.0.0.1", live.dicom_port, ae_title=CALLED)
    assert association.is_established
    query = dataset(QueryRetrieveLevel="PATIENT", PatientID="nobody")
    statuses = [
        int(status.Status)
        for status, _ in association.send_c_find(query, PatientRootQueryRetrieveInformationModelFind)
        if "Status" in status
    ]
    assert statuses == ([0] if answered else [])
    if answered:
        association.release()


def test_sending_the_same_image_twice_keeps_the_first(live: LiveInstance, admin: Client) -> None:
    (image,) = slices("twice", 1)
    assert send(live, "CT1", [image]) == [0]
    before = arrived(admin, image)
    image.PixelData = bytes(len(image.PixelData))
    assert send(live, "CT1", [image]) == [0]
    assert arrived(admin, image) == before
