"""Carries a request of Orthanc's HTTP server to a WSGI application, and its answer back (PEP 3333).

The application runs in threads of Python's own: those of Orthanc have a stack of 100 KB, into which many a library does
not fit and which a deeply nested request could overrun. The thread of Orthanc waits, and sends.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import structlog

from readingroom.host.orthanc_module import Orthanc, RestOutput
from readingroom.series.crew import Crew

log = structlog.get_logger(__name__)

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

BUFFERED_BYTES = 1 << 20
"""An answer up to this size goes out in one piece; a longer one of known length is streamed chunk by chunk."""

CHUNK_BYTES = 1 << 20

RAW_QUERY_HEADER = "x-readingroom-query"
"""The query as the client wrote it, told by the gateway: Orthanc decodes it before it splits it, so that an encoded `&`
or a repeated key would be lost. A client that writes the header itself deceives nobody but itself."""


class Bridge:
    """Answers Orthanc's REST callbacks out of a WSGI application."""

    def __init__(self, orthanc: Orthanc, application: WsgiApplication) -> None:
        self._orthanc = orthanc
        self._application = application
        self._crew = Crew("request")
        self._query_is_decoded: bool | None = None

    def answer(self, output: RestOutput, uri: str, **request: Any) -> None:
        """Answer one request; what the application raises, Orthanc never sees."""
        answer = Answer()
        environ = self.environ(uri, request)
        # What the request is known by in the log goes along from thread to thread.
        context = copy_context()
        body = self._crew.run(lambda: context.run(self._answered, environ, answer))
        try:
            by_gateway = "HTTP_X_READINGROOM_GATEWAY" in environ
            context.run(send, output, answer, body, self._orthanc.OrthancException, by_gateway=by_gateway)
        except ClientGone:
            log.info("client_gone")
        except Exception:
            # Bytes may have left already: the exception goes on to Orthanc, which cuts the connection.
            log.exception("answer_broke")
            raise
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def _answered(self, environ: dict[str, Any], answer: Answer) -> Iterable[bytes]:
        """The application's answer; whole, where it is not to be streamed."""
        body = self._application(environ, answer.start)
        if answer.status == 200 and streams(answer, body):
            return body
        try:
            return [b"".join(body)]
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def environ(self, uri: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request as WSGI says it; `uri` comes decoded, the query decoded or not by the plugin's version."""
        body: bytes = request.get("body") or b""
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogateescape")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": uri.encode("utf-8", "surrogateescape").decode("latin-1"),
            "QUERY_STRING": self._query(request),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in (request.get("headers") or {}).items():
            key = name.upper().replace("-", "_")
            if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                environ[key] = value
            elif key not in ("TRANSFER_ENCODING", "CONNECTION"):
                environ[f"HTTP_{key}"] = value
        environ["CONTENT_LENGTH"] = str(len(body))
        if "HTTP_HOST" in environ:
            environ["SERVER_NAME"] = environ["HTTP_HOST"]
        environ["REMOTE_ADDR"] = request.get("ip") or request.get("remote_addr") or "127.0.0.1"
        return environ

    def _query(self, request: Mapping[str, Any]) -> str:
        raw: str | None = header(request.get("headers") or {}, RAW_QUERY_HEADER)
        if raw is not None:
            return raw
        arguments: Mapping[str, str] = request.get("get") or {}
        if self._query_is_decoded is None:
            self._query_is_decoded = decodes_queries(self._orthanc)
        if self._query_is_decoded:
            return urlencode(arguments, errors="surrogateescape")
        # Plugin 5 hands the text over as it stood in the address; only what no address may hold is quoted.
        return "&".join(f"{quote(k, safe='%+')}={quote(v, safe='%+=')}" for k, v in arguments.items())


class Answer:
    """Status and headers as the application gave them."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[str, str]] = []

    def start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], None]:
        """WSGI's start_response; the write callable of old is not offered."""
        self.status = int(status.split(" ", 1)[0])
        self.headers = headers
        return _no_write

    def header(self, wanted: str) -> str | None:
        """A header by its lower-case name."""
        return next((value for name, value in self.headers if name.lower() == wanted), None)

    def length(self) -> int | None:
        """Content-Length, where the application knows it."""
        said = self.header("content-length")
        return None if said is None else int(said)

    def content_type(self) -> str:
        """Content-Type, or the type of unknown bytes."""
        return self.header("content-type") or "application/octet-stream"


class ClientGone(Exception):
    """The client closed its connection in mid-answer; nothing is wrong on our side."""


def send(
    output: RestOutput, answer: Answer, body: Iterable[bytes], refused: type[Exception], *, by_gateway: bool = False
) -> None:
    """Hand the answer to Orthanc: streamed when it is a 200 that is long or of unknown length, else in one piece."""
    if answer.status == 200 and streams(answer, body):
        _stream(output, answer, body, refused)
        return
    whole = b"".join(body)
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED and not by_gateway:
        # Orthanc has a call of its own for this status, without a body, and refuses it in every other.
        output.SendMethodNotAllowed(answer.header("allow") or "")
        return
    for name, value in answer.headers:
        # Orthanc counts the length itself, and AnswerBuffer takes the type as an argument.
        if name.lower() not in ("content-length", "content-type"):
            output.SetHttpHeader(name, value)
    if answer.status == 200:
        output.AnswerBuffer(whole, answer.content_type())
        return
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        # Orthanc refuses a status that is not in its list (of 4xx it knows 400 to 417, 422 to 426), and would close the
        # connection without a word. The gateway makes this a 429 again; on Orthanc's own port 503 says the same.
        output.SetHttpHeader("X-Accel-Redirect", "/_too_many_requests")
        status = HTTPStatus.SERVICE_UNAVAILABLE
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        output.SetHttpHeader("X-Accel-Redirect", "/_method_not_allowed")
        status = HTTPStatus.SERVICE_UNAVAILABLE
    if whole:
        output.SetHttpHeader("Content-Type", answer.content_type())
        output.SendHttpStatus(int(status), whole)
    else:
        output.SendHttpStatusCode(int(status))


def streams(answer: Answer, body: Iterable[bytes]) -> bool:
    """Whether the answer goes out piece by piece."""
    length = answer.length()
    return not isinstance(body, list | tuple) if length is None else length > BUFFERED_BYTES


def _stream(output: RestOutput, answer: Answer, body: Iterable[bytes], refused: type[Exception]) -> None:
    for name, value in answer.headers:
        # Content-Length is sent as it stands: without it a cut stream would look whole.
        if name.lower() != "content-type":
            output.SetHttpHeader(name, value)
    output.StartStreamAnswer(answer.content_type())
    for piece in body:
        for start in range(0, len(piece), CHUNK_BYTES):
            chunk = piece if len(piece) <= CHUNK_BYTES else piece[start : start + CHUNK_BYTES]
            try:
                output.SendStreamChunk(chunk)
            except refused:
                raise ClientGone from None


def header(headers: Mapping[str, str], name: str) -> str | None:
    """A header by its lower-case name, however the server spelt it."""
    return next((value for key, value in headers.items() if key.lower() == name), None)


def decodes_queries(orthanc: Orthanc) -> bool:
    """Whether this Python plugin hands query arguments over decoded (7.1 does, 5.0 does not)."""
    version = str(json.loads(orthanc.RestApiGet("/plugins/python"))["Version"])
    return int(version.split(".", maxsplit=1)[0]) > 5 if version[0].isdigit() else True


def _no_write(_data: bytes) -> None:
    raise NotImplementedError("the application must return its body")
