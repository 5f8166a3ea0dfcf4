"""The bridge between Orthanc's REST callbacks and WSGI, with a recording stand-in for Orthanc's module."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import pytest
from flask import Flask, Response, request
from readingroom.host.wsgi import BUFFERED_BYTES, CHUNK_BYTES, Bridge


class OrthancError(Exception):
    pass


class FakeOrthanc:
    """Answers the one question that the bridge asks of Orthanc's module."""

    OrthancException = OrthancError

    def __init__(self, plugin_version: str = "7.1") -> None:
        self.plugin_version = plugin_version

    def RestApiGet(self, uri: str) -> bytes:
        assert uri == "/plugins/python"
        return json.dumps({"Version": self.plugin_version}).encode()


class Output:
    """Writes down what a callback answers; can lose its client after some chunks."""

    def __init__(self, gone_after: int | None = None) -> None:
        self.headers: list[tuple[str, str]] = []
        self.status = 0
        self.body = b""
        self.mime = ""
        self.chunks: list[int] = []
        self.gone_after = gone_after

    def SetHttpHeader(self, name: str, value: str) -> None:
        self.headers.append((name, value))

    def AnswerBuffer(self, body: bytes, mime: str) -> None:
        self.status, self.body, self.mime = 200, body, mime

    def SendHttpStatus(self, status: int, body: bytes) -> None:
        assert status not in (301, 405), "Orthanc has calls of their own for these, and refuses them here"
        self.status, self.body = status, body

    def SendHttpStatusCode(self, status: int) -> None:
        self.status = status

    def SendMethodNotAllowed(self, allowed: str) -> None:
        self.status, self.headers = 405, [("Allow", allowed)]  # Orthanc takes all others away

    def StartStreamAnswer(self, mime: str) -> None:
        self.status, self.mime = 200, mime

    def SendStreamChunk(self, chunk: bytes) -> None:
        if self.gone_after is not None and len(self.chunks) >= self.gone_after:
            raise OrthancError(9, "the client has gone")
        self.chunks.append(len(chunk))
        self.body += chunk


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.url_map.strict_slashes = False

    @app.route("/api/echo/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def echo(rest: str) -> dict[str, object]:
        return {
            "rest": rest,
            "args": request.args.to_dict(flat=False),
            "body": request.get_data().decode("latin-1"),
            "method": request.method,
            "header": request.headers.get("X-Any"),
            "files": {k: v.filename for k, v in request.files.items()},
            "ip": request.remote_addr,
        }

    @app.route("/api/token/")
    def token() -> dict[str, bool]:
        return {"ok": True}

    @app.route("/api/long")
    def long() -> Response:
        size = int(request.args["size"])
        cut = request.args.get("cut")

        def pieces() -> Iterator[bytes]:
            yield b"x" * (size // 2)
            if cut:
                raise RuntimeError("the stored file is broken")
            yield b"y" * (size - size // 2)

        return Response(pieces(), headers={"Content-Length": str(size), "ETag": '"e"'}, mimetype="application/zip")

    @app.route("/api/slice")
    def part() -> Response:
        return Response(b"z" * 10, 206, headers={"Content-Range": "bytes 0-9/100"}, mimetype="application/zip")

    @app.route("/api/empty")
    def empty() -> Response:
        return Response(status=204)

    @app.route("/api/busy")
    def busy() -> Response:
        return Response(
            '{"error": "too_many_requests"}', 429, headers={"Retry-After": "42"}, mimetype="application/json"
        )

    return app


def call(app: Flask, uri: str, *, version: str = "7.1", output: Output | None = None, **request_: object) -> Output:
    output = output or Output()
    Bridge(FakeOrthanc(version), app.wsgi_app).answer(output, uri, **{"method": "GET", "headers": {}, **request_})  # type: ignore[arg-type]
    return output


def test_path_query_and_headers_arrive_as_the_client_meant_them(app: Flask) -> None:
    got = json.loads(call(app, "/api/echo/é b/ü", get={"q": "é+b"}, headers={"x-any": "1"}, ip="192.0.2.7").body)
    assert got["rest"] == "é b/ü"
    assert got["args"] == {"q": ["é+b"]}
    assert (got["header"], got["ip"]) == ("1", "192.0.2.7")


def test_plugin_5_hands_the_query_over_encoded_and_it_still_arrives_right(app: Flask) -> None:
    got = json.loads(call(app, "/api/echo/x", version="5.0", get={"q": "%C3%A9%2Bb+c"}).body)
    assert got["args"] == {"q": ["é+b c"]}


def test_the_query_that_the_gateway_tells_keeps_repeated_keys_and_encoded_ampersands(app: Flask) -> None:
    got = json.loads(
        call(app, "/api/echo/x", get={"a": "1"}, headers={"x-readingroom-query": "a=1&a=2&b=c%26d%3D"}).body
    )
    assert got["args"] == {"a": ["1", "2"], "b": ["c&d="]}


def test_a_route_that_ends_in_a_slash_is_found_without_it(app: Flask) -> None:
    assert json.loads(call(app, "/api/token").body) == {"ok": True}


def test_a_body_arrives_whole(app: Flask) -> None:
    got = json.loads(call(app, "/api/echo/x", method="PUT", body=bytes(range(256))).body)
    assert got["body"] == bytes(range(256)).decode("latin-1")


def test_multipart_by_put_arrives_as_files(app: Flask) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nPNG\r\n--B--\r\n'
    got = json.loads(
        call(
            app,
            "/api/echo/x",
            method="PUT",
            body=body,
            headers={"content-type": "multipart/form-data; boundary=B"},
        ).body
    )
    assert got["files"] == {"file": "a.png"}


def test_a_long_answer_is_streamed_with_its_exact_length(app: Flask) -> None:
    size = 3 * BUFFERED_BYTES + 7
    output = call(app, "/api/long", get={"size": str(size)})
    assert len(output.body) == size
    assert ("Content-Length", str(size)) in output.headers
    assert max(output.chunks) <= CHUNK_BYTES


def test_a_short_answer_goes_in_one_piece_and_leaves_the_length_to_orthanc(app: Flask) -> None:
    output = call(app, "/api/long", get={"size": "100"})
    assert output.chunks == []
    assert "Content-Length" not in dict(output.headers)
    assert dict(output.headers)["ETag"] == '"e"'


def test_a_slice_keeps_status_and_content_range(app: Flask) -> None:
    output = call(app, "/api/slice")
    assert output.status == 206
    assert dict(output.headers)["Content-Range"] == "bytes 0-9/100"
    assert dict(output.headers)["Content-Type"] == "application/zip"


def test_an_answer_without_body_has_only_its_status(app: Flask) -> None:
    output = call(app, "/api/empty")
    assert (output.status, output.body) == (204, b"")


def test_a_429_which_orthanc_does_not_know_is_left_to_the_gateway_to_say(app: Flask) -> None:
    output = call(app, "/api/busy")
    assert (output.status, json.loads(output.body)) == (503, {"error": "too_many_requests"})
    headers = dict(output.headers)
    assert (headers["X-Accel-Redirect"], headers["Retry-After"]) == ("/_too_many_requests", "42")


def test_a_405_is_orthancs_own_on_its_own_port_and_the_gateways_to_say_behind_it(app: Flask) -> None:
    output = call(app, "/api/empty", method="DELETE")
    assert (output.status, sorted(dict(output.headers)["Allow"].split(", "))) == (405, ["GET", "HEAD", "OPTIONS"])
    output = call(app, "/api/empty", method="DELETE", headers={"X-Readingroom-Gateway": "known"})
    headers = dict(output.headers)
    assert (output.status, headers["X-Accel-Redirect"]) == (503, "/_method_not_allowed")
    assert "GET" in headers["Allow"]


def test_a_client_that_goes_away_is_no_error(app: Flask) -> None:
    output = call(app, "/api/long", get={"size": str(4 * BUFFERED_BYTES)}, output=Output(gone_after=1))
    assert len(output.chunks) == 1


def test_a_body_that_breaks_in_mid_stream_reaches_orthanc_so_that_it_cuts_the_connection(app: Flask) -> None:
    with pytest.raises(RuntimeError):
        call(app, "/api/long", get={"size": str(4 * BUFFERED_BYTES), "cut": "1"})


def test_the_application_runs_with_room_on_its_stack_however_small_that_of_the_server_is() -> None:
    deep = 900

    def application(_environ: dict[str, object], start: Callable[..., object]) -> list[bytes]:
        # Each level of a nested pattern takes the parser some hundred bytes of C's stack, which Orthanc's threads lack.
        nested = json.loads("[" * deep + "]" * deep)
        start("200 OK", [("Content-Type", "text/plain")])
        return [f"{threading.current_thread().name} {len(nested)}".encode()]

    output, go = Output(), threading.Event()
    bridge = Bridge(FakeOrthanc(), application)  # type: ignore[arg-type]

    def asks() -> None:
        go.wait(10)
        bridge.answer(output, "/api/x", method="GET", headers={})  # type: ignore[arg-type]

    caller = threading.Thread(target=asks)
    before = threading.stack_size(128 << 10)  # near to what Orthanc's have
    try:
        caller.start()
    finally:
        threading.stack_size(before)
    go.set()
    caller.join(10)
    assert output.body == b"request 1"


def test_what_the_log_knows_of_a_request_goes_along_to_the_bytes_that_are_streamed() -> None:
    request_id: ContextVar[str] = ContextVar("request_id", default="nobody")
    seen = []

    def application(_environ: dict[str, object], start: Callable[..., object]) -> Iterator[bytes]:
        request_id.set("one")
        start("200 OK", [("Content-Length", str(BUFFERED_BYTES + 1))])

        def pieces() -> Iterator[bytes]:
            seen.append(request_id.get())
            yield b"x" * (BUFFERED_BYTES + 1)

        return pieces()

    Bridge(FakeOrthanc(), application).answer(Output(), "/api/x", method="GET", headers={})  # type: ignore[arg-type]
    assert seen == ["one"]
    assert request_id.get() == "nobody"
