"""Tickets, which a browser follows by itself: a page cannot put a header on a download."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from readingroom.cases.downloads import Plan, Wish
from readingroom.clock import Clock
from readingroom.downloads.keys import expired, reader_claims, reader_of
from readingroom.errors import TokenExpired, Unauthenticated
from readingroom.identity import Identity, TokenSigner

TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Grant:
    """A download that somebody was granted: what, in which version, for whom."""

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
            raise expired() from None
        grant = _grant(claims)
        if grant.wish.batch != batch:
            raise Unauthenticated("This ticket was made for another kind of download.")
        if self._clock.now().timestamp() >= claims["follow"] and resumes != grant.etag:
            raise expired()
        return grant


def _claims(plan: Plan, reader: Identity) -> dict[str, Any]:
    return {**plan.claims, "etag": plan.layout.etag, **reader_claims(reader)}


def _grant(claims: dict[str, Any]) -> Grant:
    # Signed by us, so the shape is ours.
    return Grant(wish=Wish.of(claims), etag=claims["etag"], reader=reader_of(claims))
