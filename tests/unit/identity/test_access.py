"""What Orthanc's own routes ask of a caller, with nasty paths."""

from __future__ import annotations

import pytest
from readingroom.clock import FakeClock
from readingroom.identity import ANONYMOUS, CAPABILITIES, PUBLIC, ROLES, Access, Identity
from readingroom.identity.access import StudyScope, capability_for, is_dicomweb_read, study_searched

UID = "1.2.826.0.1.3680043.8.498.1"
STUDY = f"/dicom-web/studies/{UID}"

STUDENT = Identity("s", "user", ROLES["student"])
STAFF = Identity("t", "user", ROLES["staff"])
ADMIN = Identity("a", "user", CAPABILITIES)
CLINICIAN = Identity("c", "outside", ROLES["clinician"], "12")


@pytest.mark.parametrize(
    "path",
    [
        "/api/bestof/cases",
        "/api/",
        "/api",
        "/share/abc",
        "/share",
        "/imaging/studies",
        "/health",
        "/health/",
        "/api/refusal",
        "/api/users/grants/WARD\\alice",
        "/api/users/a;b",
        "/api/series/100%",
        "/api/series/a#b?c",
        "/api/series/a..b",
        "/imaging/é",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_our_own_routes_check_themselves(method: str, path: str) -> None:
    assert capability_for(method, path) == PUBLIC


CORE = [
    "/",
    "/system",
    "/instances",
    "/studies",
    "/series",
    "/patients",
    "/tools/find",
    "/tools/execute-script",
    "/app/explorer.html",
    "/ui/app/",
    "/changes",
    "/jobs",
    "/modalities/x/store",
    "/plugins",
    "/statistics",
    "/tools/metrics-prometheus",
    "/dicom-web",
    "/dicom-web/",
    "/dicom-web/servers",
    "/dicom-web/servers/x/stow",
    "/dicom-web/info",
    "/dicom-web/app/client/index.html",
    "/dicom-web/studiesx",
    "/DICOM-WEB/studies",
]
NASTY = [
    "/apix",
    "/API/me",
    "/api\x00/x",
    "/healthy",
    "/sharex",
    "//api/me",
    "/api//me",
    "/api/../system",
    "/api/./../system",
    "/api/..",
    "/api/%2e%2e/system",
    "/api/..;/system",
    "/api/x;/../system",
    "/api/x\\..\\..\\system",
    "/api/%2E%2E%2fsystem",
    "/share/x/..?",
    "/imaging/x\n",
    "/api\\..\\system",
    "/x/../api/me",
    "/./api/me",
    "/dicom-web/studies/../../system",
    f"{STUDY}/../../../system",
    f"{STUDY}/..",
    f"{STUDY}//series",
    "/dicom-web/studies/%2e%2e",
    f"{STUDY}/series?x",
    "/wado/x",
    "/wado/../system",
    "/wado;x",
    "",
    "api/me",
    "/health/x",
    "/health?x",
    "/dicom-web/studies\n",
]


@pytest.mark.parametrize("path", CORE + NASTY)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_everything_else_is_for_those_who_run_orthanc(method: str, path: str) -> None:
    assert capability_for(method, path) == "orthanc.admin"


@pytest.mark.parametrize(
    "path",
    ["/dicom-web/studies", "/dicom-web/studies/", "/dicom-web/series", "/dicom-web/instances", "/wado", "/wado/"],
)
def test_searching_and_wado_are_for_pacs_readers(path: str) -> None:
    assert capability_for("GET", path) == "pacs.read"
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert capability_for(method, path) == "orthanc.admin"


@pytest.mark.parametrize("rest", ["", "/", "/metadata", "/series", "/series/1.2/instances/1.3/frames/1", "/rendered"])
def test_a_study_is_a_scope_of_its_own(rest: str) -> None:
    assert capability_for("GET", STUDY + rest) == StudyScope(UID)
    assert capability_for("POST", STUDY + rest) == "orthanc.admin"
    assert capability_for("DELETE", STUDY + rest) == "orthanc.admin"


@pytest.mark.parametrize("uid", ["1.2.x", "x", "1..2", ".1", "1.", "1" * 65, "1.2,1.3", "1.2 ", "*", "\u0661.2"])
def test_what_is_no_uid_is_nobodys_scope(uid: str) -> None:
    assert capability_for("GET", f"/dicom-web/studies/{uid}/metadata") == "pacs.read"


class Published:
    """Published studies, and how often they were asked for."""

    def __init__(self, *uids: str) -> None:
        self.uids = set(uids)
        self.asked = 0

    def __call__(self, uid: str) -> bool:
        self.asked += 1
        return uid in self.uids


def test_a_student_reads_published_studies_and_nothing_else() -> None:
    access = Access(Published(UID), FakeClock())
    assert access.allows(STUDENT, "GET", f"{STUDY}/metadata")
    assert access.allows(STUDENT, "GET", f"{STUDY}/series/1.2/instances/1.3/frames/1")
    for method, path in [
        ("GET", "/dicom-web/studies"), ("GET", "/dicom-web/series"), ("GET", "/wado"), ("GET", f"{STUDY}9/metadata"),
        ("GET", "/dicom-web/studies/1.2/metadata"), ("POST", STUDY), ("DELETE", STUDY), ("GET", f"/studies/{UID}"),
        ("GET", "/system"), ("GET", f"{STUDY}/../1.2/metadata"),
    ]:  # fmt: skip
        assert not access.allows(STUDENT, method, path), (method, path)


def test_staff_read_every_study_and_change_none() -> None:
    published = Published()
    access = Access(published, FakeClock())
    assert access.allows(STAFF, "GET", f"{STUDY}/metadata")
    assert access.allows(STAFF, "GET", "/dicom-web/studies")
    assert access.allows(STAFF, "GET", "/wado")
    assert not access.allows(STAFF, "POST", "/dicom-web/studies")
    assert not access.allows(STAFF, "GET", "/system")
    assert published.asked == 0


@pytest.mark.parametrize("path", [*CORE, *NASTY, STUDY, "/dicom-web/studies", "/wado"])
def test_nobody_and_a_clinician_reach_nothing_of_orthancs(path: str) -> None:
    access = Access(Published(UID), FakeClock())
    for who in (ANONYMOUS, CLINICIAN):
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert not access.allows(who, method, path)


@pytest.mark.parametrize("path", [*CORE, STUDY, "/dicom-web/studies", "/wado", "/api/me"])
def test_an_admin_reaches_everything(path: str) -> None:
    assert Access(Published(), FakeClock()).allows(ADMIN, "DELETE", path)


def test_what_is_published_is_asked_once_for_a_burst_and_again_later() -> None:
    clock, published = FakeClock(), Published(UID)
    access = Access(published, clock)
    for _ in range(100):
        access.allows(STUDENT, "GET", f"{STUDY}/metadata")
    assert published.asked == 1
    published.uids.clear()
    from datetime import timedelta

    clock.advance(timedelta(seconds=6))
    assert not access.allows(STUDENT, "GET", f"{STUDY}/metadata")


OHIF_ASKS = f"limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060&StudyInstanceUID={UID}"


def test_a_search_for_one_study_asks_what_that_study_asks() -> None:
    assert capability_for("GET", "/dicom-web/studies", OHIF_ASKS) == StudyScope(UID)
    assert capability_for("GET", "/dicom-web/studies/", f"StudyInstanceUID={UID}") == StudyScope(UID)


@pytest.mark.parametrize(
    "query",
    [
        None,
        "",
        "limit=101",
        "StudyInstanceUID=",
        "StudyInstanceUID",
        f"0020000D={UID}",
        f"studyinstanceuid={UID}",
        f"StudyInstanceUID={UID}&StudyInstanceUID=1.2",
        f"StudyInstanceUID={UID}&0020000D=1.2",
        f"StudyInstanceUID={UID}%26StudyInstanceUID=1.2",
        f"StudyInstanceUID={UID}%26StudyInstanceUID%3D1.2",
        f"StudyInstanceUID={UID}&limit=1%26StudyInstanceUID%3D1.2",
        f"StudyInstanceUID={UID}%2C1.2",
        f"StudyInstanceUID={UID},1.2",
        f"StudyInstanceUID={UID}%5C1.2",
        f"StudyInstanceUID={UID}\\1.2",
        "StudyInstanceUID=*",
        f"StudyInstanceUID={UID}*",
        f"StudyInstanceUID={UID}%2A",
        f"StudyInstanceUID={UID}?",
        f"StudyInstanceUID={UID};StudyInstanceUID=1.2",
        f"StudyInstanceUID={UID}+1.2",
        f"StudyInstanceUID={UID}%00",
        f"StudyInstanceUID={UID}&",
        f"&StudyInstanceUID={UID}",
        f"StudyInstanceUID={UID}&PatientID=1",
        f"StudyInstanceUID={'1.' * 40}1",
    ],
)
def test_a_search_that_might_find_another_study_asks_for_all_of_them(query: str | None) -> None:
    assert study_searched(query) is None
    assert capability_for("GET", "/dicom-web/studies", query) == "pacs.read"


def test_only_a_search_for_studies_is_opened_by_its_query() -> None:
    for path in ("/dicom-web/series", "/dicom-web/instances", "/wado"):
        assert capability_for("GET", path, OHIF_ASKS) == "pacs.read"
    for path in ("/studies", "/tools/find", "/dicom-web", "/dicom-web//studies"):
        assert capability_for("GET", path, OHIF_ASKS) == "orthanc.admin"
    assert capability_for("POST", "/dicom-web/studies", OHIF_ASKS) == "orthanc.admin"


def test_a_student_may_search_for_a_published_study_alone() -> None:
    access = Access(Published(UID), FakeClock())
    assert access.allows(STUDENT, "GET", "/dicom-web/studies", OHIF_ASKS)
    assert not access.allows(STUDENT, "GET", "/dicom-web/studies", OHIF_ASKS.replace(UID, "1.2.3"))
    assert not access.allows(STUDENT, "GET", "/dicom-web/studies")
    assert not access.allows(CLINICIAN, "GET", "/dicom-web/studies", OHIF_ASKS)


@pytest.mark.parametrize(
    "path", ["/dicom-web/studies", f"{STUDY}/series/1.2/metadata", "/dicom-web/series/", "/dicom-web/instances"]
)
def test_reading_dicomweb_is_told_from_all_else(path: str) -> None:
    assert is_dicomweb_read("GET", path)
    assert is_dicomweb_read("head", path)
    for method in ("POST", "PUT", "DELETE", "PATCH", ""):
        assert not is_dicomweb_read(method, path)


@pytest.mark.parametrize(
    "path", [*CORE, "/wado", "/dicom-web/studies/../servers", "/dicom-web/studies/%2e", "/dicom-web//studies"]
)
def test_nothing_else_is_reading_dicomweb(path: str) -> None:
    assert not is_dicomweb_read("GET", path)
