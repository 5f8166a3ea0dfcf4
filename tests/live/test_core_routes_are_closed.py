"""Every route that Orthanc itself tells of is shut to nobody and to a student, by whatever spelling it is asked for."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fixtures.instance import LiveInstance

METHODS = ("GET", "POST", "PUT", "DELETE")
AN_ID = "0a1b2c3d-0a1b2c3d-0a1b2c3d-0a1b2c3d-0a1b2c3d"

UNDOCUMENTED = (
    "/app/explorer.html",
    "/app/images/unsupported.png",
    "/ui/app/index.html",
    "/webdav/",
    "/wado?requestType=WADO&studyUID=1.2.3",
    "/dicom-web/studies",
    "/dicom-web/studies?PatientName=*",
    "/dicom-web/studies/1.2.3",
    "/dicom-web/studies/1.2.3/metadata",
    "/dicom-web/studies/1.2.3/series/4.5/instances/6.7/frames/1",
    "/dicom-web/series",
    "/dicom-web/instances",
    "/dicom-web/servers",
    "/dicom-web/servers/other/stow",
    "/tools/metrics-prometheus",
)
"""Routes of plugins and pages, which the route list of the core does not hold."""

CONCURRENT = 4


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Orthanc's own list of its routes (`Orthanc --openapi`), placeholders filled in."""
    place = tmp_path_factory.mktemp("openapi") / "orthanc.json"
    subprocess.run(["Orthanc", f"--openapi={place}"], check=True, capture_output=True, timeout=60)
    paths = json.loads(Path(place).read_text())["paths"]
    assert len(paths) > 150, "the list is the whole one"
    return [re.sub(r"\{\w+\}", AN_ID, path) for path in paths]


def spellings(path: str) -> Iterator[str]:
    """Other ways to write that path; whoever decides must see through each."""
    first = path[1]
    yield f"/%{ord(first):02x}{path[2:]}"
    yield f"/{path}"
    yield f"/.{path}"
    yield f"/api/..{path}"
    yield f"/api/%2e%2e{path}"
    yield f"/share%2F..{path}"
    yield f"/api/..%2f{path[1:]}"
    yield f"{path}/"
    yield f"{path}//"
    yield f"{path}/."
    yield f"{path}%2f"
    yield path.replace("/", "//")
    yield path.replace("/", "/./")
    yield path.upper() if path.upper() != path else path


def statuses(port: int, asked: list[tuple[str, str]], headers: dict[str, str]) -> list[int]:
    """The status of each (method, path), sent as written."""

    def some(part: list[tuple[str, str]]) -> list[int]:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        found = []
        for method, path in part:
            for last in (False, True):
                try:
                    line.request(method, path, body=b"" if method in ("POST", "PUT") else None, headers=headers)
                    answer = line.getresponse()
                    answer.read()
                    break
                except (http.client.HTTPException, ConnectionError):  # a kept connection that was just closed
                    line.close()
                    if last:
                        raise
            found.append(answer.status)
        return found

    with ThreadPoolExecutor(CONCURRENT) as pool:
        parts = [asked[n::CONCURRENT] for n in range(CONCURRENT)]
        answered = list(pool.map(some, parts))
    whole = [0] * len(asked)
    for n, part in enumerate(answered):
        whole[n::CONCURRENT] = part
    return whole


def unexpected(
    port: int, asked: list[tuple[str, str]], headers: dict[str, str], expected: set[int]
) -> list[tuple[str, str, int]]:
    found = statuses(port, asked, headers)
    return [(*one, status) for one, status in zip(asked, found, strict=True) if status not in expected]


@pytest.fixture(scope="module")
def everyone(instance: LiveInstance) -> dict[str, dict[str, str]]:
    """Who asks: nobody, nobody with a bad token, a student by token and by Basic."""
    student = instance.student
    bearer = {"Authorization": f"Bearer {student.token()}"}
    return {"nobody": {}, "a bad token": {"Authorization": "Bearer no.such.token"}, "a student": bearer}


def whole_list(routes: list[str]) -> list[tuple[str, str]]:
    asked = [(method, path) for path in [*routes, *UNDOCUMENTED] for method in METHODS]
    return [one for one in asked if one != ("GET", "/")]  # the page, at the gateway


@pytest.mark.parametrize(("who", "expected"), [("nobody", 401), ("a bad token", 401), ("a student", 403)])
def test_at_the_gateway_every_core_route_refuses_in_words(
    instance: LiveInstance, routes: list[str], everyone: dict[str, dict[str, str]], who: str, expected: int
) -> None:
    assert unexpected(instance.port, whole_list(routes), everyone[who], {expected}) == []


@pytest.mark.parametrize("who", ["nobody", "a bad token", "a student"])
def test_on_orthancs_own_port_every_core_route_refuses(
    instance: LiveInstance, routes: list[str], everyone: dict[str, dict[str, str]], who: str
) -> None:
    assert unexpected(instance.orthanc_port, whole_list(routes), everyone[who], {403}) == []


@pytest.mark.parametrize("who", ["nobody", "a student"])
def test_no_spelling_opens_a_route(
    instance: LiveInstance, routes: list[str], everyone: dict[str, dict[str, str]], who: str
) -> None:
    asked = [("GET", other) for path in routes if path != "/" for other in spellings(path)]
    asked += [("DELETE", other) for other in spellings(f"/studies/{AN_ID}")]
    asked += [("POST", other) for path in ("/tools/shutdown", "/tools/reset") for other in spellings(path)]
    # 400: nobody can read it; 404: it names nothing, of ours or of Orthanc's. Never a 200, never a redirect.
    refused = {400, 401, 403, 404, 405}
    assert unexpected(instance.port, asked, everyone[who], refused) == []
    assert unexpected(instance.orthanc_port, asked, everyone[who], refused) == []


def test_those_spellings_do_reach_the_route(instance: LiveInstance) -> None:
    """Or the test above would prove nothing: an admin gets through by most of them."""
    admin = {"Authorization": f"Bearer {instance.admin.token()}"}
    asked = [("GET", other) for other in spellings("/system")]
    for port in (instance.port, instance.orthanc_port):
        assert statuses(port, asked, admin).count(200) >= 8


def test_a_refusal_has_our_shape_and_says_how_to_sign_in(instance: LiveInstance) -> None:
    nobody = instance.anonymous.get("/system")
    assert nobody.json()["error"] == "unauthenticated"
    assert nobody.json()["request_id"] == nobody.headers["X-Request-Id"]
    assert "Basic" in nobody.headers["WWW-Authenticate"]
    assert "Bearer" in nobody.headers["WWW-Authenticate"]
    student = instance.student.get("/system")
    assert student.json()["error"] == "forbidden"
    assert "WWW-Authenticate" not in student.headers


def test_an_admin_gets_through(instance: LiveInstance) -> None:
    admin, direct = instance.admin, instance.orthanc()
    for path in (
        "/system",
        "/statistics",
        "/studies",
        "/tools/metrics-prometheus",
        "/dicom-web/studies",
        "/modalities",
    ):
        assert admin.get(path).status_code == 200, path
        assert direct.get(path).status_code == 200, path
    assert admin.get("/app/explorer.html").status_code == 200
    assert admin.head("/system").status_code == 200
    nobody = {"Level": "Study", "Query": {"PatientID": "of no study here"}}
    assert admin.post("/tools/find", json=nobody).json() == []


def test_what_an_admin_does_there_stands_in_the_trail(instance: LiveInstance) -> None:
    admin = instance.admin
    for path in (f"/instances/{AN_ID}/file", f"/instances/{AN_ID}/tags", f"/wado?studyUID=1.2.3.404&objectUID={AN_ID}"):
        admin.get(path)
    assert admin.delete(f"/studies/{AN_ID}").status_code == 404
    asked = {
        "orthanc.read": ("orthanc", f"/instances/{AN_ID}"),
        "orthanc.change": ("orthanc", f"/studies/{AN_ID}"),
        "pacs.study.view": ("study", "1.2.3.404"),
    }
    for action, (table, entity) in asked.items():
        found = admin.get(f"/api/audit?action={action}&entity={table}:{entity}").json()
        assert found["total"] == 1, action
        (event,) = found["items"]
        assert (event["actor"], event["ip"], event["outcome"]) == ("admin", "127.0.0.1", "ok")


def test_a_wrong_method_is_a_405_that_names_the_right_ones(instance: LiveInstance) -> None:
    for method, path in (("DELETE", "/api/me"), ("GET", "/api/users/somebody"), ("POST", "/api/audit")):
        answer = instance.admin.request(method, path)
        assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed"), path
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
        direct = instance.orthanc().request(method, path)
        assert direct.status_code == 405
        assert answer.headers["Allow"] == direct.headers["Allow"]
        assert method not in direct.headers["Allow"]


def test_odd_names_below_our_own_addresses_are_answered_in_words(instance: LiveInstance) -> None:
    for name in ("a%23b", "100%25", "a;b", "a%3Bb", "a..b", "%C3%A9"):
        for somebody, status in ((instance.anonymous, 401), (instance.student, 403)):
            answer = somebody.get(f"/api/series/{name}")
            assert (answer.status_code, answer.json()["request_id"]) == (status, answer.headers["X-Request-Id"]), name
        assert instance.admin.get(f"/api/series/{name}").json()["error"] == "not_found"
    for path in ("/health/x", "/api/series/%ff", "/system?x=%ff", "/instances/%ff"):
        answer = instance.anonymous.get(path)
        assert answer.status_code == (401 if path == "/health/x" else 400), path
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_the_instance_is_still_alive(instance: LiveInstance) -> None:
    assert instance.anonymous.get("/health").status_code == 200
