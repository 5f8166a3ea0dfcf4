"""Who is behind an Authorization header: our own tokens, an outside issuer's, or name and password."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import Lock

from readingroom.audit import Trail
from readingroom.audit.events import BasicUsed
from readingroom.clock import Clock
from readingroom.errors import TooManyRequests, Unauthenticated
from readingroom.identity.lately import Lately
from readingroom.identity.model import ANONYMOUS, SERVICES, Caller, Identity
from readingroom.identity.outside import Issuer, claims_of
from readingroom.identity.sign_in import WRONG, SignIn
from readingroom.identity.standing import Standings, capabilities_of
from readingroom.identity.tokens import ACCESS, MAX_TOKEN, TokenSigner

BASIC_SECONDS = 60.0
"""How long a name and password that were right are taken to be so; another password or a shut account is seen
sooner."""

REFUSED_SECONDS = 3.0
"""How long a name and password that were wrong are taken to be so: one request may ask twice (guard, then refusal)."""

BASIC_WAIT = 15.0
"""Seconds that requests with the same name and password wait for the first of them to be checked."""

MAX_REMEMBERED = 1024


class Authenticator:
    """Turns an Authorization header into an identity."""

    def __init__(
        self, *, signer: TokenSigner, issuers: Sequence[Issuer], trusted_roles: Mapping[str, str],
        standings: Standings, sign_in: SignIn, trail: Trail, clock: Clock,
    ) -> None:  # fmt: skip
        self._signer = signer
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._trusted_roles = dict(trusted_roles)
        self._standings = standings
        self._sign_in = sign_in
        self._trail = trail
        self._basic = Lately[bytes, tuple[str, int]](BASIC_SECONDS, MAX_REMEMBERED, clock)
        self._refused = Lately[bytes, bool](REFUSED_SECONDS, MAX_REMEMBERED, clock)
        self._checking: dict[bytes, Future[tuple[str, int]]] = {}
        self._checking_lock = Lock()
        # What is remembered of a name and password is of no use outside this process.
        self._digest_key = secrets.token_bytes(32)

    def identify(self, authorization: str | None, ip: str = "", request_id: str = "") -> Identity:
        """The identity behind a header; ANONYMOUS without one.

        Raises Unauthenticated (TokenExpired) for a bad one, TooManyRequests when passwords are tried too
        fast, IssuerUnreachable when an outside issuer's keys cannot be had.
        """
        if not authorization:
            return ANONYMOUS
        scheme, _, rest = authorization.strip().partition(" ")
        if scheme.lower() == "bearer":
            return self._bearer(rest.strip())
        if scheme.lower() == "basic":
            return self._name_and_password(rest.strip(), Caller(ANONYMOUS, request_id or str(uuid.uuid4()), ip))
        raise Unauthenticated("Authorization is by Bearer or Basic.")

    def session_of(self, authorization: str | None) -> str | None:
        """The session that a good access token of ours belongs to."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return str(self._signer.read(ACCESS, token.strip())["sid"])
        except (Unauthenticated, KeyError):
            return None

    def _bearer(self, token: str) -> Identity:
        claims = claims_of(token)  # not believed: they only choose who verifies the token
        issuer, purpose = claims.get("iss"), claims.get("purpose")
        if purpose == ACCESS:
            return self._own(token)
        if purpose == "service":
            return self._service(token)
        if purpose is None and isinstance(issuer, str) and issuer in self._issuers:
            return self._outside(self._issuers[issuer], token)
        raise Unauthenticated("This token is not valid here.")

    def _own(self, token: str) -> Identity:
        claims = self._signer.read(ACCESS, token)
        who = self._standings.of_session(str(claims.get("sid")))
        if who is None or who.disabled or who.version != claims.get("ver"):
            raise Unauthenticated("This session has ended; sign in again.")
        return who.identity()

    def _service(self, token: str) -> Identity:
        name = str(self._signer.read("service", token).get("sub"))
        if name not in SERVICES:
            raise Unauthenticated("There is no such service.")
        return Identity(f"service:{name}", "service", SERVICES[name])

    def _outside(self, issuer: Issuer, token: str) -> Identity:
        who = issuer.read(token)
        capabilities, granted = self._standings.of_outside(who.user, who.clinic)
        mapped = tuple(self._trusted_roles[role] for role in who.roles if role in self._trusted_roles)
        roles = tuple(sorted({*granted, *mapped}))
        return Identity(who.user, "outside", capabilities | capabilities_of(mapped), who.clinic, roles)

    def _name_and_password(self, encoded: str, caller: Caller) -> Identity:
        name, password = parse_basic(encoded)
        digest = hmac.digest(self._digest_key, f"{name}:{password}".encode(), hashlib.sha256)
        if self._refused.get(digest):
            raise Unauthenticated(WRONG)
        account_id, version = self._basic.get(digest) or self._checked(digest, name, password, caller)
        who = self._standings.of_account(account_id)
        if who is None or who.disabled or who.version != version:
            self._basic.drop(digest)
            raise Unauthenticated(WRONG)
        return who.identity()

    def _checked(self, digest: bytes, name: str, password: str, caller: Caller) -> tuple[str, int]:
        """Check once, however many requests bring the same name and password at the same time."""
        with self._checking_lock:
            running = self._checking.get(digest)
            mine = running is None
            if running is None:
                running = self._checking[digest] = Future()
        if not mine:
            try:
                return running.result(BASIC_WAIT)
            except TimeoutError:
                raise TooManyRequests(
                    "Many people are signing in at this moment; try again shortly.", retry_after=5
                ) from None
        try:
            who = self._sign_in.check(name, password, "basic", caller)
            self._trail.record(
                BasicUsed(entity_id=who.account_id), Caller(who.identity(), caller.request_id, caller.ip)
            )
            found = self._basic.keep(digest, (who.account_id, who.version))
        except BaseException as error:
            if isinstance(error, Unauthenticated):
                self._refused.keep(digest, True)
            running.set_exception(error)
            raise
        else:
            running.set_result(found)
            return found
        finally:
            with self._checking_lock:
                del self._checking[digest]


def parse_basic(encoded: str) -> tuple[str, str]:
    """Name and password out of Basic credentials, UTF-8 (RFC 7617). Raises Unauthenticated."""
    if len(encoded) > MAX_TOKEN:
        raise Unauthenticated(WRONG)
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Unauthenticated("These are no Basic credentials.") from None
    if not colon:
        raise Unauthenticated("These are no Basic credentials.")
    return name, password
