"""OHIF's files as the gateway gives them, and its cookie before real Orthanc and gateway."""

from __future__ import annotations

import http.client
import json
import re

import pytest
import requests

from tests import factories
from tests.fixtures.instance import ADMIN_PASSWORD, PASSWORD, LiveInstance
from tests.fixtures.live_cases import record, store
from tests.live.test_core_routes_are_closed import AN_ID, UNDOCUMENTED, spellings

PAGE = {"X-Requested-With": "readingroom"}


class Browser(requests.Session):
    """Signed in on the page, with OHIF's cookie and no token in hand."""

    def __init__(self, live: LiveInstance, role: str, name: str = "") -> None:
        super().__init__()
        self.trust_env = False
        self.base = live.url
        name = name or ("admin" if role == "admin" else f"test-{role}")
        password = ADMIN_PASSWORD if role == "admin" else PASSWORD
        if role != "admin":
            made = live.admin.post("/api/users", json={"name": name, "password": password, "roles": [role]})
            assert made.status_code in (201, 409), made.text
        asked = {"username": name, "password": password}
        assert self.post(f"{live.url}/api/token/", json=asked, headers=PAGE, timeout=60).status_code == 200
        given = self.post(f"{live.url}/api/token/dicomweb/", headers=PAGE, timeout=60)
        assert given.status_code == 200, given.text

    def status(self, path: str, method: str = "GET", **options: object) -> int:
        """The status of one request."""
        return self.request(method, self.base + path, timeout=60, **options).status_code  # type: ignore[arg-type]

    @property
    def line(self) -> str:
        """The cookie as a header that is sent wherever a test likes."""
        (value,) = [each.value for each in self.cookies if each.name == "readingroom_dicomweb"]
        return f"readingroom_dicomweb={value}"


@pytest.fixture(scope="module")
def studies(instance: LiveInstance) -> tuple[str, str]:
    """Two studies' UIDs: one of a published case, one of no case."""
    found = []
    for name in ("published for ohif", "private for ohif"):
        (file,) = factories.ct_slices(1, 16, 16, name=name, study=name)
        (stored,) = store(instance, [("IM1", file)])
        study = instance.admin.get(f"/instances/{stored['orthanc_id']}/study").json()
        found.append(str(study["MainDicomTags"]["StudyInstanceUID"]))
        if name.startswith("published"):
            case = instance.admin.post("/api/bestof/cases", json={"examType": "CT", "title": name}).json()["id"]
            record(instance, case, "CT", [{**stored, "study_instance_uid": found[0]}])
            answer = instance.admin.put(f"/api/bestof/cases/{case}", json={"published": True})
            assert answer.status_code == 200, answer.text
    return found[0], found[1]


@pytest.fixture(scope="module")
def home(instance: LiveInstance) -> str:
    """Where OHIF's files lie at this moment."""
    page = instance.anonymous.get("/ohif/")
    assert page.status_code == 200
    found = re.search(r'src="(/ohif/files/[0-9a-f]+/)app\.bundle', page.text)
    assert found, page.text
    return found[1]


def test_its_page_answers_at_each_of_its_addresses_and_is_asked_for_each_time(instance: LiveInstance) -> None:
    page = instance.anonymous.get("/ohif/")
    for path in ("/ohif/viewer?StudyInstanceUIDs=1.2.3", "/ohif/viewer/readingroom", "/ohif/segmentation", "/ohif"):
        answer = instance.anonymous.get(path)
        assert (answer.status_code, answer.text) == (200, page.text), path
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    settings = instance.anonymous.get("/ohif/app-config.js")
    assert settings.headers["Cache-Control"] == "no-cache"
    assert "/api/token/dicomweb/" in settings.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy and "frame-ancestors 'none'" in policy
    assert not re.search(r"https?:|\*", policy), "nothing but this origin"
    assert not re.search(r"<script[^>]*>[^<]", page.text)


def test_its_files_are_kept_for_ever_come_compressed_and_are_of_their_kind(instance: LiveInstance, home: str) -> None:
    page = instance.anonymous.get("/ohif/").text
    (bundle,) = re.findall(rf'src="{home}(app\.bundle\.[^"]+\.js)"', page)
    answer = instance.anonymous.get(home + bundle, headers={"Accept-Encoding": "gzip"}, stream=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < 5_000_000, "made when it was laid out, not at each request"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"].startswith("application/javascript")
    answer.close()
    decoders = re.findall(r"[0-9a-f]{16}\.wasm", instance.anonymous.get(home + bundle).text)
    assert decoders
    answer = instance.anonymous.get(home + decoders[0])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/wasm")
    assert answer.content[:4] == b"\0asm"
    assert instance.anonymous.get(f"{home}nothing.js").status_code == 404, "a missing script is no page"
    assert instance.anonymous.get(f"{home}ort/ort.wasm").status_code == 404
    assert instance.anonymous.post("/ohif/").status_code == 405


def test_no_way_leads_from_its_folder_to_another(instance: LiveInstance, home: str) -> None:
    line = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=30)
    up = "../" * 12
    for path in (f"/ohif/{up}etc/passwd", f"{home}{up}etc/passwd", "/ohif../etc/passwd", "/ohif/files../etc/passwd"):
        for written in (path, path.replace("../", "..%2f"), path.replace("../", "%2e%2e/")):
            line.request("GET", written)
            answer = line.getresponse()
            body = answer.read()
            assert answer.status in (400, 401, 404) or b"<title>OHIF Viewer" in body, (written, answer.status)
            assert b"root:" not in body, written


def test_staff_read_all_of_dicomweb_with_the_cookie_and_change_nothing(
    instance: LiveInstance, studies: tuple[str, str]
) -> None:
    staff = Browser(instance, "staff")
    for path in ("/dicom-web/studies", *(f"/dicom-web/studies/{uid}/metadata" for uid in studies)):
        assert staff.status(path) == 200, path
        assert staff.status(path, "HEAD") == 200, path
    for method in ("POST", "PUT", "DELETE"):
        for path in ("/dicom-web/studies", f"/dicom-web/studies/{studies[1]}"):
            assert staff.status(path, method, data=b"x", headers={"Content-Type": "application/dicom"}) in (401, 403)
    assert instance.admin.get(f"/dicom-web/studies/{studies[1]}/metadata").status_code == 200


def test_an_admin_s_cookie_opens_nothing_of_the_core_however_it_is_spelt(instance: LiveInstance) -> None:
    """A browser would not send it there at all; somebody who copied it might."""
    cookie = {"Cookie": Browser(instance, "admin").line}
    elsewhere = [
        path
        for path in UNDOCUMENTED
        if not path.startswith(("/dicom-web/studies", "/dicom-web/series", "/dicom-web/inst"))
    ]
    paths = [*elsewhere, "/system", "/instances", f"/instances/{AN_ID}/file", "/tools/find", "/changes", "/jobs"]
    for port in (instance.port, instance.orthanc_port):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for path in [other for each in paths for other in (each, *spellings(each))]:
            line.request("GET", path, headers=cookie)
            answer = line.getresponse()
            answer.read()
            assert answer.status in (400, 401, 403, 404, 405), (port, path, answer.status)
        for path in ("/api/me", "/api/bestof/cases", "/api/users", "/api/audit", "/imaging/studies"):
            line.request("GET", path, headers=cookie)
            answer = line.getresponse()
            assert json.loads(answer.read())["error"] in ("unauthenticated", "not_found"), path


def test_a_student_finds_one_published_study_and_no_trick_finds_another(
    instance: LiveInstance, studies: tuple[str, str]
) -> None:
    published, private = studies
    student = Browser(instance, "student")
    base = student.base
    found = student.get(f"{base}/dicom-web/studies?limit=101&offset=0&StudyInstanceUID={published}", timeout=60)
    assert found.status_code == 200, found.text
    assert [each["0020000D"]["Value"] for each in found.json()] == [[published]]
    assert student.status(f"/dicom-web/studies/{published}/metadata") == 200
    for query in (
        "",
        "limit=1",
        f"StudyInstanceUID={private}",
        f"StudyInstanceUID={published}&StudyInstanceUID={private}",
        f"StudyInstanceUID={published}%26StudyInstanceUID={private}",
        f"StudyInstanceUID={published},{private}",
        f"StudyInstanceUID={published}%5C{private}",
        f"StudyInstanceUID={published}&0020000D={private}",
        "StudyInstanceUID=*",
    ):
        assert student.status(f"/dicom-web/studies?{query}") == 403, query
    assert student.status(f"/dicom-web/studies/{private}/metadata") == 403
    # At Orthanc's own port nobody vouches for what the query was.
    direct = requests.get(
        f"{instance.orthanc_url}/dicom-web/studies?StudyInstanceUID={private}",
        headers={"Cookie": student.line, "X-Readingroom-Query": f"StudyInstanceUID={published}"},
        timeout=60,
    )
    assert direct.status_code == 403


def test_signing_out_ends_it_at_once_and_takes_both_cookies(instance: LiveInstance, studies: tuple[str, str]) -> None:
    staff = Browser(instance, "staff")
    path, line = f"/dicom-web/studies/{studies[1]}/metadata", staff.line
    assert staff.status(path) == 200
    assert staff.post(f"{staff.base}/api/token/sign-out/", headers=PAGE, timeout=60).status_code == 204
    assert [each.name for each in staff.cookies] == []
    assert requests.get(staff.base + path, headers={"Cookie": line}, timeout=60).status_code == 401


def test_disabling_the_account_ends_it(instance: LiveInstance, studies: tuple[str, str]) -> None:
    leaver = Browser(instance, "staff", "test-leaver")
    path = f"/dicom-web/studies/{studies[1]}/metadata"
    assert leaver.status(path) == 200
    assert instance.admin.put("/api/users/test-leaver", json={"disabled": True}).status_code in (200, 204)
    assert leaver.status(path) == 401


def test_the_trail_tells_who_looked(instance: LiveInstance, studies: tuple[str, str]) -> None:
    Browser(instance, "staff").status(f"/dicom-web/studies/{studies[0]}/metadata")
    told = instance.admin.get("/api/audit?action=pacs.study.view&limit=100").json()["items"]
    assert ("test-staff", studies[0]) in {(each["actor"], each["entityId"]) for each in told}
