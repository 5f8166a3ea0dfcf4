"""Orthanc's incoming-request filter: asks who is there and the rules what they need; decides nothing itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog
from werkzeug.http import parse_cookie

from readingroom.audit import Trail
from readingroom.errors import ReadingRoomError
from readingroom.identity import Access, Authenticator, Caller, DicomwebCookies
from readingroom.identity.access import is_dicomweb_read
from readingroom.identity.cross_site import Origins
from readingroom.identity.forwarded import Forwarded
from readingroom.identity.orthanc_events import event_of

METHODS = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE"}
"""OrthancPluginHttpMethod, as the filter tells it."""

log = structlog.get_logger(__name__)


class Guard:
    """Every HTTP request to Orthanc passes here before any route, ours or the core's."""

    def __init__(
        self, authenticator: Authenticator, dicomweb_cookies: DicomwebCookies, access: Access, forwarded: Forwarded,
        origins: Origins, trail: Trail,
    ) -> None:  # fmt: skip
        self._authenticator = authenticator
        self._dicomweb_cookies = dicomweb_cookies
        self._access = access
        self._forwarded = forwarded
        self._origins = origins
        self._trail = trail

    def allows(self, uri: str, **request: Any) -> bool:
        """True lets the request go on; False is a bare 403. Whatever goes wrong in here is a refusal."""
        try:
            if self._access.checks_itself(uri):
                return True  # our own routes answer 401, 403 and 404 in their own shape
            headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}
            method = METHODS.get(request["method"], "")
            if self._origins.forge(method, headers.get("origin"), headers.get("host")):
                return False
            caller = self._known(headers, request.get("ip") or "", reads=is_dicomweb_read(method, uri))
            # The query as it was written is the gateway's word: at Orthanc's own port anybody could say another.
            query = headers.get("x-readingroom-query") if caller.through_gateway else None
            if not self._access.allows(caller.identity, method, uri, query):
                return False
            event = event_of(method, uri, request.get("get") or {})
            # What our workers do is written by them, as what it is.
            if event is not None and caller.identity.kind != "service":
                self._trail.record(event, caller)
            return True
        except ReadingRoomError:
            return False
        except Exception:
            log.exception("guard_failed")
            return False

    def _known(self, headers: dict[str, str], ip: str, *, reads: bool) -> Caller:
        """Who asks: by Authorization, or, where DICOMweb is read, by OHIF's cookie."""
        stranger = self._forwarded.stranger(lambda name: headers.get(name.lower()), ip)
        authorization = headers.get("authorization")
        if reads and not authorization and "cookie" in headers:
            cookies = parse_cookie(headers["cookie"])
            return replace(stranger, identity=self._dicomweb_cookies.identity(cookies, headers.get("sec-fetch-site")))
        known = self._authenticator.identify(authorization, stranger.ip, stranger.request_id)
        return replace(stranger, identity=known)
