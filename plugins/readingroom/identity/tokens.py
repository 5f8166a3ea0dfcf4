"""Our own tokens: HS256, each purpose with a key of its own."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta
from typing import Any

import jwt

from readingroom.clock import Clock
from readingroom.errors import TokenExpired, Unauthenticated

ACCESS = "access"
ALGORITHM = "HS256"

MAX_TOKEN = 8192
"""Characters of the longest token that is looked at; nginx takes header lines of 8 KB."""

SERVICE_LIFETIME = timedelta(hours=12)
"""Workers hold the key themselves and sign a fresh one when this is over."""

REQUIRED = ["iss", "aud", "exp", "iat", "purpose"]


class TokenSigner:
    """Signs claims for one purpose and reads them for the same one; a token for another never passes.

    An access token is signed with JWT_SECRET itself, so that a site's other programs can read it; every other
    purpose has a key derived from it, and its audience carries the purpose's name.
    """

    def __init__(self, secret: str, issuer: str, audience: str, clock: Clock) -> None:
        self._secret = secret.encode()
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._jwt = jwt.PyJWT()

    def sign(self, purpose: str, claims: dict[str, Any], lifetime: timedelta) -> str:
        """A token of these claims that is good from now on for `lifetime`."""
        return self.sign_until(purpose, claims, self._clock.now() + lifetime)

    def sign_until(self, purpose: str, claims: dict[str, Any], end: datetime) -> str:
        """A token of these claims that is good until `end`."""
        now = int(self._clock.now().timestamp())
        frame = {
            "iss": self._issuer,
            "aud": self._audience_of(purpose),
            "iat": now,
            "exp": int(end.timestamp()),
            "purpose": purpose,
        }
        whole = {"jti": str(uuid.uuid4()), **claims, **frame}
        return self._jwt.encode(whole, self._key(purpose), algorithm=ALGORITHM)

    def read(self, purpose: str, token: str) -> dict[str, Any]:
        """The claims of a token signed for that purpose. Raises TokenExpired, Unauthenticated."""
        try:
            claims: dict[str, Any] = self._jwt.decode(
                check_length(token),
                self._key(purpose),
                algorithms=[ALGORITHM],
                audience=self._audience_of(purpose),
                issuer=self._issuer,
                # Times are checked below, by our clock.
                options={"require": REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.PyJWTError:
            raise Unauthenticated("This token is not valid here.") from None
        if claims["purpose"] != purpose:
            raise Unauthenticated("This token was made for something else.")
        check_times(claims, self._clock.now())
        return claims

    def service_token(self, service: str, lifetime: timedelta = SERVICE_LIFETIME) -> str:
        """What a worker of ours shows when it calls Orthanc."""
        return self.sign("service", {"sub": service}, lifetime)

    def _key(self, purpose: str) -> bytes:
        if purpose == ACCESS:
            return self._secret
        return hmac.digest(self._secret, b"readingroom token " + purpose.encode(), hashlib.sha256)

    def _audience_of(self, purpose: str) -> str:
        return self._audience if purpose == ACCESS else f"{self._audience}/{purpose}"


def check_length(token: str) -> str:
    """The token itself, unless it is longer than any honest one. Raises Unauthenticated."""
    if len(token) > MAX_TOKEN:
        raise Unauthenticated("This token is too long to be one.")
    return token


def check_times(claims: dict[str, Any], now: datetime, leeway: timedelta = timedelta(0)) -> None:
    """Raises TokenExpired past `exp`, Unauthenticated before `nbf`/`iat` or when they are no numbers (RFC
    7519 section 4.1).
    """
    present = now.timestamp()
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise Unauthenticated("This token is not valid here.")
    slack = leeway.total_seconds()
    if present >= claims["exp"] + slack:
        raise TokenExpired("This token is past its end; sign in again.")
    if present < claims.get("nbf", present) - slack or present < claims.get("iat", present) - max(slack, 60):
        raise Unauthenticated("This token is not valid yet.")
