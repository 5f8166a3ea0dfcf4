"""The guard: what OHIF's cookie opens, and what the trail tells of those who were let through."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Response
from readingroom.audit import Reading
from readingroom.errors import Unauthenticated
from readingroom.host.guard import Guard
from readingroom.identity import Access
from readingroom.identity.cross_site import Origins
from readingroom.identity.forwarded import Forwarded
from readingroom.identity.sessions import Tokens

from tests.fixtures.identity import PASSWORD, House

SECRET = "what the gateway knows"
PUBLISHED, FOREIGN = "1.2.3", "1.2.4"
STUDY = f"/dicom-web/studies/{PUBLISHED}"
READ = ["/dicom-web/studies", "/dicom-web/series", STUDY, f"{STUDY}/metadata", f"{STUDY}/series/5/instances/6/frames/1"]
ELSEWHERE = [
    "/",
    "/system",
    "/instances",
    "/instances/0a1b2c3d-0a1b2c3d-0a1b2c3d-0a1b2c3d-0a1b2c3d/file",
    "/studies",
    "/tools/find",
    "/tools/shutdown",
    "/app/explorer.html",
    "/wado",
    "/dicom-web",
    "/dicom-web/servers",
    "/dicom-web/servers/x/stow",
    "/dicom-web/info",
    "/dicom-web/studies/../servers",
    "/dicom-web//studies",
]
GET, POST, PUT, DELETE = 1, 2, 3, 4


class Guarded:
    """A guard before a real database, and the cookies of people who have signed in on the page."""

    def __init__(self, house: House) -> None:
        self.house = house
        parts = house.parts
        access = Access(lambda uid: uid == PUBLISHED, house.clock)
        self.guard = Guard(
            parts.authenticator, parts.dicomweb_cookies, access, Forwarded(SECRET), Origins(()), house.trail
        )
        self.sessions: dict[str, Tokens] = {}

    def cookie(self, name: str) -> str:
        """A fresh cookie of somebody's."""
        parts = self.house.parts
        if name not in self.sessions:
            who = parts.sign_in.check(name, PASSWORD, "form", self.house.by)
            self.sessions[name] = parts.sessions.open(who, True, self.house.by)
        refresh = self.sessions[name].refresh
        assert refresh is not None
        response = Response()
        parts.dicomweb_cookies.give(response, parts.sessions.in_browser(refresh), secure=True)
        return response.headers["Set-Cookie"]

    def asks(self, path: str, method: int = GET, cookie: str = "", query: str = "", **headers: str) -> bool:
        """Whether a request through the gateway is let through."""
        shown: dict[str, Any] = {"x-readingroom-gateway": SECRET, "x-readingroom-query": query, **headers}
        if cookie:
            shown["Cookie"] = "theme=dark; " + cookie.split(";", maxsplit=1)[0]
        return self.guard.allows(path, method=method, headers=shown, ip="192.0.2.7", get={})


@pytest.fixture
def guarded(small_house: House) -> Guarded:
    house = small_house
    for name, role in (("ada", "admin"), ("stan", "staff"), ("stu", "student"), ("clara", "clinician")):
        house.account(name, role, clinic="12" if role == "clinician" else None)
    return Guarded(house)


def test_staff_read_everything_by_it(guarded: Guarded) -> None:
    for path in [*READ, f"/dicom-web/studies/{FOREIGN}/metadata"]:
        assert guarded.asks(path, cookie=guarded.cookie("stan")), path
        assert not guarded.asks(path), path


def test_a_student_reads_published_studies_by_it_and_finds_them_by_their_uid(guarded: Guarded) -> None:
    cookie = guarded.cookie("stu")
    assert guarded.asks(f"{STUDY}/metadata", cookie=cookie)
    assert guarded.asks("/dicom-web/studies", cookie=cookie, query=f"limit=101&StudyInstanceUID={PUBLISHED}")
    for path, query in (
        (f"/dicom-web/studies/{FOREIGN}/metadata", ""),
        ("/dicom-web/studies", ""),
        ("/dicom-web/studies", "PatientID=1"),
        ("/dicom-web/studies", f"StudyInstanceUID={FOREIGN}"),
        ("/dicom-web/studies", f"StudyInstanceUID={PUBLISHED}&StudyInstanceUID={FOREIGN}"),
        ("/dicom-web/series", f"StudyInstanceUID={PUBLISHED}"),
    ):
        assert not guarded.asks(path, cookie=cookie, query=query), (path, query)


def test_what_is_said_of_a_query_past_the_gateway_is_not_believed(guarded: Guarded) -> None:
    shown = {"cookie": guarded.cookie("stu").split(";")[0], "x-readingroom-query": f"StudyInstanceUID={PUBLISHED}"}
    for more in ({}, {"x-readingroom-gateway": "a guess"}):
        assert not guarded.guard.allows("/dicom-web/studies", method=GET, headers={**shown, **more}, ip="", get={})


@pytest.mark.parametrize("name", ["ada", "stan", "stu"])
def test_it_changes_nothing_and_opens_nothing_else(guarded: Guarded, name: str) -> None:
    cookie = guarded.cookie(name)
    for method in (POST, PUT, DELETE, 9):
        for path in [*READ, *ELSEWHERE]:
            assert not guarded.asks(path, method, cookie), (method, path)
    for path in ELSEWHERE:
        assert not guarded.asks(path, cookie=cookie), path


def test_who_may_see_no_images_is_not_let_in_by_one(guarded: Guarded) -> None:
    assert not any(guarded.asks(path, cookie=guarded.cookie("clara")) for path in READ)


def test_it_ends_by_itself_with_the_session_and_with_the_account(guarded: Guarded) -> None:
    house = guarded.house
    cookie = guarded.cookie("stan")
    assert guarded.asks(STUDY, cookie=cookie)
    house.clock.advance(timedelta(minutes=11))
    assert not guarded.asks(STUDY, cookie=cookie)

    cookie = guarded.cookie("stan")
    access = f"Bearer {guarded.sessions['stan'].access}"
    session = house.parts.authenticator.session_of(access)
    assert session is not None
    assert guarded.asks(STUDY, cookie=cookie)
    house.parts.sessions.close(session, house.parts.authenticator.identify(access), house.by)
    assert not guarded.asks(STUDY, cookie=cookie)

    cookie = guarded.cookie("stu")
    assert guarded.asks(STUDY, cookie=cookie)
    house.parts.accounts.disable("stu", house.by)
    assert not guarded.asks(STUDY, cookie=cookie)


def test_a_page_of_another_site_has_no_use_for_it(guarded: Guarded) -> None:
    cookie = guarded.cookie("stan")
    assert "SameSite=Strict" in cookie and "HttpOnly" in cookie and "Secure" in cookie and "Path=/dicom-web" in cookie
    for site in ("cross-site", "same-site"):
        assert not guarded.asks(STUDY, cookie=cookie, **{"sec-fetch-site": site})
    for site in ("same-origin", "none"):
        assert guarded.asks(STUDY, cookie=cookie, **{"sec-fetch-site": site})


def test_a_word_of_authorization_counts_before_it(guarded: Guarded) -> None:
    """A stale token is a 401, whoever sits before the browser; a script's credentials are its own."""
    assert not guarded.asks(STUDY, cookie=guarded.cookie("stan"), authorization="Bearer nonsense")


def test_a_token_for_something_else_is_none(guarded: Guarded) -> None:
    tokens = guarded.cookie("stan") and guarded.sessions["stan"]
    for other in (tokens.access, tokens.refresh, "nonsense", ""):
        assert not guarded.asks(STUDY, cookie=f"readingroom_dicomweb={other}")


def test_the_trail_tells_once_who_looked_at_which_study(guarded: Guarded) -> None:
    cookie = guarded.cookie("stan")
    for _ in range(3):
        for path in READ:
            guarded.asks(path, cookie=cookie)
        guarded.asks(f"/dicom-web/studies/{FOREIGN}", cookie=guarded.cookie("stu"))
    found = [(row.action, row.actor, row.entity_id) for row in Reading(guarded.house.database).all()]
    assert sorted(each for each in found if each[0].startswith("pacs.")) == [
        ("pacs.search", "stan", ""),
        ("pacs.study.view", "stan", PUBLISHED),
    ]


def told(guarded: Guarded) -> list[tuple[str, str, str, str]]:
    rows = Reading(guarded.house.database).all()
    return [(r.action, r.actor, r.entity_id, r.payload) for r in rows if r.action.startswith(("orthanc.", "pacs."))]


def bearer(guarded: Guarded, name: str) -> str:
    guarded.cookie(name)
    return f"Bearer {guarded.sessions[name].access}"


def test_the_trail_tells_of_each_change_of_orthancs_own(guarded: Guarded) -> None:
    ada = bearer(guarded, "ada")
    for method, path in ((DELETE, "/studies/a"), (POST, "/instances"), (POST, "/instances"), (PUT, "/modalities/ct")):
        assert guarded.asks(path, method, authorization=ada)
    assert guarded.asks("/dicom-web/studies", POST, authorization=ada)
    assert not guarded.asks("/studies/b", DELETE, authorization=bearer(guarded, "stan"))
    assert told(guarded) == [
        ("orthanc.change", "ada", "/studies/a", '{"method":"DELETE"}'),
        ("orthanc.change", "ada", "/instances", '{"method":"POST"}'),
        ("orthanc.change", "ada", "/instances", '{"method":"POST"}'),
        ("orthanc.change", "ada", "/modalities/ct", '{"method":"PUT"}'),
        ("orthanc.change", "ada", "/dicom-web/studies", '{"method":"POST"}'),
    ]


def test_the_trail_tells_once_which_of_orthancs_resources_were_read(guarded: Guarded) -> None:
    ada = bearer(guarded, "ada")
    parts = ("", "/", "/file", "/tags", "/frames/3/preview")
    for path in [*(f"/instances/a{part}" for part in parts), "/patients", "/instances/b/file", "/tools/" + "x" * 5000]:
        assert guarded.asks(path, authorization=ada), path
    for path in ("/", "/app/explorer.html", "/system", "/statistics", "/plugins/explorer.js",
                 "/tools/metrics-prometheus"):  # fmt: skip
        assert guarded.asks(path, authorization=ada), path
    entities = ["/instances/a", "/patients", "/instances/b", ("/tools/" + "x" * 5000)[:200]]
    assert told(guarded) == [("orthanc.read", "ada", entity, "{}") for entity in entities]


def test_the_trail_tells_which_study_wado_was_asked_for(guarded: Guarded) -> None:
    shown: dict[str, Any] = {"x-readingroom-gateway": SECRET, "authorization": bearer(guarded, "stan")}
    for arguments in ({"studyUID": PUBLISHED, "objectUID": "6"}, {"objectUID": "7"}, {"studyUID": "no uid"}):
        assert guarded.guard.allows("/wado", method=GET, headers=shown, ip="192.0.2.7", get=arguments)
    assert [each[:3] for each in told(guarded)] == [
        ("pacs.study.view", "stan", PUBLISHED),
        ("orthanc.read", "stan", "/wado/7"),
        ("orthanc.read", "stan", "/wado/"),
    ]


def test_our_own_workers_write_what_they_do_themselves(guarded: Guarded) -> None:
    worker = f"Bearer {guarded.house.parts.signer.service_token('import')}"
    assert guarded.asks("/instances", POST, authorization=worker)
    assert told(guarded) == []


def test_a_session_of_a_script_gives_none(guarded: Guarded) -> None:
    parts = guarded.house.parts
    tokens = parts.sessions.open(
        parts.sign_in.check("stan", PASSWORD, "form", guarded.house.by), False, guarded.house.by
    )
    with pytest.raises(Unauthenticated, match="session has ended"):
        parts.sessions.in_browser(str(tokens.refresh))
