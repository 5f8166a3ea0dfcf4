"""Archives of pictures with a Firebird database, and mixed ones, as staff configure, try and index them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from readingroom.nas_index.firebird.recognising import JP2_BOX

from tests.fixtures.firebird import Firebird
from tests.fixtures.nas import Nas
from tests.fixtures.nas_trees import make_tree

COLUMNS = {"path": "PICTURE", "PatientName": "NAME", "PatientID": "ID", "StudyDate": "TAKEN"}


@pytest.fixture
def source(nas: Nas, firebird: Firebird) -> dict[str, Any]:
    """A mixed source as it is configured: 30 DICOM files, and 12 pictures of which 10 stand in the database."""
    make_tree(nas.root / "dicom", 30, 10, junk_of=1000)
    (nas.root / "pictures").mkdir()
    for number in range(12):
        (nas.root / "pictures" / f"{number}.jp2").write_bytes(JP2_BOX + bytes(number + 1))
    connection = firebird.create()
    try:
        cursor = connection.cursor()
        cursor.execute("create table IMAGES (PICTURE varchar(99), NAME varchar(64), ID varchar(12), TAKEN date)")
        connection.commit()
        for number in range(10):
            row = (rf"P:\pictures\{number}.jp2", "Иванова^Анна", "P7", date(2024, 1, 18))
            cursor.execute("insert into IMAGES values (?, ?, ?, ?)", row)
        connection.commit()
    finally:
        connection.close()
    mapping = firebird.mapping(table="IMAGES", columns=COLUMNS, path_prefix="P:\\", defaults={"Modality": "XC"})
    return {"name": "mixed", "type": "local", "path": str(nas.root), "firebird": mapping}


def test_a_mixed_source_is_configured_tried_indexed_and_found(nas: Nas, source: dict[str, Any]) -> None:
    put = nas.staff.put("/api/nas/config", json=source)
    assert put.status_code == 200, put.text
    assert put.get_json()["sources"][0]["firebird"]["password"] == "***"
    tried = nas.staff.post("/api/nas/test", json={"source": "mixed"}).get_json()
    assert (tried["ok"], tried["content"], tried["pictures_sampled"]) == (True, "mixed", 10), tried
    run = nas.indexed(source="mixed")
    assert (run["added"], run["errors"], run["message"]) == (40, 1, "")  # one file is neither
    (shown,) = nas.staff.get("/api/index/sources").get_json()["items"]
    assert (shown["type"], shown["content"], shown["pictures"], shown["files"]) == ("local", "mixed", 12, 40)
    found = nas.staff.get("/api/search", query_string={"q": "анна иванова", "modality": "XC"}).get_json()["results"]
    assert [(each["PatientName"], each["file_count"]) for each in found] == [("Иванова^Анна", 10)]
    again = nas.indexed(source="mixed")
    assert (again["unchanged"], again["added"], again["changed"]) == (again["enumerated_files"], 0, 0)


def test_pictures_without_a_database_are_recognised_and_advice_is_given(nas: Nas, source: dict[str, Any]) -> None:
    nas.staff.put("/api/nas/config", json={key: value for key, value in source.items() if key != "firebird"})
    tried = nas.staff.post("/api/nas/test", json={"source": "mixed"}).get_json()
    assert (tried["ok"], tried["content"], tried["pictures_sampled"]) == (True, "mixed", 0)
    assert "12 JPEG 2000 pictures" in nas.indexed(source="mixed")["message"]
    advice = nas.staff.get("/api/nas/suggestions").get_json()["suggestions"]
    assert ("mixed", "firebird") in {(each["source"], each["setting"]) for each in advice}


@pytest.mark.parametrize(
    ("change", "error_type", "told"),
    [
        ({"path_prefix": "Q:\\"}, "system", "firebird.path_prefix"),
        ({"password": "wrong"}, "authentication", "password"),
        ({"port": 1}, "network", "port"),
    ],
)
def test_a_test_says_what_is_wrong_with_the_database(
    nas: Nas, source: dict[str, Any], change: dict[str, Any], error_type: str, told: str
) -> None:
    config = source | {"firebird": source["firebird"] | change}
    tried = nas.staff.post("/api/nas/test", json={"config": config}).get_json()
    assert (tried["ok"], tried["error_type"]) == (False, error_type), tried
    assert told in tried["suggestion"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"columns": {"PatientName": "NAME"}}, "columns must say which one holds the path"),
        ({"columns": {"path": "PICTURE", "Colour": "C"}}, "Colour"),
        ({"columns": {"path": "PICTURE; drop table IMAGES"}}, "firebird.columns.path"),
        ({"table": None}, "table or query"),
        ({"query": "delete from IMAGES", "table": None}, "query"),
        ({"port": 70000}, "firebird.port"),
        ({"charset": "utf8"}, "firebird.charset"),
        ({"passwort": "x"}, "firebird.passwort"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_by_the_name_of_its_key(
    nas: Nas, change: dict[str, Any], told: str
) -> None:
    mapping = {"database": "archive", "password": "a secret", "table": "IMAGES", "columns": COLUMNS} | change
    config = {"name": "pictures", "type": "local", "path": str(nas.root), "firebird": mapping}
    for answer in (
        nas.staff.put("/api/nas/config", json=config),
        nas.staff.post("/api/nas/test", json={"config": config}),
    ):
        assert answer.status_code == 400, answer.text
        said = answer.get_json()["message"]
        assert said.startswith("pictures: firebird")
        assert told in said
        assert "a secret" not in answer.text
    assert not (nas.data / "nas_config.json").exists()
