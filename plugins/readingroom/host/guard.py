"""Orthanc's incoming-request filter: asks who is there and the rules what they need; decides nothing itself."""

from __future__ import annotations

from typing import Any

import structlog

from readingroom.errors import ReadingRoomError
from readingroom.host.wsgi import header
from readingroom.identity import Access, Authenticator

METHODS = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE"}
"""OrthancPluginHttpMethod, as the filter tells it."""

log = structlog.get_logger(__name__)


class Guard:
    """Every HTTP request to Orthanc passes here before any route, ours or the core's."""

    def __init__(self, authenticator: Authenticator, access: Access) -> None:
        self._authenticator = authenticator
        self._access = access

    def allows(self, uri: str, **request: Any) -> bool:
        """True lets the request go on; False is a bare 403. Whatever goes wrong in here is a refusal."""
        try:
            if self._access.checks_itself(uri):
                return True  # our own routes answer 401, 403 and 404 in their own shape
            identity = self._authenticator.identify(header(request.get("headers") or {}, "authorization"))
            return self._access.allows(identity, METHODS.get(request["method"], ""), uri)
        except ReadingRoomError:
            return False
        except Exception:
            log.exception("guard_failed")
            return False
