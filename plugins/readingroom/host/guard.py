"""Orthanc's incoming-request filter: asks who is there and the rules what they need; decides nothing itself."""

from __future__ import annotations

from typing import Any

import structlog

from readingroom.errors import ReadingRoomError
from readingroom.identity import Access, Authenticator
from readingroom.identity.cross_site import Origins
from readingroom.identity.forwarded import Forwarded

METHODS = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE"}
"""OrthancPluginHttpMethod, as the filter tells it."""

log = structlog.get_logger(__name__)


class Guard:
    """Every HTTP request to Orthanc passes here before any route, ours or the core's."""

    def __init__(self, authenticator: Authenticator, access: Access, forwarded: Forwarded, origins: Origins) -> None:
        self._authenticator = authenticator
        self._access = access
        self._forwarded = forwarded
        self._origins = origins

    def allows(self, uri: str, **request: Any) -> bool:
        """True lets the request go on; False is a bare 403. Whatever goes wrong in here is a refusal."""
        try:
            if self._access.checks_itself(uri):
                return True  # our own routes answer 401, 403 and 404 in their own shape
            headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}
            method = METHODS.get(request["method"], "")
            if self._origins.forge(method, headers.get("origin"), headers.get("host")):
                return False
            stranger = self._forwarded.stranger(lambda name: headers.get(name.lower()), request.get("ip") or "")
            known = self._authenticator.identify(headers.get("authorization"), stranger.ip, stranger.request_id)
            return self._access.allows(known, method, uri)
        except ReadingRoomError:
            return False
        except Exception:
            log.exception("guard_failed")
            return False
