"""The gateway by itself: a real nginx with our configuration, before a server that tells what reached it."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import threading
import time
import uuid
from pathlib import Path

import pytest
import requests

from tests.fixtures.gateway import PATIENCE, SECRET, Gateway, NewGateway
from tests.fixtures.stand_in import STUDENT, StandIn, archive

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KNOWN = {"Authorization": "Bearer somebody"}


@pytest.fixture
def gateway(new_gateway: NewGateway) -> Gateway:
    return new_gateway()


def echo(answer: requests.Response) -> dict[str, object]:
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


def header(told: dict[str, object], name: str) -> str | None:
    headers = told["headers"]
    assert isinstance(headers, dict)
    return headers.get(name)


# The page


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/cases", "/cases/42", "/admin/cases", "/docs", "/shares/new", "/shared/none"]
)
def test_the_pages_own_addresses_give_the_page_and_are_asked_for_again_each_time(gateway: Gateway, path: str) -> None:
    answer = requests.get(gateway.url + path)
    assert answer.status_code == 200
    assert "<title>Reading Room</title>" in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_file_with_a_hash_in_its_name_is_kept_for_ever(gateway: Gateway) -> None:
    answer = requests.get(f"{gateway.url}/assets/page-1a2b3c4d.js")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"].startswith("application/javascript")


def test_a_missing_file_is_a_404_in_our_shape_and_is_not_kept(gateway: Gateway) -> None:
    answer = requests.get(f"{gateway.url}/assets/gone-00000000.js")
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert "immutable" not in answer.headers["Cache-Control"]


def test_other_files_of_the_page_are_found_before_orthanc_is_asked(gateway: Gateway) -> None:
    assert requests.get(f"{gateway.url}/favicon.svg").text == "<svg/>"


def test_every_answer_carries_the_security_headers(gateway: Gateway) -> None:
    for path in ("/", "/api/echo", "/api/missing", "/assets/gone.js", "/closed"):
        headers = requests.get(gateway.url + path).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy.split("script-src")[1].split(";")[0], path
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "Strict-Transport-Security" not in headers
        assert headers["Server"] == "nginx"


def test_webassembly_is_for_the_decoders_file_alone(gateway: Gateway) -> None:
    def scripts(path: str) -> str:
        policy = requests.get(gateway.url + path).headers["Content-Security-Policy"]
        return policy.split("script-src")[1].split(";")[0].strip()

    assert scripts("/assets/decodeImageFrameWorker-1a2b3c4d.js") == "'self' 'wasm-unsafe-eval'"
    for path in ("/", "/viewer/1.2.3", "/assets/page-1a2b3c4d.js"):
        assert scripts(path) == "'self'", path


# What reaches Orthanc


def test_head_is_asked_as_get_and_answered_without_a_body(gateway: Gateway, orthancs_place: StandIn) -> None:
    answer = requests.head(f"{gateway.url}/api/echo")
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["Content-Length"]) > 0
    assert requests.head(f"{gateway.url}/api/archive").headers["Content-Length"] == str(orthancs_place.size)


def test_headers_that_only_the_gateway_may_say_are_replaced(gateway: Gateway) -> None:
    lies = {
        "X-Readingroom-Gateway": "guessed",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "X-HTTP-Method-Override": "DELETE",
        "X-Readingroom-Query": "caseId=2",
    }
    told = echo(requests.post(f"{gateway.url}/api/echo?caseId=1", headers=lies))
    assert told["method"] == "POST"
    assert header(told, "x-readingroom-gateway") == SECRET
    assert header(told, "x-forwarded-for") == "127.0.0.1"
    assert header(told, "x-forwarded-proto") == "http"
    assert header(told, "x-forwarded-host") == f"127.0.0.1:{gateway.port}"
    assert header(told, "x-readingroom-query") == "caseId=1"
    for name in ("x-real-ip", "forwarded", "x-http-method-override"):
        assert header(told, name) is None, name


def test_an_outer_proxy_is_believed_only_where_it_is_configured(new_gateway: NewGateway) -> None:
    behind = new_gateway(trusted_proxies=["127.0.0.0/8"])
    said = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    told = echo(requests.get(f"{behind.url}/api/echo", headers=said))
    assert header(told, "x-forwarded-for") == "203.0.113.9"
    assert header(told, "x-forwarded-proto") == "https"
    assert behind.log_lines()[-1]["ip"] == "203.0.113.9"


def test_a_host_that_is_none_goes_no_further(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
        raw.sendall(b'GET /api/echo HTTP/1.1\r\nHost: a"b<c\r\nConnection: close\r\n\r\n')
        answer = raw.makefile("rb").read()
    assert b'a\\"b<c' not in answer.split(b"\r\n\r\n", 1)[1]


def test_the_path_goes_on_as_it_was_written(gateway: Gateway) -> None:
    for path in ("/api/echo/%C3%A9%20b?q=a%26b&q=c", "/api/echo//x/./y%2Fz"):
        with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = raw.makefile("rb").read()
        assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["target"] == path


def test_an_upload_posted_as_a_form_arrives_as_put(gateway: Gateway) -> None:
    body = {"file": ("a.png", b"x" * 2_000_000)}
    told = echo(requests.post(f"{gateway.url}/imaging/assets/upload", files=body, headers=KNOWN))
    assert told["method"] == "PUT"
    assert int(str(told["bytes"])) > 2_000_000
    assert str(header(told, "content-type")).startswith("multipart/form-data; boundary=")


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND"])
def test_methods_that_nobody_here_knows_end_at_the_gateway(gateway: Gateway, method: str) -> None:
    answer = requests.request(method, f"{gateway.url}/api/echo")
    assert answer.status_code == 405
    if method != "TRACE":  # nginx refuses TRACE before it reads any configuration of ours
        assert answer.json()["error"] == "method_not_allowed"


def test_a_method_that_an_address_does_not_know_is_told_with_those_that_it_does(gateway: Gateway) -> None:
    answer = requests.delete(f"{gateway.url}/api/no-such-method")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PUT")
    told = answer.json()
    assert (told["error"], told["message"]) == ("method_not_allowed", "This address does not know that method.")
    assert requests.patch(f"{gateway.url}/api/echo").headers["Allow"] == "GET, HEAD, POST, PUT, DELETE, OPTIONS"
    assert "Allow" not in requests.get(f"{gateway.url}/api/echo").headers


UNREADABLE = [
    "/x%ff",
    "/x%C3",
    "/x%c3%28",
    "/x%ed%a0%80",
    "/x%f5%80%80%80",
    "/x%c0%af",
    "/x%e2%82",
    "/x%0d%0aX-Evil:%201",
    "/x%7f",
]
QUERIES = ["q=%ff", "q=%C3", "q=%c3%28&x=1", "a=1&q=%ED%A0%80", "q=%f4%90%80%80", "q=%c0%af"]


def test_what_is_not_utf_8_is_a_400_in_our_shape(gateway: Gateway) -> None:
    for path in (*UNREADABLE, *(f"?{query}" for query in QUERIES)):
        for where in ("/api/echo", "/instances", "/share/token", "/cases"):
            raw = _raw(gateway, f"GET {where}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))
            assert raw.split(b" ", 2)[1] == b"400", (where, path)
            assert json.loads(raw.partition(b"\r\n\r\n")[2])["error"] == "bad_request"


def test_all_of_utf_8_goes_through_and_so_does_a_long_query(gateway: Gateway) -> None:
    said = "/%C3%A9%E2%82%AC%F0%9F%A9%BB%E0%A4%95?q=%C3%A9%e2%82%ac%F0%9F%A9%BB+%&w=%4" + "&long=" + "%C3%A9x" * 1900
    for asked in (said, "/é?q=é"):
        raw = _raw(gateway, f"GET /api/echo{asked} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = raw.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        query = str(header(json.loads(body), "x-readingroom-query"))  # http.server takes headers for Latin-1
        assert query.encode("latin-1").decode() == asked.partition("?")[2]


def test_nginxs_own_refusals_of_odd_requests_have_our_shape(gateway: Gateway) -> None:
    odd = {
        b"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n": (
            501,
            "not_implemented",
        ),
        b"GET / HTTP/3.0\r\nHost: x\r\n\r\n": (505, "http_version_not_supported"),
        b'GET /favicon.svg HTTP/1.1\r\nHost: x\r\nIf-Match: "y"\r\nConnection: close\r\n\r\n': (
            412,
            "precondition_failed",
        ),
    }
    for request, (status, error) in odd.items():
        raw = _raw(gateway, request)
        assert (int(raw.split(b" ", 2)[1]), json.loads(raw.partition(b"\r\n\r\n")[2])["error"]) == (status, error)


# Refusals and errors


def test_a_bare_refusal_becomes_words(gateway: Gateway) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = requests.request(method, f"{gateway.url}/closed/x?ticket=1", data=b"body")
        assert answer.status_code == 401
        told = answer.json()
        assert (told["method"], told["target"], told["bytes"]) == ("GET", "/api/refusal", 0)
        assert header(told, "x-readingroom-gateway") == SECRET


def test_a_refused_upload_becomes_words_too(gateway: Gateway) -> None:
    for method in ("GET", "POST", "PUT"):
        answer = requests.request(method, f"{gateway.url}/instances/closed", data=b"body", headers=KNOWN)
        assert answer.status_code == 401
        assert answer.json()["target"] == "/api/refusal"


def test_errors_of_our_own_routes_pass_untouched(gateway: Gateway) -> None:
    answer = requests.get(f"{gateway.url}/api/missing")
    assert answer.json()["message"] == "ours"
    assert answer.headers["X-Request-Id"] != "another"


def test_a_request_id_is_kept_when_it_is_one_and_made_when_it_is_not(gateway: Gateway) -> None:
    mine = str(uuid.uuid4())
    kept = requests.get(f"{gateway.url}/api/echo", headers={"X-Request-Id": mine})
    assert kept.headers["X-Request-Id"] == mine
    assert header(echo(kept), "x-request-id") == mine
    for other in ("not-one", mine + "0", 'a"b', ""):
        made = requests.get(f"{gateway.url}/api/echo", headers={"X-Request-Id": other})
        assert UUID.fullmatch(made.headers["X-Request-Id"])
        assert header(echo(made), "x-request-id") == made.headers["X-Request-Id"]


def test_when_orthanc_is_away_the_answer_says_so_and_when_to_come_again(new_gateway: NewGateway) -> None:
    alone = new_gateway(orthanc_port=1)
    for path in ("/api/echo", "/system", "/instances"):
        answer = requests.get(alone.url + path)
        assert answer.status_code == 502
        assert answer.json()["error"] == "pacs_unreachable"
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
        assert answer.headers["Retry-After"]
        assert len(answer.headers["Content-Type"].split(",")) == 1


# Limits


def test_a_large_body_is_for_uploads_only(new_gateway: NewGateway) -> None:
    gateway = new_gateway(max_body_kb=64, max_upload_mb=1)
    refused = requests.post(f"{gateway.url}/api/echo", data=b"x" * 100_000)
    assert refused.status_code == 413
    assert refused.json()["error"] == "payload_too_large"
    for path in ("/instances", "/dicom-web/studies", "/dicom-web/studies/1.2.3"):
        assert requests.post(gateway.url + path, data=b"x" * 100_000, headers=KNOWN).status_code == 200, path
        assert requests.post(gateway.url + path, data=b"x" * 1_100_000, headers=KNOWN).status_code == 413, path


def test_an_asset_may_be_as_large_as_assets_may_and_the_limit_is_named(new_gateway: NewGateway) -> None:
    gateway = new_gateway(max_body_kb=64, imaging_max_upload_mb=3)
    for path in ("/imaging/assets/upload", "/imaging/assets/upload/"):
        assert requests.post(gateway.url + path, data=b"x" * (3 << 20), headers=KNOWN).status_code == 200
        refused = requests.post(gateway.url + path, data=b"x" * (5 << 20), headers=KNOWN)
        assert (refused.status_code, refused.json()["message"]) == (413, "A file may have at most 3 MB here.")


def test_an_asset_s_form_goes_over_as_a_file_and_nobody_else_can_name_one(new_gateway: NewGateway) -> None:
    gateway = new_gateway(bodies_by_file=True)
    forged = {**KNOWN, "X-Readingroom-Body": "/etc/passwd"}
    for size in (10, 3_000_000):
        for path in ("/imaging/assets/upload", "/imaging/assets/upload/"):
            told = echo(requests.post(gateway.url + path, files={"file": b"x" * size}, headers=forged))
            place = Path(header(told, "x-readingroom-body") or "")
            assert (told["method"], told["bytes"]) == ("PUT", 0)
            assert place.parent == gateway.data / "run" / "gateway-temp" / "body"
            assert size < int(str(told["handed"])) < size + 500
            assert (header(told, "content-type") or "").startswith("multipart/form-data; boundary=")
            assert header(told, "authorization") == KNOWN["Authorization"]
            soon = time.monotonic() + PATIENCE
            while place.exists() and time.monotonic() < soon:  # it goes when the answer has left
                time.sleep(0.02)
            assert not place.exists()
    for path in ("/api/echo", "/imaging/studies", "/imaging/uploads/1/chunks", "/instances", "/imaging/assets/1"):
        told = echo(requests.post(gateway.url + path, data=b"x" * 300_000, headers=forged))
        assert (header(told, "x-readingroom-body"), told["bytes"]) == (None, 300_000), path
    plain = new_gateway()
    told = echo(requests.post(f"{plain.url}/imaging/assets/upload", data=b"x" * 300_000, headers=forged))
    assert (header(told, "x-readingroom-body"), told["bytes"]) == (None, 300_000)


def test_an_asset_is_asked_for_whole_and_cut_by_the_gateway(gateway: Gateway) -> None:
    url = f"{gateway.url}/imaging/assets/12?variant=original"
    part = requests.get(url, headers={**KNOWN, "Range": "bytes=2-7"})
    assert (part.status_code, part.text, len(part.headers["Content-Type"].split(","))) == (206, "method", 1)
    told = echo(requests.get(url, headers=KNOWN))
    assert (header(told, "range"), header(told, "if-range"), told["method"]) == (None, None, "GET")
    assert requests.get(url, headers={**KNOWN, "Range": "bytes=999999-"}).status_code == 416
    assert requests.head(url, headers=KNOWN).status_code == 200


def test_a_part_of_an_upload_may_be_of_the_size_that_clients_are_told(new_gateway: NewGateway) -> None:
    gateway = new_gateway(max_body_kb=64, max_upload_mb=1)
    path = f"{gateway.url}/imaging/uploads/0000-11/chunks?offset=8388608"
    told = echo(requests.put(path, data=b"x" * (8 << 20), headers=KNOWN))
    assert (told["method"], told["target"]) == ("PUT", "/imaging/uploads/0000-11/chunks?offset=8388608")
    assert (told["bytes"], header(told, "x-readingroom-query")) == (8 << 20, "offset=8388608")
    assert requests.put(path, data=b"x" * ((16 << 20) + 1), headers=KNOWN).status_code == 413
    assert requests.put(path.replace("chunks", "other"), data=b"x" * 100_000, headers=KNOWN).status_code == 413


def test_nobody_without_an_identity_sends_us_a_large_body(gateway: Gateway, orthancs_place: StandIn) -> None:
    for path in ("/instances", "/dicom-web/studies", "/imaging/assets/upload", "/imaging/uploads/0000-11/chunks"):
        size = 8 << 20 if path.startswith("/imaging/") else 1_000_000_000
        with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
            raw.settimeout(PATIENCE)
            raw.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
            # Answered although not one byte of the body was sent.
            answer = raw.recv(4096)
            assert answer.startswith(b"HTTP/1.1 401 ")
            assert b'WWW-Authenticate: Basic realm="Reading Room"' in answer
            assert b'{"error":"unauthenticated"' in answer


@pytest.mark.parametrize("path", ["/imaging/assets/upload", "/imaging/uploads/0000-11/chunks"])
def test_who_may_not_file_pictures_is_refused_before_the_body_is_taken_in(gateway: Gateway, path: str) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
        raw.settimeout(PATIENCE)
        asked = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {STUDENT}\r\nContent-Length: 8000000\r\n\r\n"
        raw.sendall(asked.encode())
        answer = raw.recv(4096)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b'{"error":"forbidden"' in answer


def test_signing_in_is_counted_per_address_and_refreshing_is_not(new_gateway: NewGateway) -> None:
    gateway = new_gateway(sign_in_per_minute=5)
    statuses = [requests.post(f"{gateway.url}/api/token/", json={}).status_code for _ in range(9)]
    assert statuses.count(200) == 6  # five at once and the one that the rate allows
    refused = requests.post(f"{gateway.url}/api/token", json={})
    assert refused.status_code == 429
    assert refused.json()["error"] == "too_many_requests"
    assert int(refused.headers["Retry-After"]) > 0
    assert requests.post(f"{gateway.url}/api/token/refresh/", json={}).status_code == 200
    for way_round in ("/api//token/", "/api/./token/", "/%61pi/token/", "/api/x/../token/"):
        assert _raw_status(gateway, "POST", way_round) == 429, way_round


def test_passcodes_of_links_are_counted_and_making_links_is_not(new_gateway: NewGateway) -> None:
    gateway = new_gateway(unlock_per_minute=3)
    tries = [requests.post(f"{gateway.url}/share/token-{n}").status_code for n in range(6)]
    assert tries.count(429) == 2
    shown = {"X-Share-Passcode": "guessed"}
    assert requests.get(f"{gateway.url}/share/token-1/zip", headers=shown).status_code == 429
    assert requests.post(f"{gateway.url}/share/create").status_code == 200
    for path in ("/share/create", "/share/create/", "/share/%63reate"):  # no link, and so no way round the limit
        assert header(echo(requests.get(gateway.url + path, headers=shown)), "x-share-passcode") is None, path
    assert requests.get(f"{gateway.url}/share/token-1").status_code == 200


# Links


def test_what_opens_a_link_goes_on_in_a_header_and_not_in_the_path(gateway: Gateway) -> None:
    for path, target in (("", ""), ("/zip", "/zip"), ("/files/3", "/files/3"), ("/unlock", "/unlock")):
        told = echo(requests.get(f"{gateway.url}/share/to-ken_1{path}", headers={"X-Readingroom-Share": "a lie"}))
        assert (told["target"], header(told, "x-readingroom-share")) == (f"/share/-{target}", "to-ken_1")
        assert header(told, "x-readingroom-gateway") == SECRET
    assert echo(requests.post(f"{gateway.url}/share/create?x=1"))["target"] == "/share/create?x=1"
    for odd in ("a%20b", "caf%C3%A9"):
        told = echo(requests.get(f"{gateway.url}/share/{odd}"))
        assert (told["target"], header(told, "x-readingroom-share")) == ("/share/-", None)
    assert requests.get(f"{gateway.url}/share/a%0d%0aX-Evil:%201").status_code == 400


def test_a_link_is_asked_with_the_method_that_the_client_used(gateway: Gateway, orthancs_place: StandIn) -> None:
    assert header(echo(requests.get(f"{gateway.url}/share/x/zip")), "x-readingroom-method") == "GET"
    lie = {"X-Readingroom-Method": "HEAD"}
    assert header(echo(requests.get(f"{gateway.url}/share/x/zip", headers=lie)), "x-readingroom-method") == "GET"


def test_nothing_about_links_is_for_search_engines(gateway: Gateway) -> None:
    assert requests.get(f"{gateway.url}/robots.txt").text == "User-agent: *\nDisallow: /share/\nDisallow: /shared/\n"
    for path in ("/share/x", "/share/x/zip", "/shared/1", "/shared/none"):
        assert requests.get(gateway.url + path).headers["X-Robots-Tag"] == "noindex, nofollow", path
    assert "X-Robots-Tag" not in requests.get(f"{gateway.url}/cases").headers


def test_a_link_has_so_many_streams_and_all_links_together_too(
    new_gateway: NewGateway, orthancs_place: StandIn
) -> None:
    gateway = new_gateway(share_streams_per_link=2, share_streams=3)
    orthancs_place.size, orthancs_place.shares = 1_000_000_000, True
    held = [_begun(gateway, "/share/held/zip"), _begun(gateway, "/share/held/files/1")]
    refused = requests.get(f"{gateway.url}/share/held/zip")
    assert (refused.status_code, refused.json()["error"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert requests.get(f"{gateway.url}/share/held").status_code == 429
    assert requests.get(f"{gateway.url}/share/held/info").status_code == 200
    assert requests.get(f"{gateway.url}/share/held/files").status_code == 200
    for method, status in (("POST", None), ("GET", b"400"), ("HEAD", b"400")):  # a slow body takes no stream's place
        slow = socket.create_connection(("127.0.0.1", gateway.port))
        slow.sendall(f"{method} /share/third/zip HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1".encode())
        slow.settimeout(PATIENCE)
        if status:
            assert slow.recv(64).split()[1] == status, method
        held.append(slow)
    held.append(_begun(gateway, "/share/third"))
    assert requests.get(f"{gateway.url}/share/fourth/zip").status_code == 429
    for each in held:
        each.close()
    end = time.monotonic() + PATIENCE
    while (status := requests.head(f"{gateway.url}/share/fourth/info").status_code) == 429 or (
        status := requests.head(f"{gateway.url}/share/fourth/zip").status_code
    ) == 429:
        assert time.monotonic() < end, "a place was not given back"
        time.sleep(0.1)
    assert status == 200


def _raw(gateway: Gateway, request: bytes) -> bytes:
    """What these very bytes are answered."""
    with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
        raw.settimeout(PATIENCE)
        raw.sendall(request)
        return raw.makefile("rb").read()


def _begun(gateway: Gateway, path: str) -> requests.Response:
    """A download that nobody reads on."""
    answer = requests.get(gateway.url + path, headers={"Accept-Encoding": "identity"}, stream=True)
    assert answer.status_code == 200, answer.text
    return answer


# Other pages


def test_other_pages_are_allowed_nothing_unless_configured(gateway: Gateway) -> None:
    ask = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    for answer in (
        requests.options(f"{gateway.url}/api/echo", headers=ask),
        requests.get(f"{gateway.url}/api/echo", headers=ask),
    ):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_configured_origin_may_call_and_no_other(new_gateway: NewGateway) -> None:
    gateway = new_gateway(cors_origins=["https://viewer.example"])
    ask = {"Origin": "https://viewer.example", "Access-Control-Request-Method": "PUT"}
    preflight = requests.options(f"{gateway.url}/api/echo", headers=ask)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://viewer.example"
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    answer = requests.get(f"{gateway.url}/api/missing", headers=ask)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://viewer.example"
    assert "Content-Disposition" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]
    for other in ("https://viewer.example.evil.org", "http://viewer.example", "null"):
        refused = requests.get(f"{gateway.url}/api/echo", headers={"Origin": other})
        assert "Access-Control-Allow-Origin" not in refused.headers


# The log


def test_the_logs_hold_no_token_no_ticket_and_no_query(new_gateway: NewGateway, orthancs_place: StandIn) -> None:
    gateway = new_gateway(sign_in_per_minute=1)
    requests.get(
        f"{gateway.url}/api/bestof/dicoms/download?ticket=SECRET-1",
        headers={
            "Authorization": "Bearer SECRET-2",
            "Referer": "https://x.example/?t=SECRET-3",
            "Cookie": "c=SECRET-4",
        },
    )
    for path in (
        "/share/SECRET-5",
        "/share/SECRET-5/zip",
        "/share//SECRET-5/files/1",
        "/%73hare/SECRET-5",
        "/_zip/SECRET-6",
    ):
        requests.get(gateway.url + path)
    for path in ("/api/zip/SECRET-7", "/x/eyJSECRET-8.a.b/y"):
        requests.get(gateway.url + path)
    requests.get(f"{gateway.url}/api/archive").close()
    for _ in range(4):  # the limit's own refusal is logged too
        requests.post(f"{gateway.url}/api/token/?password=SECRET-9", json={"password": "SECRET-10"})
    orthancs_place.shutdown()
    orthancs_place.server_close()  # and what nginx says when Orthanc goes away
    requests.get(f"{gateway.url}/api/echo?ticket=SECRET-11")
    lines = gateway.log_lines(at_least=14)
    logs = {log.name: log.read_text() for log in (gateway.data / "logs").iterdir()}
    assert not [name for name, text in logs.items() if "SECRET" in text or "plan.token" in text], logs
    assert {line["path"] for line in lines} >= {"/share/***", "/share/***/zip", "/_zip/***", "/api/archive"}
    assert all(UUID.fullmatch(str(line["request_id"])) for line in lines)


def test_the_log_tells_method_and_path_as_they_came(gateway: Gateway) -> None:
    requests.delete(f"{gateway.url}/closed/a")
    line = gateway.log_lines()[-1]
    assert (line["method"], line["path"], line["status"]) == ("DELETE", "/closed/a", 401)


# Transport


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key, "-out", chain),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return chain, key


def test_with_a_certificate_the_gateway_speaks_tls_and_http_2(
    new_gateway: NewGateway, certificate: tuple[Path, Path]
) -> None:
    chain, key = certificate
    gateway = new_gateway(tls_certificate=str(chain), tls_key=str(key))
    context = ssl.create_default_context(cafile=str(chain))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", gateway.port)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
    answer = requests.get(f"{gateway.url}/api/echo", verify=str(chain))
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert header(echo(answer), "x-forwarded-proto") == "https"


def test_plain_http_is_sent_on_to_tls(new_gateway: NewGateway, certificate: tuple[Path, Path]) -> None:
    from tests.fixtures.processes import free_port

    chain, key = certificate
    plain = free_port()
    gateway = new_gateway(tls_certificate=str(chain), tls_key=str(key), redirect_port=plain)
    sent = requests.get(f"http://127.0.0.1:{plain}/cases/1?q=2", allow_redirects=False)
    assert sent.status_code == 308
    assert sent.headers["Location"] == f"https://127.0.0.1:{gateway.port}/cases/1?q=2"
    wrong_door = requests.get(f"http://127.0.0.1:{gateway.port}/cases/1", allow_redirects=False)
    assert wrong_door.status_code == 308
    assert wrong_door.headers["Location"] == f"https://127.0.0.1:{gateway.port}/cases/1"


# Downloads


def test_a_download_comes_whole_with_one_type_and_its_exact_length(gateway: Gateway, orthancs_place: StandIn) -> None:
    for method in ("GET", "POST"):
        answer = requests.request(method, f"{gateway.url}/api/archive", data=b"{}" if method == "POST" else None)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/zip"
        assert answer.headers["Content-Length"] == str(orthancs_place.size)
        assert answer.headers["Content-Disposition"] == 'attachment; filename="Cas_0001_CT.zip"'
        assert answer.headers["ETag"] == '"plan-1"'
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.content == archive(0, orthancs_place.size)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (4_194_303, 4_194_304), (33_554_400, 33_554_500), (1, 39_999_999)])
def test_any_range_of_a_download_is_those_bytes(
    gateway: Gateway, orthancs_place: StandIn, start: int, end: int
) -> None:
    answer = requests.get(f"{gateway.url}/api/archive", headers={"Range": f"bytes={start}-{end}"})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{orthancs_place.size}"
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.content == archive(start, end - start + 1)


def test_a_download_resumes_where_it_broke_without_asking_for_the_rest_again(
    gateway: Gateway, orthancs_place: StandIn
) -> None:
    at = 35_000_000
    answer = requests.get(f"{gateway.url}/api/archive", headers={"Range": f"bytes={at}-"})
    assert answer.content == archive(at, orthancs_place.size - at)
    assert min(orthancs_place.slices)[0] >= 33_554_432
    unchanged = {"Range": f"bytes={at}-", "If-Range": '"plan-1"'}
    assert requests.get(f"{gateway.url}/api/archive", headers=unchanged).status_code == 206
    changed = {"Range": f"bytes={at}-", "If-Range": '"plan-0"'}
    assert requests.get(f"{gateway.url}/api/archive", headers=changed).status_code == 200


def test_a_range_past_the_end_is_416(gateway: Gateway, orthancs_place: StandIn) -> None:
    answer = requests.get(f"{gateway.url}/api/archive", headers={"Range": f"bytes={orthancs_place.size}-"})
    assert answer.status_code == 416


def test_a_file_found_broken_on_the_way_cuts_the_download(gateway: Gateway, orthancs_place: StandIn) -> None:
    orthancs_place.broken_from = 36_000_000
    got = 0
    with (
        pytest.raises(requests.exceptions.RequestException),
        requests.get(f"{gateway.url}/api/archive", stream=True) as answer,
    ):
        assert answer.status_code == 200
        for piece in answer.iter_content(1 << 20):
            got += len(piece)
    assert got < 36_000_000


def test_a_download_that_cannot_begin_is_an_error_in_our_shape(gateway: Gateway, orthancs_place: StandIn) -> None:
    orthancs_place.broken_from = 0
    answer = requests.get(f"{gateway.url}/api/archive")
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_slices_are_not_to_be_had_by_the_front_door(gateway: Gateway, orthancs_place: StandIn) -> None:
    paths = ("/_zip/plan.token-1", "/api/zip/plan.token-1", "/api//zip/x", "/api/%7aip/x")
    for path in (*paths, "/api/x/../zip/plan.token-1", "/api/zip%2fplan.token-1", "/_identity"):
        assert _raw_status(gateway, "GET", path) == 404, path
    assert orthancs_place.slices == []


def test_five_hundred_slow_clients_do_not_stop_the_next_request(
    new_gateway: NewGateway, orthancs_place: StandIn
) -> None:
    gateway = new_gateway(slice_bytes=262_144)  # small ones: this is about clients, not about bytes
    slow = []
    try:
        for _ in range(500):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", gateway.port))
            client.sendall(b"GET /api/archive HTTP/1.1\r\nHost: x\r\n\r\n")
            slow.append(client)
        assert requests.get(f"{gateway.url}/api/echo", timeout=60).status_code == 200
        _wait_until_nobody_is_busy(orthancs_place)
        assert requests.get(f"{gateway.url}/api/echo", timeout=60).status_code == 200
        assert sum(_open_files(pid) for pid in _children(gateway.pid)) < 500 * 20
    finally:
        for client in slow:
            client.close()


def _wait_until_nobody_is_busy(server: StandIn) -> None:
    """No thread of Orthanc waits for a client: all are done although no client has read its download."""
    end = time.monotonic() + 120
    quiet = 0
    while quiet < 5:
        quiet = 0 if server.busy else quiet + 1
        assert time.monotonic() < end, f"{server.busy} requests are still held"
        time.sleep(0.1)


def test_what_a_long_download_holds_does_not_grow_with_its_length(gateway: Gateway, orthancs_place: StandIn) -> None:
    orthancs_place.size = 600_000_000
    with requests.get(f"{gateway.url}/api/archive", stream=True) as answer:
        most_files = most_kilobytes = 0
        for number, _ in enumerate(answer.iter_content(1 << 20)):
            if number % 50 == 0:
                for pid in _children(gateway.pid):
                    most_files = max(most_files, _open_files(pid))
                    status = Path(f"/proc/{pid}/status").read_text()
                    most_kilobytes = max(most_kilobytes, int(re.findall(r"VmRSS:\s+(\d+)", status)[0]))
    # One slice an open file and 0.5 MB, as nginx's slices do by themselves, would be 150 files and 80 MB here.
    assert most_files < 60
    assert most_kilobytes < 64 * 1024


def test_downloads_side_by_side_do_not_mix(gateway: Gateway, orthancs_place: StandIn) -> None:
    wrong: list[int] = []

    def one(start: int) -> None:
        answer = requests.get(f"{gateway.url}/api/archive", headers={"Range": f"bytes={start}-"})
        if answer.content != archive(start, orthancs_place.size - start):
            wrong.append(start)

    threads = [threading.Thread(target=one, args=(n * 1_234_567,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def _raw_status(gateway: Gateway, method: str, path: str) -> int:
    """The status for a path sent as it is written here; requests would tidy it."""
    with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
        raw.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        return int(raw.makefile("rb").readline().split()[1])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
