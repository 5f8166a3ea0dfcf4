"""Downloads as students, staff, admins and the gateway meet them; the bytes come from an Orthanc in memory."""

from __future__ import annotations

import base64
import io
import random
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import pytest
from readingroom.app import Room, build
from readingroom.audit.tables import events_of
from readingroom.cases.tables import case_file
from readingroom.clock import FakeClock
from readingroom.db import migrate, open_database
from readingroom.downloads import sending
from readingroom.errors import StoredFileBroken
from readingroom.identity import ANONYMOUS, ROLES, Caller
from readingroom.settings import Settings
from sqlalchemy import delete, insert, select, update
from werkzeug.test import TestResponse

from tests.fixtures.case_files import row
from tests.fixtures.pacs import MemoryPacs
from tests.http.conftest import PASSWORD, Person

DICOMS = "/api/bestof/dicoms"
SECRET = "the gateway's secret, of thirty-two bytes"
THROUGH_GATEWAY = {"X-Readingroom-Gateway": SECRET}
NOISE = random.Random(1).randbytes(3_500_000)


class Site:
    """One Reading Room with an Orthanc in memory and a clock that tests move."""

    def __init__(self, settings: Settings) -> None:
        self.pacs = MemoryPacs()
        self.clock = FakeClock()
        self.settings = settings
        self.database = open_database(settings.database_url)
        migrate(self.database)
        self.room = self.restarted()

    def restarted(self) -> Room:
        """The same site after a restart, or on another node: nothing remembered, the same secrets."""
        return build(self.settings, self.pacs, self.clock, self.database)

    @contextmanager
    def later(self, **span: float) -> Iterator[None]:
        """The clock is ahead for as long as the block lasts."""
        self.clock.advance(timedelta(**span))
        yield
        self.clock.advance(-timedelta(**span))

    def fill(self, case_id: str, files: Mapping[str, bytes], exam_type: str = "MRI") -> None:
        """Give a case files, stored in Orthanc."""
        rows = [
            row(
                case_id,
                path,
                exam_type=exam_type,
                size=len(content),
                crc32=zlib.crc32(content),
                orthanc_id=self.pacs.add(content),
            )
            for path, content in files.items()
        ]
        if rows:
            with self.database.write() as connection:
                connection.execute(insert(case_file), rows)

    def instance(self, case_id: str, path: str) -> str:
        with self.database.read() as connection:
            found = select(case_file.c.orthanc_id).where(
                case_file.c.case_id == case_id, case_file.c.relative_path == path
            )
            return str(connection.execute(found).scalar_one())

    def events(self, action: str) -> list[dict[str, object]]:
        events = events_of(self.database.is_postgresql)
        with self.database.read() as connection:
            found = connection.execute(select(events).where(events.c.action == action).order_by(events.c.id))
            return [dict(r) for r in found.mappings()]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    data = tmp_path_factory.mktemp("data")
    made = Site(
        Settings.load(
            READINGROOM_DATA=data, DATABASE_URL=url, READINGROOM_GATEWAY_SECRET=SECRET, ACCESS_TOKEN_MINUTES=100_000
        )
    )
    by = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
    for role in ROLES:
        made.room.accounts.create(role, PASSWORD, (role,), "12" if role == "clinician" else None, by)
    yield made
    made.room.stop()


@pytest.fixture(scope="module")
def room(site: Site) -> Room:
    return site.room


FILES = {"IM0001.dcm": b"one" * 1000, "IM0002.dcm": b"two" * 900, "series/IM0001.dcm": b"deep" * 500}


@pytest.fixture
def new_case(site: Site, admin: Person):  # type: ignore[no-untyped-def]  # a factory of one line
    def make(
        files: Mapping[str, bytes] | None = None, *, exam_type: str = "MRI", published: bool = True
    ) -> tuple[str, int]:
        made = admin.post("/api/bestof/cases", json={"examType": exam_type}).get_json()
        site.fill(made["id"], FILES if files is None else files, exam_type)
        if published:
            answer = admin.put(f"/api/bestof/cases/{made['id']}", json={"published": True})
            assert answer.status_code == 200, answer.text
        return made["id"], made["caseNumber"]

    return make


def opened(answer: TestResponse | bytes) -> dict[str, bytes]:
    data = answer if isinstance(answer, bytes) else answer.data
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        return {info.filename: read.read(info) for info in read.infolist()}


def accelerated(answer: TestResponse) -> str:
    """Where the gateway is sent: our own route behind the location /_zip/."""
    assert answer.status_code == 200, answer.text
    assert answer.data == b""
    place = answer.headers["X-Accel-Redirect"]
    assert place.startswith("/_zip/")
    return place.replace("/_zip/", "/api/zip/", 1)


def sliced(person: Person, address: str, size: int) -> bytes:
    """All of it as nginx's slice module fetches it."""
    got, start, etag = b"", 0, None
    while True:
        answer = person.get(address, headers={"Range": f"bytes={start}-{start + size - 1}", **THROUGH_GATEWAY})
        assert answer.status_code == 206, answer.text
        assert etag in (None, answer.headers["ETag"])
        etag = answer.headers["ETag"]
        got += answer.data
        length = int(answer.headers["Content-Range"].split("/")[1])
        assert answer.headers["Content-Range"] == f"bytes {start}-{len(got) - 1}/{length}"
        start += size
        if start >= length:
            return got


# --- check --------------------------------------------------------------------------------------------------------


def test_check_tells_count_and_size(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case({"a": bytes(2_400_000), "b": bytes(100_000)})
    assert student.get(f"{DICOMS}/check?caseId={case_id}").get_json() == {
        "exists": True,
        "fileCount": 2,
        "totalSizeMB": 2,
    }


def test_check_of_a_case_without_files(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case({})
    assert student.get(f"{DICOMS}/check?caseId={case_id}").get_json() == {
        "exists": False,
        "fileCount": 0,
        "totalSizeMB": 0,
    }


def test_a_small_case_is_not_called_empty(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case({"a": b"few bytes"})
    assert student.get(f"{DICOMS}/check?caseId={case_id}").get_json()["totalSizeMB"] == 1


# --- one case -----------------------------------------------------------------------------------------------------


def test_a_case_comes_as_a_zip_of_exact_length_with_its_files_under_their_own_names(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, number = new_case()
    answer = student.get(f"{DICOMS}/download?caseId={case_id}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="Cas_{number:04d}_MRI.zip"'
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert opened(answer) == FILES


def test_a_long_zip_is_streamed_and_whole(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    files = {f"{i}.dcm": NOISE[i : i + 900_000] for i in range(5)}
    case_id, _ = new_case(files)
    answer = student.get(f"{DICOMS}/download?caseId={case_id}")
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert opened(answer) == files


def test_files_of_several_exam_types_lie_in_a_folder_each(site: Site, new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case({"IM1": b"mri"})
    site.fill(case_id, {"IM1": b"echo"}, "Echo")
    assert opened(student.get(f"{DICOMS}/download?caseId={case_id}")) == {"Echo/IM1": b"echo", "MRI/IM1": b"mri"}


def test_the_cases_own_bytes_come_from_its_attachment(site: Site, new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case({"a": b"ours"})
    instance = site.instance(case_id, "a")
    site.pacs.set(instance, "dicom", b"another hospital's copy")
    site.pacs.set(instance, "1024", b"ours")
    with site.database.write() as connection:
        connection.execute(update(case_file).where(case_file.c.case_id == case_id).values(attachment="1024"))
    assert opened(student.get(f"{DICOMS}/download?caseId={case_id}")) == {"a": b"ours"}


def test_hostile_names_come_out_safe(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case({"../../evil": b"1", "CON": b"2", "a:b": b"3", "A_B": b"4"})
    assert opened(student.get(f"{DICOMS}/download?caseId={case_id}")) == {
        "evil": b"1", "A_B": b"4", "_CON": b"2", "a_b (2)": b"3",
    }  # fmt: skip


def test_unpublished_cases_are_for_admins_alone(new_case, people: dict[str, Person]) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case(published=False)
    assert opened(people["admin"].get(f"{DICOMS}/download?caseId={case_id}")) == FILES
    nowhere = "01234567-89ab-cdef-0123-456789abcdef"
    for who in ("student", "staff"):
        for path in ("check", "download"):
            hidden = people[who].get(f"{DICOMS}/{path}?caseId={case_id}")
            missing = people[who].get(f"{DICOMS}/{path}?caseId={nowhere}")
            assert (hidden.status_code, hidden.get_json()["error"]) == (404, "not_found")
            assert hidden.get_json()["message"].replace(case_id, nowhere) == missing.get_json()["message"]


def test_nobody_and_the_wrong_role_are_turned_away(new_case, people: dict[str, Person]) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    for who, status in (("nobody", 401), ("clinician", 403)):
        assert people[who].get(f"{DICOMS}/check?caseId={case_id}").status_code == status
        assert people[who].get(f"{DICOMS}/download?caseId={case_id}").status_code == status
        for path in ("download-batch", "tickets"):
            assert people[who].post(f"{DICOMS}/{path}", json={"caseIds": [case_id]}).status_code == status


def test_a_download_without_case_or_ticket_is_a_bad_request(student: Person) -> None:
    assert student.get(f"{DICOMS}/download").status_code == 400


def test_a_download_is_in_the_trail(site: Site, new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, number = new_case()
    student.get(f"{DICOMS}/download?caseId={case_id}")
    event = site.events("cases.download")[-1]
    assert (event["actor"], event["entity_id"], event["outcome"]) == ("student", case_id, "ok")
    assert f'"case_numbers":[{number}]' in str(event["payload"])


# --- several cases ------------------------------------------------------------------------------------------------


def test_a_batch_has_a_folder_for_each_case_and_names_each_once(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    first, one = new_case({"IM1": b"1"})
    second, two = new_case({"IM1": b"2", "sub/IM2": b"3"}, exam_type="CT")
    answer = student.post(f"{DICOMS}/download-batch", json={"caseIds": [second, first, second]})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="batch_download.zip"'
    expected = {f"{one:04d}_MRI/IM1": b"1", f"{two:04d}_CT/IM1": b"2", f"{two:04d}_CT/sub/IM2": b"3"}
    assert opened(answer) == expected
    again = student.post(f"{DICOMS}/download-batch", json={"caseIds": [first, second]})
    assert again.headers["ETag"] == answer.headers["ETag"], "the order of asking makes no other zip"


def test_fifty_cases_pass_and_fifty_one_are_told_so(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    cases = [new_case({"IM1": b"x"})[0] for _ in range(51)]
    assert len(opened(student.post(f"{DICOMS}/download-batch", json={"caseIds": cases[:50]}))) == 50
    for path in ("download-batch", "tickets"):
        refused = student.post(f"{DICOMS}/{path}", json={"caseIds": cases})
        assert (refused.status_code, refused.get_json()["error"]) == (400, "too_many_cases")
        assert "50" in refused.get_json()["message"]
        assert "51" in refused.get_json()["message"]


@pytest.mark.parametrize("body", [{"caseIds": []}, {}, {"caseIds": "x"}, {"caseIds": [1]}, []])
def test_a_batch_of_nothing_is_a_bad_request(student: Person, body: object) -> None:
    for path in ("download-batch", "tickets"):
        assert student.post(f"{DICOMS}/{path}", json=body).status_code == 400


def test_an_unknown_case_and_one_without_files_are_named(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    good, _ = new_case()
    empty, number = new_case({})
    unknown = student.post(f"{DICOMS}/download-batch", json={"caseIds": [good, "nonsense"]})
    assert (unknown.status_code, unknown.get_json()["detail"]) == (404, {"caseId": "nonsense"})
    without = student.post(f"{DICOMS}/download-batch", json={"caseIds": [good, empty]})
    assert (without.status_code, without.get_json()["error"]) == (404, "no_dicoms")
    assert f"{number:04d}" in without.get_json()["message"]
    assert student.get(f"{DICOMS}/download?caseId={empty}").get_json()["error"] == "no_dicoms"


# --- through the gateway ------------------------------------------------------------------------------------------


def test_the_gateway_fetches_slices_that_join_to_the_same_zip(new_case, student: Person, nobody: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    files = {f"{i}.dcm": NOISE[i : i + 300_000 + i] for i in range(6)}
    case_id, number = new_case(files)
    address = f"{DICOMS}/download?caseId={case_id}"
    answer = student.get(address, headers=THROUGH_GATEWAY)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="Cas_{number:04d}_MRI.zip"'
    assert answer.headers["Content-Type"] == "application/zip"
    whole = sliced(nobody, accelerated(answer), 100_001)
    assert whole == student.get(address).data
    assert opened(whole) == files


def test_a_batch_goes_through_the_gateway_too(new_case, student: Person, nobody: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, number = new_case({"IM1": b"x"})
    answer = student.post(f"{DICOMS}/download-batch", json={"caseIds": [case_id]}, headers=THROUGH_GATEWAY)
    assert opened(sliced(nobody, accelerated(answer), 64)) == {f"{number:04d}_MRI/IM1": b"x"}


def test_ranges_are_answered_as_the_rfc_says(new_case, student: Person, nobody: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    address = accelerated(student.get(f"{DICOMS}/download?caseId={case_id}", headers=THROUGH_GATEWAY))
    whole = nobody.get(address)
    data, etag = whole.data, whole.headers["ETag"]
    assert (whole.status_code, whole.headers["Accept-Ranges"]) == (200, "bytes")

    def ask(wanted: str, **headers: str) -> tuple[int, bytes]:
        answer = nobody.get(address, headers={"Range": wanted, **{k.replace("_", "-"): v for k, v in headers.items()}})
        return answer.status_code, answer.data

    assert ask("bytes=5-9") == (206, data[5:10])
    assert ask("bytes=5-") == (206, data[5:])
    assert ask("bytes=-7") == (206, data[-7:])
    assert ask("bytes=5-99999999") == (206, data[5:])
    assert ask(f"bytes=5-{2**63 - 1}") == ask(f"bytes=5-{2**64 - 1}") == (206, data[5:])
    assert ask("bytes=-99999999") == (206, data)
    for ignored in ("bytes=1-2,5-6", "lines=1-2", "bytes=9-5", "bytes=-", f"bytes={'9' * 5000}-", "nonsense"):
        assert ask(ignored) == (200, data)
    assert ask("bytes=5-9", If_Range=etag) == (206, data[5:10])
    assert ask("bytes=5-9", If_Range='"another"') == (200, data)
    refused = nobody.get(address, headers={"Range": f"bytes={len(data)}-"})
    assert (refused.status_code, refused.headers["Content-Range"]) == (416, f"bytes */{len(data)}")


def test_a_range_longer_than_memory_allows_is_answered_by_its_beginning(  # type: ignore[no-untyped-def]  # see new_case
    new_case, student: Person, nobody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, _ = new_case()
    address = accelerated(student.get(f"{DICOMS}/download?caseId={case_id}", headers=THROUGH_GATEWAY))
    monkeypatch.setattr(sending, "LARGEST_SLICE", 100)
    answer = nobody.get(address, headers={"Range": "bytes=10-"})
    assert answer.headers["Content-Range"].startswith("bytes 10-109/")
    assert len(answer.data) == 100


def test_a_slice_costs_no_look_into_the_database(  # type: ignore[no-untyped-def]  # see new_case
    site: Site, new_case, student: Person, nobody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, _ = new_case()
    address = accelerated(student.get(f"{DICOMS}/download?caseId={case_id}", headers=THROUGH_GATEWAY))

    def nothing() -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(site.database.engine, "connect", nothing)
    assert opened(sliced(nobody, address, 1000)) == FILES


def test_another_node_goes_on_where_the_first_one_stopped(
    site: Site, new_case, student: Person, nobody: Person
) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    address = accelerated(student.get(f"{DICOMS}/download?caseId={case_id}", headers=THROUGH_GATEWAY))
    whole = nobody.get(address).data
    other = site.restarted().app.test_client()
    answer = other.get(address, headers={"Range": "bytes=2000-"})
    assert answer.data == whole[2000:]


def test_a_case_that_changed_since_is_never_mixed_into_a_download(site: Site, new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    address = accelerated(student.get(f"{DICOMS}/download?caseId={case_id}", headers=THROUGH_GATEWAY))
    with site.database.write() as connection:
        gone = (case_file.c.case_id == case_id, case_file.c.relative_path == "IM0002.dcm")
        connection.execute(delete(case_file).where(*gone))
    other = site.restarted().app.test_client()
    answer = other.get(address, headers={"Range": "bytes=2000-2999"})
    assert (answer.status_code, answer.get_json()["error"]) == (409, "conflict")
    again = student.get(f"{DICOMS}/download?caseId={case_id}")
    assert "IM0002.dcm" not in opened(again)


def test_a_key_is_good_for_a_day_and_for_nothing_else(site: Site, new_case, student: Person, nobody: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    address = accelerated(student.get(f"{DICOMS}/download?caseId={case_id}", headers=THROUGH_GATEWAY))
    key = address.rpartition("/")[2]
    assert nobody.get(f"{DICOMS}/download?ticket={key}").status_code == 401
    assert nobody.get("/api/me", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert nobody.get(address[:-3] + "AAA").status_code == 401
    with site.later(hours=23):
        assert nobody.get(address).status_code == 200
    with site.later(hours=25):
        assert nobody.get(address).get_json()["error"] == "ticket_expired"


def test_only_the_gateway_is_sent_to_the_inner_place(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    answer = student.get(f"{DICOMS}/download?caseId={case_id}", headers={"X-Readingroom-Gateway": "a guess"})
    assert "X-Accel-Redirect" not in answer.headers
    assert opened(answer) == FILES


# --- tickets ------------------------------------------------------------------------------------------------------


def ticket(person: Person, *case_ids: str) -> dict[str, object]:
    answer = person.post(f"{DICOMS}/tickets", json={"caseIds": list(case_ids)})
    assert answer.status_code == 200, answer.text
    made: dict[str, object] = answer.get_json()
    return made


def test_a_ticket_is_a_link_that_needs_no_header(site: Site, new_case, student: Person, nobody: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, number = new_case()
    made = ticket(student, case_id)
    assert set(made) == {"url", "fileName", "sizeBytes", "expiresAt"}
    assert str(made["url"]).startswith("/api/bestof/dicoms/download?ticket=")
    assert made["fileName"] == f"Cas_{number:04d}_MRI.zip"
    answer = nobody.get(str(made["url"]))
    assert len(answer.data) == made["sizeBytes"]
    assert opened(answer) == FILES
    assert site.events("cases.download")[-1]["actor"] == "student"
    assert site.events("cases.ticket.create")[-1]["entity_id"] == case_id
    assert accelerated(nobody.get(str(made["url"]), headers=THROUGH_GATEWAY))


def test_a_ticket_for_several_cases_leads_to_the_batch(new_case, student: Person, nobody: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    cases = [new_case({"IM1": b"x"})[0] for _ in range(2)]
    made = ticket(student, *cases)
    assert str(made["url"]).startswith("/api/bestof/dicoms/download-batch?ticket=")
    assert made["fileName"] == "batch_download.zip"
    assert len(opened(nobody.get(str(made["url"])))) == 2
    wrong = str(made["url"]).replace("download-batch", "download")
    assert nobody.get(wrong).status_code == 401


def test_an_expired_ticket_says_to_ask_for_a_new_one(site: Site, new_case, student: Person, nobody: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    url = str(ticket(student, case_id)["url"])
    with site.later(minutes=4):
        assert nobody.get(url).status_code == 200
    for span in ({"minutes": 5}, {"days": 2}):
        with site.later(**span):
            late = nobody.get(url)
            assert (late.status_code, late.get_json()["error"]) == (401, "ticket_expired")
            assert "ask for a new one" in late.get_json()["message"]


def test_a_download_that_was_begun_may_be_resumed_after_the_ticket_ended(  # type: ignore[no-untyped-def]  # see new_case
    site: Site, new_case, student: Person, nobody: Person
) -> None:
    case_id, _ = new_case()
    url = str(ticket(student, case_id)["url"])
    etag = nobody.get(url).headers["ETag"]
    resumed = {"Range": "bytes=100-", "If-Range": etag, **THROUGH_GATEWAY}
    with site.later(hours=3):
        assert accelerated(nobody.get(url, headers=resumed))
        assert nobody.get(url, headers={**resumed, "If-Range": '"a guess"'}).status_code == 401
    with site.later(hours=25):
        assert nobody.get(url, headers=resumed).status_code == 401


def test_a_ticket_opens_nothing_that_was_withdrawn_since(
    new_case, admin: Person, student: Person, nobody: Person
) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    url = str(ticket(student, case_id)["url"])
    admin.put(f"/api/bestof/cases/{case_id}", json={"published": False})
    assert nobody.get(url).status_code == 404


@pytest.mark.parametrize("role", ["student", "admin"])
def test_a_ticket_ends_with_the_account_or_the_right_of_whom_it_was_made_for(  # type: ignore[no-untyped-def]  # see new_case
    site: Site, new_case, nobody: Person, role: str
) -> None:
    case_id, _ = new_case()
    by = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "")
    accounts, name = site.room.accounts, f"leaving-{role}"
    accounts.create(name, PASSWORD, (role,), None, by)
    basic = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
    url = nobody.post(
        f"{DICOMS}/tickets", json={"caseIds": [case_id]}, headers={"Authorization": f"Basic {basic}"}
    ).get_json()["url"]
    etag = nobody.get(url).headers["ETag"]

    def followed() -> set[int]:
        resumed = {"Range": "bytes=100-", "If-Range": etag, **THROUGH_GATEWAY}
        return {nobody.get(url).status_code, nobody.get(url, headers=resumed).status_code}

    assert followed() == {200}
    accounts.set_roles(name, ("clinician",), "12", by)
    assert followed() == {401}
    accounts.set_roles(name, (role,), None, by)
    assert followed() == {200}
    accounts.disable(name, by)
    assert followed() == {401}


@pytest.mark.parametrize("token", ["", "x", "eyJhbGciOiJub25lIn0.e30.", "a.b.c"])
def test_a_made_up_ticket_is_a_401_or_a_bad_request(nobody: Person, token: str) -> None:
    status = nobody.get(f"{DICOMS}/download-batch?ticket={token}").status_code
    assert status == 401


# --- broken files and many readers --------------------------------------------------------------------------------


def test_a_broken_file_at_the_beginning_is_said_in_words_and_in_the_trail(  # type: ignore[no-untyped-def]  # see new_case
    site: Site, new_case, student: Person, nobody: Person
) -> None:
    case_id, _ = new_case()
    instance = site.instance(case_id, "IM0002.dcm")
    address = f"{DICOMS}/download?caseId={case_id}"
    key = accelerated(student.get(address, headers=THROUGH_GATEWAY))
    site.pacs.attachments[instance, "dicom"] = b"TWO" * 900
    for answer in (
        student.get(address),
        student.get(address, headers=THROUGH_GATEWAY),
        nobody.get(key, headers={"Range": "bytes=0-"}),
    ):
        assert (answer.status_code, answer.get_json()["error"]) == (500, "stored_file_broken")
        event = site.events("cases.download_broken")[-1]
        assert (event["actor"], event["entity_id"], event["outcome"]) == ("student", instance, "failed")


def test_a_missing_file_is_a_broken_one(site: Site, new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case()
    del site.pacs.attachments[site.instance(case_id, "IM0001.dcm"), "dicom"]
    answer = student.get(f"{DICOMS}/download?caseId={case_id}")
    assert (answer.status_code, answer.get_json()["error"]) == (500, "stored_file_broken")


def test_a_file_that_breaks_in_mid_stream_cuts_the_download(site: Site, new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case({"a": NOISE[:2_000_000], "b": NOISE[:1_500_000]})
    site.pacs.attachments[site.instance(case_id, "b"), "dicom"] = NOISE[:1_499_999] + b"?"
    answer = student.get(f"{DICOMS}/download?caseId={case_id}", buffered=False)
    sent = b""
    with pytest.raises(StoredFileBroken):
        for piece in answer.iter_encoded():
            sent += piece
    answer.close()
    assert 2_000_000 < len(sent) < int(answer.headers["Content-Length"])
    with pytest.raises(zipfile.BadZipFile):
        opened(sent)
    assert site.events("cases.download_broken")[-1]["entity_id"] == site.instance(case_id, "b")


def test_direct_streams_are_counted_and_given_back(new_case, student: Person) -> None:  # type: ignore[no-untyped-def]  # see new_case
    case_id, _ = new_case({"a": NOISE})
    address = f"{DICOMS}/download?caseId={case_id}"
    held = [student.get(address, buffered=False) for _ in range(sending.DIRECT_AT_ONCE)]
    assert {answer.status_code for answer in held} == {200}
    refused = student.get(address)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    next(held[0].iter_encoded())
    for answer in held:  # one that was begun and others of which nothing was read
        answer.close()
    assert opened(student.get(address)) == {"a": NOISE}
