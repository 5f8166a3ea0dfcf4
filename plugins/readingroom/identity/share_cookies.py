"""The cookies that links to one series leave in a browser: signed, one for each link, good for that link alone."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flask import Response

from readingroom.errors import Unauthenticated
from readingroom.identity.model import ANONYMOUS, Identity, SharedSeries
from readingroom.identity.tokens import TokenSigner

PURPOSE = "share"

PREFIX = "readingroom_share_"

KEPT = 12
"""Links that one browser holds at a time: their cookies go with every request, and its headers have 16 KB."""

UNLOCKED = timedelta(minutes=30)
"""How long a passcode counts after its last use."""

RENEWED_AFTER = timedelta(minutes=5)
"""A cookie that was used is not replaced more often than this."""

_NAME = re.compile(re.escape(PREFIX) + r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Visit:
    """One browser's way into one link, good until `end`; `unlocked_until` is empty where no passcode was shown."""

    link: str
    id: str
    begun: datetime
    end: datetime
    unlocked_until: datetime | None = None

    def unlocked(self, now: datetime) -> bool:
        """Whether a passcode counts still."""
        return self.unlocked_until is not None and now < self.unlocked_until

    def unlock(self, now: datetime) -> Visit:
        """The same visit after the right passcode."""
        return replace(self, unlocked_until=now + UNLOCKED)


class ShareCookies:
    """Signs and reads them. `standing` tells which links of these ids may still be used, and what each gives.

    A request that shows such a cookie and no Authorization is a `share` identity, at routes that declare `shared`
    alone: everywhere else it is nobody, so that a signed-in page whose token ran out is told to sign in again.
    """

    def __init__(self, signer: TokenSigner) -> None:
        self._signer = signer
        self._standing: Callable[[Collection[Visit]], list[SharedSeries]] = lambda visits: []

    def ask(self, standing: Callable[[Collection[Visit]], list[SharedSeries]]) -> None:
        """Name whoever knows the links."""
        self._standing = standing

    def identity(self, cookies: Mapping[str, str]) -> Identity:
        """Who shows these cookies: a `share`, or nobody when none of them is good."""
        visits = [visit for name in cookies if _NAME.fullmatch(name) and (visit := self._read(name, cookies))]
        shares = tuple(self._standing(visits)) if visits else ()
        if not shares:
            return ANONYMOUS
        return Identity(actor(shares[0].link), "share", shares=shares)

    def visit(self, link: str, cookies: Mapping[str, str]) -> Visit | None:
        """This browser's way into that link, if it has one."""
        return self._read(PREFIX + link, cookies)

    def leave(self, response: Response, visit: Visit, cookies: Mapping[str, str], *, secure: bool) -> None:
        """Put the visit into the browser; the oldest of too many goes."""
        self._set(response, visit, secure)
        for name in self._too_many(visit, cookies):
            response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")

    def renew(self, response: Response, visit: Visit, now: datetime, *, secure: bool) -> None:
        """The visit was used: the passcode that it was begun with counts on."""
        if visit.unlocked_until is not None and now < visit.unlocked_until < now + UNLOCKED - RENEWED_AFTER:
            self._set(response, visit.unlock(now), secure)

    def renew_all(self, response: Response, links: Collection[str], cookies: Mapping[str, str], now: datetime, *,
                  secure: bool) -> None:  # fmt: skip
        """The same for all visits of these links."""
        for link in links:
            visit = self.visit(link, cookies)
            if visit is not None:
                self.renew(response, visit, now, secure=secure)

    def _set(self, response: Response, visit: Visit, secure: bool) -> None:
        claims: dict[str, object] = {"jti": visit.id, "sub": visit.link, "since": int(visit.begun.timestamp())}
        if visit.unlocked_until is not None:
            claims["unlocked"] = int(visit.unlocked_until.timestamp())
        token = self._signer.sign_until(PURPOSE, claims, visit.end)
        response.set_cookie(
            PREFIX + visit.link, token, expires=visit.end, path="/", secure=secure, httponly=True, samesite="Lax"
        )

    def _too_many(self, visit: Visit, cookies: Mapping[str, str]) -> list[str]:
        others = [name for name in cookies if _NAME.fullmatch(name) and name != PREFIX + visit.link]
        dated = []
        for name in others:
            found = self._read(name, cookies)
            dated.append((found.begun.timestamp() if found else 0.0, name))
        return [name for _, name in sorted(dated, reverse=True)[KEPT - 1 :]]

    def _read(self, name: str, cookies: Mapping[str, str]) -> Visit | None:
        try:
            claims = self._signer.read(PURPOSE, cookies[name])
        except (KeyError, Unauthenticated):
            return None
        if PREFIX + str(claims.get("sub")) != name:
            return None  # another link's cookie under this one's name
        unlocked = claims.get("unlocked")
        return Visit(
            claims["sub"],
            claims["jti"],
            datetime.fromtimestamp(claims["since"], UTC),
            datetime.fromtimestamp(claims["exp"], UTC),
            None if unlocked is None else datetime.fromtimestamp(unlocked, UTC),
        )


def new_visit(link: str, now: datetime, end: datetime) -> Visit:
    """A first visit, good until `end`."""
    return Visit(link, secrets.token_urlsafe(12), now, end)


def actor(link: str) -> str:
    """How a link's holder is called in the audit trail."""
    return f"share:{link}"
