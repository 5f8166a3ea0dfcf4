"""Tokens of an outside issuer: checked against what the configuration pins, read for user and clinic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import jwt

from readingroom.clock import Clock
from readingroom.errors import Unauthenticated
from readingroom.identity.tokens import check_length, check_times

HASURA = "https://hasura.io/jwt/claims"

ROLE_CLAIMS = ("x-hasura-role", "x-hasura-default-role", "x-hasura-allowed-roles", "role", "roles")
"""Where issuers put roles; they count only through JWT_TRUSTED_ROLES."""

LEEWAY = timedelta(seconds=30)
"""How far another machine's clock may be off."""

MAX_NAME = 200
"""Characters of a user or clinic id, as the database holds them."""


class Keys(Protocol):
    """Finds the key that a token says it was signed with."""

    def find(self, kid: str | None) -> Any:
        """The key, in the form that PyJWT takes. Raises Unauthenticated where there is none."""
        ...


class Secret:
    """One shared secret, whatever a token says."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def find(self, kid: str | None) -> bytes:
        """The secret."""
        return self._secret


@dataclass(frozen=True, slots=True)
class Outsider:
    """Whom an outside token speaks for."""

    user: str
    clinic: str | None
    roles: tuple[str, ...]  # as the token claims them; nothing by themselves


class Issuer:
    """One issuer, one audience, one algorithm."""

    def __init__(self, name: str, audience: str, algorithm: str, keys: Keys, clock: Clock) -> None:
        self.name = name
        self._audience = audience
        self._algorithm = algorithm
        self._keys = keys
        self._clock = clock
        self._jwt = jwt.PyJWT()

    def read(self, token: str) -> Outsider:
        """Whom the token speaks for. Raises TokenExpired, Unauthenticated."""
        header = header_of(token)
        if header.get("alg") != self._algorithm:  # before any key is fetched
            raise Unauthenticated("This token is not valid here.")
        kid = header.get("kid")
        key = self._keys.find(kid if isinstance(kid, str) else None)
        options: Any = {
            "require": ["exp", "iss", *(["aud"] if self._audience else [])],
            "verify_aud": bool(self._audience),
            "verify_exp": False,  # times are checked below, by our clock
            "verify_iat": False,
            "verify_nbf": False,
            "verify_sub": False,
        }
        try:
            claims = self._jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                audience=self._audience or None,
                issuer=self.name,
                options=options,
            )
        except jwt.PyJWTError:
            raise Unauthenticated("This token is not valid here.") from None
        check_times(claims, self._clock.now(), LEEWAY)
        return outsider(claims)


def header_of(token: str) -> dict[str, Any]:
    """A token's header, believed in nothing. Raises Unauthenticated."""
    try:
        return jwt.get_unverified_header(check_length(token))
    except jwt.PyJWTError:
        raise Unauthenticated("This is not a token.") from None


def claims_of(token: str) -> dict[str, Any]:
    """A token's claims, believed in nothing: good for choosing who verifies it. Raises Unauthenticated."""
    try:
        return dict(jwt.decode(check_length(token), options={"verify_signature": False}))
    except (jwt.PyJWTError, TypeError, ValueError, RecursionError):
        raise Unauthenticated("This is not a token.") from None


def outsider(claims: Mapping[str, Any]) -> Outsider:
    """User, clinic and roles from the top level or Hasura's own claim; two that disagree are refused."""
    nested = claims.get(HASURA)
    hasura = nested if isinstance(nested, Mapping) else {}
    user = _one(claims, hasura, "x-hasura-user-id") or _name(claims.get("sub"))
    if not user:
        raise Unauthenticated("This token names nobody.")
    return Outsider(user, _one(claims, hasura, "x-hasura-clinic-id"), _roles(claims, hasura))


def _one(claims: Mapping[str, Any], hasura: Mapping[str, Any], name: str) -> str | None:
    found = {value for value in (_name(claims.get(name)), _name(hasura.get(name))) if value}
    if len(found) > 1:
        raise Unauthenticated(f"This token says two different things about {name}.")
    return found.pop() if found else None


def _name(value: object) -> str | None:
    if value is None or isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    if len(text) > MAX_NAME or any(ord(c) < 32 for c in text):
        raise Unauthenticated("This token names somebody in a way that cannot be.")
    return text or None


def _roles(claims: Mapping[str, Any], hasura: Mapping[str, Any]) -> tuple[str, ...]:
    found: set[str] = set()
    for place in (claims, hasura):
        for name in ROLE_CLAIMS:
            value = place.get(name)
            values = value if isinstance(value, list) else [value]
            found.update(v for v in values if isinstance(v, str))
    return tuple(sorted(found))
