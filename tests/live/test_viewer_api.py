"""The viewer's routes in a real instance: series wherever they lie, for staff, students and holders of links."""

from __future__ import annotations

import base64
import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from tests.factories import ct_slices
from tests.fixtures.live_cases import store
from tests.fixtures.viewing import COUNT, Viewing, pixels, series_of, study_of


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


@pytest.mark.parametrize("name", ["xray here", "xray far"])
def test_a_radiograph_is_shown_through_its_lookup_tables_wherever_it_lies(viewing: Viewing, name: str) -> None:
    address = viewing.series(name, "radiographs")
    told = viewing.staff.get(f"{address}/manifest").json()
    assert told["place"] == ("nas" if "far" in name else "orthanc")
    assert (told["defaults"]["modalityLut"], told["defaults"]["voiLuts"]) == (0, [1])
    read = pydicom.dcmread(io.BytesIO(viewing.radiographs[name]))
    values = read.pixel_array
    for each in told["luts"]:
        entries = np.frombuffer(base64.b64decode(each["data"]), "<u2")
        values = entries[np.clip(values.astype(int) - each["first"], 0, each["count"] - 1)]
    expected = apply_voi_lut(apply_modality_lut(read.pixel_array, read), read)
    np.testing.assert_array_equal(values, expected)
    with Image.open(io.BytesIO(viewing.staff.get(f"{address}/thumbnail").content)) as picture:
        small = np.asarray(picture.convert("L"), dtype=float)
    assert np.abs(small - expected * (255 / 4095)).mean() < 6


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
