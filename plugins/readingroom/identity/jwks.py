"""The public keys of an outside issuer (RFC 7517): fetched seldom, kept, renewed when they rotate."""

from __future__ import annotations

import json
from threading import BoundedSemaphore, Lock
from typing import Any

import jwt
import requests
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from urllib3.exceptions import HTTPError

from readingroom.clock import Clock
from readingroom.errors import IssuerUnreachable, Unauthenticated

log = structlog.get_logger(__name__)

FRESH_SECONDS = 3600.0
"""After this the keys are fetched again, so that a withdrawn one stops being good."""

STALE_SECONDS = 24 * 3600.0
"""How long the last keys stay good while the issuer does not answer."""

PAUSE_SECONDS = 15.0
"""Between two fetches: tokens with invented key ids must not make us knock at the issuer's door all the
time."""

TIMEOUT = (3.0, 5.0)
"""Seconds to connect, seconds between bytes."""

MAX_BYTES = 256 * 1024
MAX_WAITING = 4
"""Requests that may wait for the very first fetch; the others are told to come back."""

MIN_RSA_BITS = 2048

FAMILIES = {"RS256": "RSA", "ES256": "EC"}


class Jwks:
    """The key set at one address, for one algorithm."""

    def __init__(self, url: str, algorithm: str, clock: Clock) -> None:
        self._url = url
        self._algorithm = algorithm
        self._clock = clock
        self._keys: dict[str | None, Any] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching = Lock()  # held during the fetch: only those wait for it who have no keys at all
        self._waiting = BoundedSemaphore(MAX_WAITING)

    def find(self, kid: str | None) -> Any:
        """The key of that id (or the only key, for a token without one). Raises Unauthenticated,
        IssuerUnreachable.
        """
        found = self._pick(kid)
        if found is None or self._age() > FRESH_SECONDS:
            self._renew()
            found = self._pick(kid)
        if found is not None:
            return found
        if self._fetched is None:
            raise IssuerUnreachable("The issuer of this token does not answer.", headers={"Retry-After": "15"})
        raise Unauthenticated("This token is signed with a key that its issuer does not publish.")

    def _pick(self, kid: str | None) -> Any:
        keys = self._keys  # replaced as a whole, never changed
        if self._age() > STALE_SECONDS:
            return None
        if kid is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(kid)

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock.monotonic() - self._fetched

    def _renew(self) -> None:
        if self._fetched is not None:
            if self._fetching.acquire(blocking=False):
                self._fetch_and_release()
            return
        if not self._waiting.acquire(blocking=False):
            raise IssuerUnreachable("The keys of this token's issuer are being fetched.", headers={"Retry-After": "2"})
        try:
            if self._fetching.acquire(timeout=sum(TIMEOUT)):
                self._fetch_and_release()
        finally:
            self._waiting.release()

    def _fetch_and_release(self) -> None:
        try:
            now = self._clock.monotonic()
            if self._tried is not None and now - self._tried < PAUSE_SECONDS:
                return
            self._tried = now
            self._keys = self._fetch()
            self._fetched = now
        except (requests.RequestException, HTTPError, ValueError, RecursionError) as error:
            log.warning("jwks_unreachable", url=self._url, error=type(error).__name__)
        finally:
            self._fetching.release()

    def _fetch(self) -> dict[str | None, Any]:
        with requests.get(self._url, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
            answer.raise_for_status()
            if answer.status_code != 200:
                raise ValueError("not a key set")
            # urllib3's own answer, whose errors are urllib3's own too.
            body = answer.raw.read(MAX_BYTES + 1, decode_content=True)
        if len(body) > MAX_BYTES:
            raise ValueError("longer than any key set")
        listed = json.loads(body)
        if not isinstance(listed, dict) or not isinstance(listed.get("keys"), list):
            raise ValueError("not a key set")
        keys = {entry.get("kid"): key for entry in listed["keys"] if (key := self._usable(entry)) is not None}
        log.info("jwks_fetched", url=self._url, keys=len(keys))
        return keys

    def _usable(self, entry: object) -> Any:
        if not isinstance(entry, dict) or entry.get("kty") != FAMILIES[self._algorithm]:
            return None
        if not isinstance(entry.get("kid"), str | None):
            return None
        if entry.get("use", "sig") != "sig" or entry.get("alg", self._algorithm) != self._algorithm:
            return None
        try:
            key = jwt.PyJWK(entry, algorithm=self._algorithm).key
        except (jwt.PyJWTError, ValueError):
            return None
        if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
            return None
        return key
