"""Studies that lie on a NAS alone, on each database: listed, described, opened by the viewer's routes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from readingroom.app import Room, build
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.errors import PacsNotFound, SourceError, SourceForbidden, SourceRefused, SourceUnreachable
from readingroom.identity import ANONYMOUS, ROLES, Caller
from readingroom.manifests import plans
from readingroom.nas_index.series_files import SeriesFiles
from readingroom.series import key_of
from readingroom.settings import Settings
from readingroom.sources import open_source

from tests.factories import ct, ct_slices, dicom_bytes, uid
from tests.fixtures.catalogued import catalogue_source, configure
from tests.http.conftest import PASSWORD, Person

STUDY = uid("study", "far")


class EmptyPacs:
    """An Orthanc that has nothing."""

    def get(self, path: str) -> bytes:
        raise PacsNotFound("Unknown resource")

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        return b"[]"

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        raise PacsNotFound("Unknown resource")

    def delete(self, path: str) -> None:
        raise PacsNotFound("Unknown resource")


def nameless(number: int) -> bytes:
    """A slice of a series without a UID: its key is made of study and number."""
    made = ct("nameless", number, study="far", SeriesNumber="44")
    del made.SeriesInstanceUID
    return dicom_bytes(made)


class Site:
    """Two sources: `near` has series 1 and 2 and one without a UID, `copy` has series 2 as well."""

    def __init__(self, folder: Path, url: str) -> None:
        roots = {name: folder / name for name in ("near", "copy")}
        self.files = {n: list(ct_slices(4, 16, 16, name=f"s{n}", study="far", SeriesNumber=n)) for n in (1, 2)}
        for root, numbers in (("near", (1, 2)), ("copy", (2,))):
            for n in numbers:
                for index, data in enumerate(self.files[n]):
                    place = roots[root] / str(n) / f"IM{index}"
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(data)
        (roots["near"] / "44").mkdir()
        for index in range(3):
            (roots["near"] / "44" / f"{index}").write_bytes(nameless(index))
        settings = Settings.load(
            READINGROOM_DATA=folder / "data", DATABASE_URL=url, NAS_ALLOWED_ROOTS=",".join(map(str, roots.values()))
        )
        database = open_database(settings.database_url)
        migrate(database)
        configure(settings, *({"name": name, "type": "local", "path": str(root)} for name, root in roots.items()))
        for name, root in roots.items():
            with open_source(str(root)) as source:
                catalogue_source(database, name, "local", source)
        self.room: Room = build(settings, EmptyPacs(), SystemClock(), database)
        client = self.room.app.test_client()
        by = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
        self.people = {}
        for role in ROLES:
            self.room.accounts.create(role, PASSWORD, (role,), "12" if role == "clinician" else None, by)
            token = client.post("/api/token/", json={"username": role, "password": PASSWORD}).get_json()["access"]
            self.people[role] = Person(client, role, {"Authorization": f"Bearer {token}"})
        self.staff = self.people["staff"]

    def manifest(self, series: str) -> dict[str, Any]:
        answer = self.staff.get(f"/api/pacs/studies/{STUDY}/series/{series}/manifest")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = json.loads(answer.data)
        return told


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    made = Site(tmp_path_factory.mktemp("nas"), url)
    yield made
    made.room.stop()


def test_each_series_is_listed_once_whatever_sources_have_it(site: Site) -> None:
    for path in (f"/api/pacs/studies/{STUDY}/series/", f"/api/pacs/studies/{STUDY}/series"):
        told = site.staff.get(path).get_json()["series"]
        assert [(each["seriesNumber"], each["imageCount"], each["place"], each["source"]) for each in told] == [
            (1, 4, "nas", "near"),
            (2, 4, "nas", "near"),
            (44, 3, "nas", "near"),
        ]
    for each in told:
        assert site.staff.get(each["firstImageUrl"]).status_code == 200
        assert site.staff.get(each["manifestUrl"]).get_json()["frameCount"] == each["imageCount"]


def test_a_list_that_did_not_change_is_304(site: Site) -> None:
    path = f"/api/pacs/studies/{STUDY}/series/"
    etag = site.staff.get(path).headers["ETag"]
    assert site.staff.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert site.staff.get(path, headers={"If-None-Match": f'W/{etag}, "x"'}).status_code == 304
    assert site.staff.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_a_series_without_a_uid_is_asked_for_by_its_key(site: Site) -> None:
    key = key_of(f"{STUDY}|44")
    told = site.manifest(key)
    assert (told["seriesUid"], told["frameCount"]) == (key, 3)
    handle = told["instances"]["handle"][1]
    assert site.staff.get(f"/api/pacs/instances/{handle}/file").data == nameless(1)


def test_the_study_must_be_the_one_that_the_series_is_of(site: Site) -> None:
    series = uid("series", "far", "s1")
    assert site.manifest(series)["frameCount"] == 4
    for study, one in (
        ("1.2.3", series),
        (STUDY, "1.2.3"),
        (STUDY, key_of(series)),
        ("x", "y"),
        (STUDY, "%00"),
        ("%00", series),
        ("é", "1"),
    ):
        answer = site.staff.get(f"/api/pacs/studies/{study}/series/{one}/manifest")
        assert (answer.status_code, answer.get_json()["error"]) == (404, "not_found"), (study, one)


def test_a_handle_is_of_one_file_as_it_was(site: Site) -> None:
    handle = site.manifest(uid("series", "far", "s1"))["instances"]["handle"][2]
    assert site.staff.get(f"/api/pacs/instances/{handle}/file").data == site.files[1][2]
    for wrong in (handle[:-1] + ("0" if handle[-1] != "0" else "1"), handle.replace("-2-", "-3-"), "nas-x", "../x",
                  handle.replace("nas-", "copy-"), "-".join(["0" * 8] * 5)):  # fmt: skip
        assert site.staff.get(f"/api/pacs/instances/{wrong}/file").status_code == 404, wrong


@pytest.mark.parametrize(("role", "status"), [("student", 404), ("clinician", 403)])
def test_who_may_not_search_the_index_sees_none_of_it(site: Site, role: str, status: int) -> None:
    handle = site.manifest(uid("series", "far", "s1"))["instances"]["handle"][0]
    series = uid("series", "far", "s1")
    for path in (
        f"/api/pacs/studies/{STUDY}/series/", f"/api/pacs/studies/{STUDY}/series/{series}/manifest",
        f"/api/pacs/studies/{STUDY}/series/{series}/images/bulk", f"/api/pacs/studies/{STUDY}/image-ids/",
        f"/api/pacs/instances/{handle}/file", f"/api/pacs/instances/{handle}/dicomweb",
        f"/api/pacs/instances/{handle}/frames/1",
    ):  # fmt: skip
        assert site.people[role].get(path).status_code == status, path


def test_ranges_of_a_file_are_followed(site: Site) -> None:
    handle = site.manifest(uid("series", "far", "s2"))["instances"]["handle"][0]
    path, whole = f"/api/pacs/instances/{handle}/file", site.files[2][0]
    first = site.staff.get(path)
    for asked, wanted in (("bytes=0-9", whole[:10]), ("bytes=-7", whole[-7:]), ("bytes=50-", whole[50:])):
        answer = site.staff.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.data) == (206, wanted)
    same = site.staff.get(path, headers={"Range": "bytes=0-9", "If-Range": first.headers["ETag"]})
    other = site.staff.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (same.status_code, other.status_code, other.data) == (206, 200, whole)
    assert site.staff.get(path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416


def test_a_range_too_large_for_orthancs_memory_is_answered_with_the_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its beginning alone would be all the rest for `curl -C -`."""
    monkeypatch.setattr("readingroom.viewer.instances_api.LARGEST_RANGE", 100)
    handle = site.manifest(uid("series", "far", "s2"))["instances"]["handle"][0]
    path, whole = f"/api/pacs/instances/{handle}/file", site.files[2][0]
    for asked, wanted in (
        ("bytes=10-109", (206, whole[10:110])),
        ("bytes=10-110", (200, whole)),
        ("bytes=10-", (200, whole)),
    ):
        answer = site.staff.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.data) == wanted, asked


def test_what_is_asked_for_wrongly_is_told(site: Site) -> None:
    one = f"/api/pacs/studies/{STUDY}/series/{uid('series', 'far', 's1')}"
    for path in (f"{one}/images/bulk?start=-1", f"{one}/images/bulk?count=0", f"{one}/images/bulk?count=x",
                 f"/api/pacs/studies/{STUDY}/image-ids/?scheme=http"):  # fmt: skip
        assert site.staff.get(path).status_code == 400, path
    beyond = site.staff.get(f"{one}/images/bulk?start=100").get_json()
    assert beyond == {"images": [], "totalImages": 4, "hasMore": False}


@pytest.mark.parametrize("error", [SourceUnreachable, SourceRefused, SourceForbidden])
def test_a_nas_that_does_not_answer_is_said_to_be_away_and_asked_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: type[SourceError]
) -> None:
    series = uid("series", "far", "s1")
    one = f"/api/pacs/studies/{STUDY}/series/{series}"
    handle = site.manifest(series)["instances"]["handle"][0]
    monkeypatch.setattr(plans, "LOOK", error.code)  # as if nobody had looked at it before
    with monkeypatch.context() as away:

        def no_answer(*_: object) -> NoReturn:
            raise error("jane's folder")

        away.setattr(SeriesFiles, "open", no_answer)
        # Not its small picture, nor its files: what others read a moment ago is still in memory.
        for path in (f"{one}/manifest", f"{one}/images/bulk", f"/api/pacs/instances/{handle}/dicomweb"):
            answer = site.staff.get(path)
            assert (answer.status_code, answer.get_json()["error"]) == (503, "stored_file_away"), path
            assert "jane" not in answer.text
    assert site.manifest(series)["frameCount"] == 4
