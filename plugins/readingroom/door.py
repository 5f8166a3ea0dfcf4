"""What every request passes: its id, who is asking, whether they may, and the one shape of every error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

import structlog
from flask import Flask, Response, g, request
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as NoConnectionToSpare
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from readingroom.clock import Clock
from readingroom.errors import (
    BadRequest,
    CrossSite,
    DatabaseUnavailable,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    ReadingRoomError,
    Unauthenticated,
)
from readingroom.identity import ANONYMOUS, PUBLIC, Authenticator, Caller, Identity, ShareCookies
from readingroom.identity.cross_site import Origins
from readingroom.identity.forwarded import Forwarded
from readingroom.identity.model import is_shared
from readingroom.metrics import Metrics
from readingroom.routing import Declared, over_tls

log = structlog.get_logger(__name__)

BEARER = 'Bearer realm="Reading Room"'
BASIC = 'Basic realm="Reading Room", charset="UTF-8"'
FROM_EXPLORER = re.compile(r"https?://[^/]+/app/")

SLOW_SECONDS = 2.0

AWAY = (OperationalError, InterfaceError, NoConnectionToSpare)
"""What SQLAlchemy says when the database is gone, shut down or locked, or has no connection to spare (PEP 249)."""


class Door:
    """Stands before all routes of an application; unknown addresses and undeclared routes stay shut."""

    def __init__(
        self, authenticator: Authenticator, share_cookies: ShareCookies, forwarded: Forwarded, origins: Origins,
        clock: Clock, metrics: Metrics,
    ) -> None:  # fmt: skip
        self._authenticator = authenticator
        self._share_cookies = share_cookies
        self._forwarded = forwarded
        self._origins = origins
        self._clock = clock
        self._metrics = metrics
        self._capabilities: dict[str, str] = {}

    def hang(self, app: Flask, declared: Iterable[Declared]) -> None:
        """Put the door before the application's routes."""
        self._capabilities = {route.endpoint: route.capability for route in declared}
        app.before_request(self._enter)
        app.after_request(self._leave)
        app.register_error_handler(Exception, self._answer_error)

    def _enter(self) -> None:
        g.began = self._clock.monotonic()
        g.caller = self._forwarded.stranger(request.headers.get, request.remote_addr or "")
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.caller.request_id)
        if request.url_rule is None:
            return  # Werkzeug's own 404 or 405 follows
        capability = self._capabilities.get(request.endpoint or "")
        if capability is None:
            raise NotFound("There is nothing at this address.")
        if self._origins.forge(request.method, request.headers.get("Origin"), request.headers.get("Host")):
            raise CrossSite("A page of another site asked for this; it is not done.")
        g.caller = self._known(g.caller, capability)
        check(g.caller.identity, capability)

    def _known(self, stranger: Caller, capability: str) -> Caller:
        try:
            found = self._authenticator.identify(request.headers.get("Authorization"), stranger.ip, stranger.request_id)
        except Unauthenticated:
            if capability != PUBLIC:
                raise
            found = ANONYMOUS  # a stale token must not keep anybody from signing in again
        if is_shared(capability):
            by_link = self._share_cookies.identity(request.cookies)
            # Somebody signed in may hold a link too: it adds its series to what they may see already.
            found = (
                replace(found, shares=by_link.shares)
                if found.can(capability)
                else (by_link if by_link.shares else found)
            )
        return Caller(found, stranger.request_id, stranger.ip, stranger.through_gateway)

    def _leave(self, response: Response) -> Response:
        response.headers["X-Request-Id"] = g.caller.request_id
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        # The gateway says these for itself; at Orthanc's own port nobody else does.
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        if links := [each.link for each in g.caller.identity.shares]:
            secure = over_tls(g.caller)
            self._share_cookies.renew_all(response, links, request.cookies, self._clock.now(), secure=secure)
        seconds = self._clock.monotonic() - g.began
        self._metrics.add("requests_total")
        self._metrics.add(f"answers_{response.status_code // 100}xx_total")
        self._metrics.add("request_milliseconds_total", round(seconds * 1000))
        # The rule, not the path: a path may hold a ticket or a name.
        write = log.warning if seconds > SLOW_SECONDS else log.info
        write("request", method=request.method, rule=str(request.url_rule), status=response.status_code,
              ms=round(seconds * 1000, 1), actor=g.caller.identity.user, ip=g.caller.ip)  # fmt: skip
        return response

    def _answer_error(self, error: Exception) -> Response:
        ours = as_ours(error)
        if ours.status >= 500:
            log.error("failed", error=ours.code, rule=str(request.url_rule), exc_info=error)
        if isinstance(ours, Unauthenticated):
            ours.headers.setdefault("WWW-Authenticate", challenge(request.headers))
        return error_response(ours, g.caller.request_id)


def challenge(headers: Headers) -> str:
    """What a 401 says may be used (RFC 9110 section 11.6.1).

    A page's own fetch is not offered Basic: the browser would open its sign-in box over the page. Scripts are, and so
    is somebody who opens Orthanc Explorer's address, and then Explorer itself for its scripts and data: it knows
    nothing else. (Sec-Fetch-Mode would tell them apart, but comes over TLS alone.)
    """
    if FROM_EXPLORER.match(headers.get("Referer", "")):
        return f"{BASIC}, {BEARER}"
    from_page = headers.get("User-Agent", "").startswith("Mozilla/") and "text/html" not in headers.get("Accept", "")
    return BEARER if from_page or "X-Requested-With" in headers else f"{BASIC}, {BEARER}"


def check(identity: Identity, capability: str) -> None:
    """Raise Unauthenticated for nobody and Forbidden for somebody who lacks the capability."""
    if identity.can(capability):
        return
    if identity.kind == "anonymous":
        raise Unauthenticated("Sign in first.")
    raise Forbidden(f"This needs the capability {capability}.", detail={"capability": capability})


def as_ours(error: Exception) -> ReadingRoomError:
    """The error of our tree that says the same; what we did not raise ourselves tells nothing of its inside."""
    if isinstance(error, ReadingRoomError):
        return error
    if isinstance(error, AWAY) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return DatabaseUnavailable("The database does not answer; try again in a moment.")
    if isinstance(error, DataError) or _beyond_bounds(error):  # PostgreSQL knows no NUL in a text, for one
        return BadRequest("The request holds a value that no database could hold.")
    if isinstance(error, HTTPException):
        by_status = {404: NotFound, 405: MethodNotAllowed, 413: PayloadTooLarge}
        made = by_status.get(error.code or 500)
        if made is not None:
            said = {404: "There is nothing at this address.", 405: "This address does not know that method."}
            ours = made(said.get(error.code or 0, "The request is too large."))
            if error.code == 405:
                ours.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
            return ours
        ours = ReadingRoomError(error.description or error.name)
        ours.status, ours.code = error.code or 500, error.name.lower().replace(" ", "_")
        return ours
    return ReadingRoomError("Something went wrong on our side; the request id finds it in the log.")


def _beyond_bounds(error: Exception) -> bool:
    """Whether a value is beyond what the driver can hand over, for which PostgreSQL alone has a DataError."""
    if isinstance(error, StatementError):
        return isinstance(error.orig, OverflowError)
    return isinstance(error, OverflowError) and "SQLite" in str(error)


def error_response(error: ReadingRoomError, request_id: str) -> Response:
    """The one JSON shape of every error."""
    body: dict[str, object] = {"error": error.code, "message": error.message}
    if error.detail is not None:
        body["detail"] = error.detail
    body["request_id"] = request_id
    return Response(json.dumps(body), status=error.status, mimetype="application/json", headers=error.headers)
