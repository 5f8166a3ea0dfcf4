"""The trail through its routes, on SQLite and PostgreSQL: pages, CSV, filters that no database holds, who may not."""

from __future__ import annotations

import csv
import io

import pytest

from tests.http.conftest import Person


def test_a_page_of_events_newest_first(admin: Person) -> None:
    said = admin.get("/api/audit?action=identity.account.create&limit=2").get_json()
    assert said["total"] == 4
    first, second = said["items"]
    assert first["id"] > second["id"]
    assert (first["action"], first["entityTable"], first["outcome"]) == ("identity.account.create", "account", "ok")
    rest = admin.get("/api/audit?action=identity.account.create&limit=2&offset=2").get_json()["items"]
    assert {each["payload"]["name"] for each in (first, second, *rest)} == {"admin", "staff", "student", "clinician"}


def test_the_same_as_csv(admin: Person) -> None:
    answer = admin.get("/api/audit.csv?action=identity.account.")
    assert (answer.mimetype, answer.headers["Content-Disposition"]) == ("text/csv", 'attachment; filename="audit.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["action"] for row in rows] == ["identity.account.create"] * 4
    assert [row["previous_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    assert admin.get("/api/audit?action=audit.export").get_json()["total"] >= 1


@pytest.mark.parametrize(
    "query",
    [
        "from=0001-01-01T00:00:00%2B14:00",
        "to=9999-12-31T23:59:59-14:00",
        "from=2026-01-01T00:00:00",
        "offset=" + "9" * 30,
    ],
)
def test_what_no_database_holds_is_a_400(admin: Person, query: str) -> None:
    answer = admin.get(f"/api/audit?{query}")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request")


def test_who_may_read_it(staff: Person, student: Person, nobody: Person) -> None:
    for path in ("/api/audit", "/api/audit.csv"):
        assert [each.get(path).status_code for each in (nobody, student, staff)] == [401, 403, 403]
