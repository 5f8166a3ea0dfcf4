"""Searching and looking into series over the API, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from readingroom.app import Room
from readingroom.clock import SystemClock
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.header import Header, series_key
from readingroom.nas_index.profile import choose
from readingroom.nas_index.records import Found

from tests.http.conftest import Person

PATIENTS = {
    "Nkosi^Thandi": {"PatientID": "AB-123/45", "StudyDate": "20240118", "Modality": "CT"},
    "Müller^Jörg": {"PatientID": "777", "StudyDate": "20240117", "InstitutionName": "MILPARK"},
    "Mueller^Jane": {"PatientID": "778", "StudyDate": "20240116", "InsurancePlanIdentification": "Discovery"},
    "Пушкин^Александр": {"PatientID": "779", "StudyDate": "20230101"},
    "Παπαδόπουλος^Γιώργος": {"PatientID": "780", "StudyDate": "20230102"},
    "مُحَمَّد^أحمد": {"PatientID": "781", "StudyDate": "20230103"},
    "שרון^דבורה": {"PatientID": "782", "StudyDate": "20230104"},
    "Wang^XiaoDong=王^小东": {"PatientID": "783", "StudyDate": "20230105"},
    "Yamada^Tarou=山田^太郎=やまだ^たろう": {"PatientID": "784", "StudyDate": "20230106"},
    "Hong^Gildong=洪^吉洞=홍^길동": {"PatientID": "785", "StudyDate": "20230107"},
    "Li^Na": {
        "PatientID": "786",
        "StudyDate": "",
        "StudyDescription": "Chest portable",
        "StudyInstanceUID": "2.25.329800735698586629295641978511506172918",
    },
}


def header_of(name: str, **values: str) -> Header:
    number = list(PATIENTS).index(name)
    whole = {
        "PatientName": name,
        "SeriesInstanceUID": f"1.2.3.{number}",
        "StudyInstanceUID": f"1.2.9.{number}",
        "Modality": "MR",
        "AccessionNumber": f"ACC{number:05d}",
        "SeriesDescription": "AXIAL 5MM",
        **PATIENTS[name],
        **values,
    }
    return Header(TransferSyntaxUID="1.2.840.10008.1.2.1", **whole)


def file_of(name: str, number: int, folder: str = "") -> Found:
    header = header_of(name, SOPInstanceUID=f"1.2.3.{number}.5", InstanceNumber=str(number))
    path = f"{folder or header.SeriesInstanceUID}/{number}.dcm"
    return Found(path, 1000, 1, header, series_key(header))


@pytest.fixture(scope="module", autouse=True)
def archive(room: Room) -> Iterator[Catalogue]:
    """Two sources: the archive has everybody, the mirror has one series too."""
    catalogue = Catalogue(room.database, SystemClock(), choose("south-africa").recognise)
    everything = catalogue.visit(catalogue.source("archive", "local", "/mnt/archive"), "run")
    everything.store([file_of(name, number) for name in PATIENTS for number in (1, 2, 3)])
    everything.store([file_of("Li^Na", 9), file_of("Li^Na", 9, "copy")])
    everything.finish(True)
    mirror = catalogue.visit(catalogue.source("mirror", "sftp", "sftp://mirror/x"), "run")
    mirror.store([file_of("Nkosi^Thandi", 1)])
    mirror.finish(True)
    yield catalogue


def found(person: Person, query: str) -> list[str]:
    answer = person.get(f"/api/search?{query}")
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert body["total_is_exact"] is True
    assert body["total"] >= len(body["results"])
    return [each["PatientName"] for each in body["results"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("nkosi", ["Nkosi^Thandi"]),
        ("THANDI nko", ["Nkosi^Thandi"]),
        ("Nkosi^Thandi", ["Nkosi^Thandi"]),
        ("kos", ["Nkosi^Thandi"]),
        ("muller", ["Müller^Jörg", "Mueller^Jane"]),
        ("Müller", ["Müller^Jörg", "Mueller^Jane"]),
        ("mueller joerg", ["Müller^Jörg"]),
        ("пушкин", ["Пушкин^Александр"]),
        ("ΓΙΏΡΓΟΣ", ["Παπαδόπουλος^Γιώργος"]),
        ("محمد", ["مُحَمَّد^أحمد"]),
        ("דבורה", ["שרון^דבורה"]),
        ("王", ["Wang^XiaoDong=王^小东"]),
        ("王小东", ["Wang^XiaoDong=王^小东"]),
        ("太郎 山田", ["Yamada^Tarou=山田^太郎=やまだ^たろう"]),
        ("ﾔﾏﾀﾞ", ["Yamada^Tarou=山田^太郎=やまだ^たろう"]),
        ("홍길동", ["Hong^Gildong=洪^吉洞=홍^길동"]),
        ("li", ["Li^Na"]),
        ("n", ["Nkosi^Thandi", "Müller^Jörg", "Li^Na"]),  # Müller was at a Netcare hospital
        ("AB-123/45", ["Nkosi^Thandi"]),
        ("ab12345", ["Nkosi^Thandi"]),
        ("acc00001", ["Müller^Jörg"]),
        ("portable", ["Li^Na"]),
        ("milpark", ["Müller^Jörg"]),
        ("netcare", ["Müller^Jörg"]),
        ("discovery", ["Mueller^Jane"]),
        ("1.2.3.4", ["Παπαδόπουλος^Γιώργος"]),
        ("1.2.9.4", ["Παπαδόπουλος^Γιώργος"]),
        ("2.25.329800735698586629295641978511506172918", ["Li^Na"]),
        ("1.2.3.4444", []),
        ("nobody", []),
        ("^ =", []),
        ("'; DROP TABLE nas_series; --", []),
        ('"nkosi" OR NOT *', []),
        ("%", []),
    ],
)
def test_series_are_found_as_people_type(staff: Person, query: str, names: list[str]) -> None:
    answer = staff.get("/api/search", query_string={"q": query})
    assert [each["PatientName"] for each in answer.get_json()["results"]] == names
    assert answer.get_json()["total"] == len(names)


@pytest.mark.parametrize(
    "address",
    [
        "search?q=a%00b",
        "search?source=%00",
        "search?modality=%00",
        "series/%00",
        "series/a%00b/thumbnail",
        "index/sources?q=%00",
    ],
)
def test_a_character_that_one_engine_cannot_hold_is_no_fault_of_ours(staff: Person, address: str) -> None:
    assert staff.get(f"/api/{address}").status_code in (200, 400, 404)


def test_a_list_is_newest_study_first_and_comes_in_pages(staff: Person) -> None:
    dated = sorted(PATIENTS, key=lambda name: PATIENTS[name]["StudyDate"] or "0", reverse=True)
    assert found(staff, "") == dated
    assert found(staff, "limit=3&offset=2") == dated[2:5]
    assert found(staff, "offset=100") == []


@pytest.mark.parametrize(
    ("query", "many"),
    [
        ("modality=CT", 1),
        ("modality=MR", 10),
        ("modality=XX", 0),
        ("from=2024-01-17", 2),
        ("from=20240117&to=20240117", 1),
        ("to=2023-01-02", 2),
        ("from=2024-01-01&to=2023-01-01", 0),
        ("from=&to=&modality=", 11),
        ("medical_aid=Discovery+Health", 1),
        ("hospital=Netcare+Milpark+Hospital", 1),
        ("hospital_group=Netcare&q=jorg", 1),
        ("hospital_group=Netcare&q=jane", 0),
        ("source=archive", 11),
        ("source=mirror", 1),
        ("source=nowhere", 0),
        ("source=mirror&q=nkosi&modality=CT&from=2024-01-18", 1),
    ],
)
def test_a_list_is_narrowed(staff: Person, query: str, many: int) -> None:
    assert len(found(staff, query)) == many


@pytest.mark.parametrize(
    "query", ["from=soon", "limit=0", "limit=501", "offset=-1", "q=%00", "colour=red", "q=" + "x" * 201]
)
def test_a_search_that_makes_no_sense_is_refused(staff: Person, query: str) -> None:
    answer = staff.get(f"/api/search?{query}")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request")


def test_a_result_says_what_the_page_shows(staff: Person) -> None:
    (item,) = staff.get("/api/search?q=nkosi").get_json()["results"]
    assert item == item | {
        "SeriesInstanceUID": "1.2.3.0",
        "StudyInstanceUID": "1.2.9.0",
        "PatientID": "AB-123/45",
        "Modality": "CT",
        "file_count": 3,
        "size_bytes": 3000,
        "source": "archive",
        "source_online": True,
        "also_on": ["mirror"],
        "in_orthanc": False,
        "integrity": "complete",
        "medical_aid": "",
        "hospital": "",
    }
    assert item["last_seen"].endswith("Z")
    assert staff.get("/api/search").get_json()["timezone"] == "Africa/Johannesburg"


def test_a_series_is_told_by_its_key_and_by_its_uid(staff: Person) -> None:
    (item,) = staff.get("/api/search?q=nkosi").get_json()["results"]
    by_key = staff.get(f"/api/series/{item['SeriesKey']}").get_json()
    assert staff.get(f"/api/series/{item['SeriesInstanceUID']}").get_json() == by_key
    assert by_key == by_key | item
    assert [file["instance_number"] for file in by_key["files"]] == [1, 2, 3]
    assert by_key["files"][0] == {
        "path": "1.2.3.0/1.dcm",
        "size": 1000,
        "instance_number": 1,
        "sop_instance_uid": "1.2.3.1.5",
    }
    assert (by_key["files_total"], by_key["gaps"], by_key["duplicates"]) == (3, [], [])
    at_mirror = staff.get(f"/api/series/{item['SeriesKey']}?source=mirror").get_json()
    assert (at_mirror["source"], at_mirror["file_count"], at_mirror["also_on"]) == ("mirror", 1, ["archive"])


def test_gaps_and_duplicates_are_told(staff: Person) -> None:
    series = staff.get("/api/series/1.2.3.10").get_json()
    assert series["integrity"] == "gaps"
    assert series["gaps"] == [{"first": 4, "last": 8}]
    assert series["duplicates"] == [{"sop_instance_uid": "1.2.3.9.5", "paths": ["1.2.3.10/9.dcm", "copy/9.dcm"]}]
    page = staff.get("/api/series/1.2.3.10?files_limit=2&files_offset=2").get_json()
    assert ([file["instance_number"] for file in page["files"]], page["files_total"]) == ([3, 9], 5)


def test_a_series_that_is_not_there_is_404(staff: Person) -> None:
    for key in ("1.2.3.99", "0" * 40, "x", "%2e%2e"):
        assert staff.get(f"/api/series/{key}").status_code == 404
    assert staff.get("/api/series/1.2.3.0?source=nowhere").status_code == 404


def test_an_offline_source_stays_searchable_and_says_so(archive: Catalogue, staff: Person) -> None:
    catalogue = archive
    source = catalogue.named("archive").id
    catalogue.offline(source, "The mount is gone.")
    try:
        (item,) = staff.get("/api/search?q=nkosi").get_json()["results"]
        assert (item["source"], item["source_online"]) == ("mirror", True)  # the copy that can be reached
        (item,) = staff.get("/api/search?q=пушкин").get_json()["results"]
        assert item["source_online"] is False
    finally:
        catalogue.online(source)


def test_the_profile_tells_what_lists_can_be_narrowed_to(staff: Person) -> None:
    profile = staff.get("/api/index/profile").get_json()
    assert (profile["name"], profile["timezone"]) == ("south-africa", "Africa/Johannesburg")
    assert "Discovery Health" in profile["medical_aids"]
    assert "Netcare" in profile["hospital_groups"]
    assert "Netcare Milpark Hospital" in profile["hospitals"]


def test_searching_is_audited_without_what_was_typed(staff: Person, admin: Person) -> None:
    staff.get("/api/search?q=nkosi")
    staff.get("/api/series/1.2.3.0")
    events: list[dict[str, Any]] = admin.get("/api/audit?actor=staff&limit=500").get_json()["items"]
    actions = [event["action"] for event in events]
    assert actions.count("index.search") == 1  # folded: every letter typed is a search
    assert "index.series.view" in actions
    assert "nkosi" not in str([event for event in events if event["action"].startswith("index.")]).lower()


@pytest.mark.parametrize("path", ["/api/search", "/api/series/1.2.3.0", "/api/index/profile"])
def test_only_who_may_search_gets_an_answer(student: Person, nobody: Person, path: str) -> None:
    assert student.get(path).status_code == 403
    assert nobody.get(path).status_code == 401
