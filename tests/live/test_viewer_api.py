"""The viewer's routes in a real instance: series wherever they lie, for staff, students and holders of links."""

from __future__ import annotations

import io
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pydicom
import pytest
import requests

from tests.factories import ct_slices
from tests.fixtures.live_cases import store
from tests.fixtures.viewing import COUNT, Viewing, series_of, study_of

HTML = {"Accept": "text/html,*/*;q=0.8", "User-Agent": "Mozilla/5.0 (X11; Linux) Test"}


def pixels(data: bytes) -> bytes:
    return bytes(pydicom.dcmread(io.BytesIO(data)).PixelData)


def test_a_study_s_series_are_listed_wherever_they_lie(viewing: Viewing) -> None:
    for path in (f"/api/pacs/studies/{viewing.study}/series/", f"/api/pacs/studies/{viewing.study}/series"):
        answer = viewing.staff.get(path)
        assert answer.status_code == 200, answer.text
        found = answer.json()["series"]
        assert [(each["seriesNumber"], each["place"], each["imageCount"]) for each in found] == [
            (2, "orthanc", COUNT),
            (3, "nas", COUNT),
            (4, "orthanc", COUNT),
            (9, "orthanc", 5),
        ]
        assert [each["modality"] for each in found] == ["CT", "CT", "CT", "US"]
        for each in found:
            assert viewing.staff.get(each["firstImageUrl"]).status_code == 200


def test_a_list_that_did_not_change_is_304_and_a_new_series_changes_it(viewing: Viewing) -> None:
    path = f"/api/pacs/studies/{viewing.study}/series/"
    first = viewing.staff.get(path)
    again = viewing.staff.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    # A study that grows, image by image: what is asked while it comes is never the list of before.
    growing = f"/api/pacs/studies/{study_of('growing')}/series/"
    assert viewing.staff.get(growing).status_code == 404
    seen = set()
    for number, name in enumerate(("first", "second"), 1):
        for count, data in enumerate(ct_slices(3, 16, 16, name=name, study="growing", SeriesNumber=number), 1):
            store(viewing.live, [("x", data)], workers=1)
            told = viewing.staff.get(growing)
            seen.add(told.headers["ETag"])
            assert (len(told.json()["series"]), told.json()["series"][-1]["imageCount"]) == (number, count)
            one = f"/api/pacs/studies/{study_of('growing')}/series/{series_of(name, 'growing')}/manifest"
            manifest = viewing.staff.get(one).json()
            assert manifest["frameCount"] == count
            latest = manifest["instances"]["handle"][count - 1]
            assert viewing.staff.get(f"/api/pacs/instances/{latest}/file").content == data
    assert len(seen) == 6


@pytest.mark.parametrize("name", ["here", "far", "both"])
def test_a_manifest_tells_where_every_image_lies_in_anatomical_order(viewing: Viewing, name: str) -> None:
    told = viewing.manifest(name)
    assert told["place"] == {"here": "orthanc", "far": "nas", "both": "orthanc"}[name]
    assert told["frameCount"] == COUNT == len(told["frames"]["position"])
    heights = [z for _, _, z in told["frames"]["position"]]
    assert heights == sorted(heights, reverse=True)
    numbers = [told["instances"]["number"][each] for each in told["frames"]["instance"]]
    assert numbers == list(range(1, COUNT + 1))
    assert told["groups"] == [{"name": "axial 32×32", "from": 0, "count": COUNT}]
    assert told["defaults"]["encoding"] == "raw" and told["defaults"]["bytes"] == 32 * 32 * 2
    assert told["defaults"]["intercept"] == -1024.0
    assert told["patient"]["name"] == "Doe^Jane"
    handles = [told["instances"]["handle"][each] for each in told["frames"]["instance"]]
    for handle, data in zip(handles[::13], viewing.files[name][::13], strict=True):
        assert viewing.staff.get(f"/api/pacs/instances/{handle}/file").content == data
        frame = viewing.staff.get(f"/api/pacs/instances/{handle}/frames/1")
        assert frame.content == pixels(data)
        assert frame.headers["Content-Type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"


def test_a_manifest_has_an_etag_and_is_kept(viewing: Viewing) -> None:
    path = f"{viewing.series('here')}/manifest"
    first = viewing.staff.get(path)
    again = viewing.staff.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.json()["version"] in first.headers["ETag"]
    assert list((viewing.live.data / "cache" / "manifests").rglob(f"{first.json()['version']}.plan"))


def test_the_frames_of_a_film_come_one_by_one(viewing: Viewing) -> None:
    told = viewing.manifest("film")
    assert told["frameCount"] == 5 and told["frames"]["frameNumber"] == [1, 2, 3, 4, 5]
    assert told["defaults"]["frameTime"] == 40.0 and told["defaults"]["samplesPerPixel"] == 3
    handle = told["instances"]["handle"][0]
    whole = pixels(viewing.film)
    size = len(whole) // 5
    for number in range(1, 6):
        got = viewing.staff.get(f"/api/pacs/instances/{handle}/frames/{number}").content
        assert got == whole[(number - 1) * size : number * size]
    for beyond in ("0", "6", "-1", "x", "99999999"):
        assert viewing.staff.get(f"/api/pacs/instances/{handle}/frames/{beyond}").status_code == 404


def test_images_come_in_pages(viewing: Viewing) -> None:
    path = f"{viewing.series('far')}/images/bulk"
    seen = []
    start = 0
    while True:
        page = viewing.staff.get(f"{path}?start={start}&count=15").json()
        assert page["totalImages"] == COUNT
        seen += page["images"]
        start += 15
        if not page["hasMore"]:
            break
    assert [each["imageNumber"] for each in seen] == list(range(1, COUNT + 1))
    assert viewing.staff.get(seen[17]["imageUrl"]).content == pixels(viewing.files["far"][17])
    assert seen[17]["instanceUid"] == str(pydicom.dcmread(io.BytesIO(viewing.files["far"][17])).SOPInstanceUID)


def test_image_ids_name_files_that_are_there(viewing: Viewing) -> None:
    for scheme in ("wadouri", "wadors"):
        told = viewing.staff.get(f"/api/pacs/studies/{viewing.study}/image-ids/?scheme={scheme}").json()
        assert told["total"] == len(told["imageIds"]) == 3 * COUNT + 5
        for each in (told["imageIds"][0], told["imageIds"][-1], told["imageIds"][COUNT + 3]):
            kind, _, path = each.partition(":")
            assert kind == scheme and path.startswith("/api/pacs/instances/")
            assert viewing.staff.get(path).status_code == 200


def test_a_part_of_a_file_can_be_had(viewing: Viewing) -> None:
    handle = viewing.manifest("here")["instances"]["handle"][0]
    whole = viewing.staff.get(f"/api/pacs/instances/{handle}/file")
    part = viewing.staff.get(f"/api/pacs/instances/{handle}/file", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])


def test_thumbnails_have_an_etag(viewing: Viewing) -> None:
    for name in ("here", "far", "film"):
        first = viewing.staff.get(f"{viewing.series(name)}/thumbnail")
        assert (first.status_code, first.headers["Content-Type"]) == (200, "image/webp")
        again = viewing.staff.get(f"{viewing.series(name)}/thumbnail", headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304


# --- who may see what ---------------------------------------------------------------------------------------------


def addresses(viewing: Viewing, name: str, study: str = "mixed") -> list[str]:
    one = viewing.series(name, study)
    return [f"{one}/manifest", f"{one}/images/bulk", f"{one}/thumbnail"]


def test_a_student_sees_the_series_of_a_published_case_and_no_others(viewing: Viewing) -> None:
    listed = viewing.student.get(f"/api/pacs/studies/{viewing.case_study}/series/")
    assert [each["seriesNumber"] for each in listed.json()["series"]] == [1]
    for path in addresses(viewing, "case", "case"):
        assert viewing.student.get(path).status_code == 200
    told = viewing.student.get(f"{viewing.series('case', 'case')}/manifest").json()
    handle = told["instances"]["handle"][0]
    assert viewing.student.get(f"/api/pacs/instances/{handle}/file").status_code == 200
    assert told["patient"]["name"] == ""
    # Never imported, or of a study that is nobody's case: not there.
    hidden = viewing.manifest("far")["instances"]["handle"][0]
    strange = viewing.manifest("here")["instances"]["handle"][0]
    for path in (
        *addresses(viewing, "kept back", "case"),
        *addresses(viewing, "here"),
        *addresses(viewing, "far"),
        f"/api/pacs/instances/{hidden}/file",
        f"/api/pacs/instances/{strange}/frames/1",
        f"/api/pacs/studies/{viewing.study}/series/",
        f"/api/pacs/studies/{viewing.study}/image-ids/",
    ):
        answer = viewing.student.get(path)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), path
    listed = viewing.staff.get(f"/api/pacs/studies/{viewing.case_study}/series/")
    assert [each["seriesNumber"] for each in listed.json()["series"]] == [1, 7]


def test_no_answer_tells_what_is_not_yours_from_what_is_not_there(viewing: Viewing) -> None:
    def said(path: str) -> tuple[int, dict[str, object]]:
        answer = viewing.student.get(path)
        return answer.status_code, {k: v for k, v in answer.json().items() if k != "request_id"}

    strange = viewing.manifest("here")["instances"]["handle"][0]
    unknown = re.sub(r"^.{8}", "00000000", strange)
    assert said(f"/api/pacs/instances/{strange}/file") == said(f"/api/pacs/instances/{unknown}/file")
    assert said(f"{viewing.series('here')}/manifest") == said("/api/pacs/studies/1.2/series/1.2.3/manifest")
    assert said(f"/api/pacs/studies/{viewing.study}/series/") == said("/api/pacs/studies/1.2/series/")


@pytest.mark.parametrize("name", ["here", "far"])
def test_a_link_s_holder_sees_its_series_alone(viewing: Viewing, name: str) -> None:
    uid = series_of(name, "mixed")
    link = viewing.staff.post("/share/create", json={"series_key": uid}).json()
    guest = requests.Session()
    guest.trust_env = False
    base = viewing.live.url
    assert guest.get(f"{base}{addresses(viewing, name)[0]}", timeout=60).status_code == 401
    guest.get(f"{base}/share/{link['token']}", headers=HTML, timeout=60, allow_redirects=False)
    for path in addresses(viewing, name):
        assert guest.get(f"{base}{path}", timeout=60).status_code == 200, path
    listed = guest.get(f"{base}/api/pacs/studies/{viewing.study}/series/", timeout=60).json()["series"]
    assert [each["seriesUid"] for each in listed] == [uid]
    assert listed[0]["source"] == ""
    assert guest.get(f"{base}{listed[0]['firstImageUrl']}", timeout=60).status_code == 200
    ids = guest.get(f"{base}/api/pacs/studies/{viewing.study}/image-ids/", timeout=60).json()
    assert ids["total"] == COUNT
    other = "far" if name == "here" else "here"
    foreign = viewing.manifest(other)["instances"]["handle"][0]
    for path in (*addresses(viewing, other), f"/api/pacs/instances/{foreign}/file"):
        assert guest.get(f"{base}{path}", timeout=60).status_code == 404, path
    viewing.staff.delete(f"/api/shares/{link['id']}")
    assert guest.get(f"{base}{addresses(viewing, name)[0]}", timeout=60).status_code == 401


def test_the_holder_of_a_de_identified_copy_sees_the_copy_and_not_what_it_was_made_of(viewing: Viewing) -> None:
    wish = {"series_key": series_of("here", "mixed"), "deidentified": True}
    link = viewing.staff.post("/share/create", json=wish).json()
    base, guest = viewing.live.url, requests.Session()
    guest.trust_env = False
    end = time.monotonic() + 120
    while (made := state_of(viewing, link["id"])) != "ready":
        assert made != "failed" and time.monotonic() < end, made
        time.sleep(0.3)
    guest.get(f"{base}/share/{link['token']}", headers=HTML, timeout=60, allow_redirects=False)
    copy = pydicom.dcmread(viewing.live.data / "shares" / link["id"] / "0001.dcm")
    one = f"/api/pacs/studies/{copy.StudyInstanceUID}/series/{copy.SeriesInstanceUID}"
    told = guest.get(f"{base}{one}/manifest", timeout=60).json()
    assert (told["place"], told["frameCount"]) == ("copy", COUNT)
    assert told["patient"]["name"] != "Doe^Jane" and told["studyUid"] != viewing.study
    handle = told["instances"]["handle"][told["frames"]["instance"][0]]
    assert handle.startswith("copy-")
    frame = guest.get(f"{base}/api/pacs/instances/{handle}/frames/1", timeout=60)
    assert frame.content == pixels(viewing.files["here"][0])
    assert guest.get(f"{base}{viewing.series('here')}/manifest", timeout=60).status_code == 404
    listed = guest.get(f"{base}/api/pacs/studies/{copy.StudyInstanceUID}/series/", timeout=60).json()["series"]
    assert [each["seriesUid"] for each in listed] == [str(copy.SeriesInstanceUID)]


def state_of(viewing: Viewing, link: str) -> str:
    listed = viewing.staff.get("/api/shares").json()["items"]
    return str(next(each["copy_state"] for each in listed if each["id"] == link))


def test_what_was_looked_at_is_in_the_trail_once(viewing: Viewing) -> None:
    for _ in range(5):
        viewing.manifest("both")
        viewing.staff.get(f"{viewing.series('both')}/images/bulk")
    with sqlite3.connect(viewing.live.data / "readingroom.db") as database:
        asked = (
            "SELECT action, count(*) FROM audit_event WHERE action LIKE 'viewer.%' GROUP BY action, entity_id, actor"
        )
        found = database.execute(asked).fetchall()
    assert {action for action, _ in found} >= {"viewer.study.list", "viewer.series.view", "viewer.file.read"}
    assert all(count == 1 for _, count in found)


def test_thirty_who_open_a_series_each_at_once_are_all_answered(viewing: Viewing) -> None:
    for n in range(30):
        store(viewing.live, ((f"{i}", f) for i, f in enumerate(ct_slices(5, 16, 16, name=f"crowd {n}", study="crowd"))))
    clients = [viewing.live.client("staff") for _ in range(30)]
    for each in clients:
        each.get("/api/me")

    def opened(n: int) -> tuple[int, int]:
        one = f"/api/pacs/studies/{study_of('crowd')}/series/{series_of(f'crowd {n}', 'crowd')}"
        answer = clients[n].get(f"{one}/manifest")
        return answer.status_code, answer.json().get("frameCount")

    with ThreadPoolExecutor(30) as crew:
        assert list(crew.map(opened, range(30))) == [(200, 5)] * 30


# --- for stock loaders --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["here", "far", "film"])
def test_a_header_comes_as_dicom_json(viewing: Viewing, name: str) -> None:
    handle = viewing.manifest(name)["instances"]["handle"][0]
    answer = viewing.staff.get(f"/api/pacs/instances/{handle}/dicomweb")
    assert answer.headers["Content-Type"].startswith("application/dicom+json")
    (told,) = answer.json()
    file = viewing.staff.get(f"/api/pacs/instances/{handle}/file").content
    read = pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True)
    assert told["00080018"]["Value"] == [str(read.SOPInstanceUID)]
    assert told["00280010"]["Value"] == [read.Rows] and told["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
    assert "7FE00010" not in told
    again = pydicom.Dataset.from_json(told)
    assert {each.tag for each in read} <= {each.tag for each in again}


def test_a_frame_comes_as_one_part_to_who_accepts_that(viewing: Viewing) -> None:
    handle = viewing.manifest("here")["instances"]["handle"][0]
    accept = {"Accept": "multipart/related; type=application/octet-stream; transfer-syntax=*"}
    answer = viewing.staff.get(f"/api/pacs/instances/{handle}/frames/1", headers=accept)
    kind = answer.headers["Content-Type"]
    assert kind.startswith('multipart/related; type="application/octet-stream"; boundary=')
    boundary = kind.rpartition("=")[2].encode()
    head, _, rest = answer.content.partition(b"\r\n\r\n")
    assert b"Content-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1" in head
    assert rest.partition(b"\r\n--" + boundary)[0] == pixels(viewing.files["here"][0])


def test_a_file_comes_as_one_part_to_who_accepts_that(viewing: Viewing) -> None:
    handle = viewing.manifest("far")["instances"]["handle"][0]
    accept = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
    answer = viewing.staff.get(f"/api/pacs/instances/{handle}/dicomweb", headers=accept)
    assert answer.content.partition(b"\r\n\r\n")[2].startswith(viewing.files["far"][0])
