"""Tickets, which a browser follows by itself, and the keys under which the gateway fetches a zip slice by
slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from readingroom.cases.downloads import Plan, Wish
from readingroom.clock import Clock
from readingroom.errors import TicketExpired, TokenExpired, Unauthenticated
from readingroom.identity import Identity, TokenSigner
from readingroom.identity.model import Kind

TICKET = "ticket"
ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Grant:
    """A download that somebody was granted: what, in which version, for whom; `id` tells it from all others."""

    id: str
    wish: Wish
    etag: str
    reader: Identity


class Tickets:
    """Signs and reads grants.

    A ticket must be followed within `to_follow`. A download that was begun goes on, resumes included, for
    `to_finish`: whoever names the version's ETag (If-Range) has begun it.
    """

    def __init__(self, signer: TokenSigner, clock: Clock, *, to_follow: timedelta, to_finish: timedelta) -> None:
        self._signer = signer
        self._clock = clock
        self._to_follow = to_follow
        self._to_finish = to_finish

    def ticket(self, plan: Plan, reader: Identity) -> tuple[str, datetime]:
        """A ticket for this download, and when it ends."""
        end = self._clock.now() + self._to_follow
        claims = {**_claims(plan, reader), "follow": end.timestamp()}
        return self._signer.sign(TICKET, claims, self._to_follow + self._to_finish), end

    def follow(self, token: str, *, batch: bool, resumes: str) -> Grant:
        """What a ticket grants; `resumes` is the ETag that the request's If-Range names, or empty.

        Raises TicketExpired, Unauthenticated.
        """
        try:
            claims = self._signer.read(TICKET, token)
        except TokenExpired:
            raise _expired() from None
        grant = _grant(claims)
        if grant.wish.batch != batch:
            raise Unauthenticated("This ticket was made for another kind of download.")
        if self._clock.now().timestamp() >= claims["follow"] and resumes != grant.etag:
            raise _expired()
        return grant

    def key(self, plan: Plan, reader: Identity) -> str:
        """What the gateway shows with each slice of this download."""
        return self._signer.sign(ZIP, _claims(plan, reader), self._to_finish)

    def unlock(self, token: str) -> Grant:
        """The download that a key belongs to. Raises TicketExpired, Unauthenticated."""
        try:
            return _grant(self._signer.read(ZIP, token))
        except TokenExpired:
            raise _expired() from None


def _expired() -> TicketExpired:
    return TicketExpired("This download link has expired: ask for a new one.")


def _claims(plan: Plan, reader: Identity) -> dict[str, Any]:
    return {
        "cases": plan.wish.case_ids,
        "batch": plan.wish.batch,
        "all": plan.wish.all_cases,
        "etag": plan.layout.etag,
        "sub": reader.user,
        "kind": reader.kind,
        "clinic": reader.clinic,
    }


def _grant(claims: dict[str, Any]) -> Grant:
    # Signed by us, so the shape is ours.
    return Grant(
        id=claims["jti"],
        wish=Wish(tuple(claims["cases"]), claims["batch"], claims["all"]),
        etag=claims["etag"],
        reader=Identity(user=claims["sub"], kind=cast(Kind, claims["kind"]), clinic=claims["clinic"]),
    )
