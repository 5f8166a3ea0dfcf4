"""What the gateway says of a request, believed only from the gateway itself."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable

from readingroom.identity.model import ANONYMOUS, Caller

GATEWAY_HEADER = "X-Readingroom-Gateway"

GetHeader = Callable[[str], str | None]


class Forwarded:
    """Reads address and request id; anybody can write those headers, only the gateway knows the secret beside them."""

    def __init__(self, gateway_secret: str) -> None:
        self._secret = gateway_secret.encode()

    def stranger(self, header: GetHeader, remote: str) -> Caller:
        """Who is asking as far as the connection tells: an address, a request id, nobody's identity yet."""
        shown = (header(GATEWAY_HEADER) or "").encode("utf-8", "surrogateescape")
        through_gateway = bool(self._secret) and hmac.compare_digest(shown, self._secret)
        ip, request_id = remote, ""
        if through_gateway:
            ip = (header("X-Forwarded-For") or remote).split(",")[-1].strip()
            request_id = _uuid(header("X-Request-Id") or "")
        return Caller(ANONYMOUS, request_id or str(uuid.uuid4()), ip, through_gateway)


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""
