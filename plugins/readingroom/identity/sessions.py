"""Sessions: access and refresh tokens, renewed, replaced, revoked."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from readingroom.audit import Trail
from readingroom.audit.events import RefreshReused, SignedIn, SignedOut
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import Unauthenticated
from readingroom.identity.dicomweb_cookie import BrowserSession
from readingroom.identity.model import Caller, Identity
from readingroom.identity.standing import Standing, Standings
from readingroom.identity.tables import account, refresh_token, session
from readingroom.identity.tokens import ACCESS, TokenSigner

REFRESH = "refresh"

GRACE = timedelta(seconds=30)
"""How long a replaced refresh token is still answered (with its replacement): two tabs refresh at once, an
answer gets lost."""

ENDED = "This session has ended; sign in again."


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in or a refresh gives."""

    access: str
    refresh: str | None  # None: the one at hand stays good
    refresh_ends: datetime


class Sessions:
    """A session lasts for a fixed time from sign-in on.

    A browser's refresh token lives in a cookie and is replaced at each use; one that comes back later than
    GRACE after it was replaced is a copy in strange hands, and ends the session. A script's refresh token
    stays the same (its answer is `{access}` alone); both end at sign-out, with another password, and with the
    account.
    """

    def __init__(
        self, *, database: Database, signer: TokenSigner, standings: Standings, trail: Trail, clock: Clock,
        access_for: timedelta, refresh_for: timedelta,
    ) -> None:  # fmt: skip
        self._database = database
        self._signer = signer
        self._standings = standings
        self._trail = trail
        self._clock = clock
        self._access_for = access_for
        self._refresh_for = refresh_for

    def open(self, who: Standing, in_cookie: bool, caller: Caller) -> Tokens:
        """Begin a session for an account that has just shown its password.

        Raises Unauthenticated where the account was shut, or got another password, since then.
        """
        now = self._clock.now()
        sid, ends = str(uuid.uuid4()), now + self._refresh_for
        row = {
            "id": sid,
            "account_id": who.account_id,
            "in_cookie": in_cookie,
            "created_at": now,
            "expires_at": ends,
        }
        signed_in = Caller(who.identity(), caller.request_id, caller.ip, caller.through_gateway)
        with self._database.write() as connection:
            stands = select(account.c.id).where(
                account.c.id == who.account_id, account.c.version == who.version, account.c.disabled.is_(False)
            )
            if connection.execute(stands.with_for_update(read=True)).first() is None:
                raise Unauthenticated(ENDED)
            connection.execute(delete(session).where(session.c.expires_at < now))
            connection.execute(insert(session), row)
            jti = self._issue(connection, sid) if in_cookie else str(uuid.uuid4())
            self._trail.record(SignedIn(entity_id=who.account_id, in_cookie=in_cookie), signed_in, connection)
        return Tokens(self._access(who, sid, ends), self._refresh(sid, jti, ends), ends)

    def renew(self, token: str, in_cookie: bool, caller: Caller) -> Tokens:
        """A fresh access token, for a browser a fresh refresh token too. Raises Unauthenticated."""
        claims = self._signer.read(REFRESH, token)
        sid, jti = str(claims.get("sid")), str(claims["jti"])
        next_jti: str | None = None
        reused = False
        with self._database.write() if in_cookie else self._database.read() as connection:
            row = self._alive(connection, sid, in_cookie)
            who = _standing(row)
            if in_cookie:
                next_jti = self._replace(connection, sid, jti)
                reused = next_jti is None
            if reused:
                self._revoke(connection, sid)
                thief = Caller(who.identity(), caller.request_id, caller.ip, caller.through_gateway)
                self._trail.record(RefreshReused(entity_id=sid, name=who.name), thief, connection)
        if reused:
            self._standings.forget()
            raise Unauthenticated(ENDED)
        ends = row.expires_at
        refresh = self._refresh(sid, next_jti, ends) if next_jti is not None else None
        return Tokens(self._access(who, sid, ends), refresh, ends)

    def close(self, sid: str, identity: Identity, caller: Caller) -> None:
        """End a session; its access tokens stop being good at once here, within seconds elsewhere."""
        with self._database.write() as connection:
            if self._revoke(connection, sid):
                who = Caller(identity, caller.request_id, caller.ip, caller.through_gateway)
                self._trail.record(SignedOut(entity_id=sid), who, connection)
        self._standings.forget()

    def session_of(self, token: str) -> tuple[str, Identity] | None:
        """The session that a refresh token belongs to, with whose it is; None for a token that is no good."""
        try:
            sid = str(self._signer.read(REFRESH, token).get("sid"))
        except Unauthenticated:
            return None
        who = self._standings.of_session(sid)
        return None if who is None else (sid, who.identity())

    def in_browser(self, token: str) -> BrowserSession:
        """The living session of a browser's refresh token, which stays the one that it is. Raises Unauthenticated."""
        claims = self._signer.read(REFRESH, token)
        sid = str(claims.get("sid"))
        with self._database.read() as connection:
            row = self._alive(connection, sid, in_cookie=True, locked=False)
            mine = (refresh_token.c.session_id == sid, refresh_token.c.jti == str(claims["jti"]))
            shown = connection.execute(select(refresh_token).where(*mine)).first()
        if shown is None or (shown.replaced_at is not None and self._clock.now() - shown.replaced_at > GRACE):
            raise Unauthenticated(ENDED)
        return BrowserSession(sid, _standing(row), row.expires_at)

    def _alive(self, connection: Connection, sid: str, in_cookie: bool, *, locked: bool = True) -> Row[Any]:
        wanted = (
            select(account, session.c.account_id, session.c.in_cookie, session.c.expires_at, session.c.revoked_at)
            .join_from(session, account)
            .where(session.c.id == sid)
        )
        if in_cookie and locked:
            wanted = wanted.with_for_update(of=session)  # two tabs at once: one after the other
        row = connection.execute(wanted).first()
        if row is None or row.revoked_at is not None or row.disabled or row.in_cookie != in_cookie:
            raise Unauthenticated(ENDED)
        if row.expires_at <= self._clock.now():
            raise Unauthenticated(ENDED)
        return row

    def _replace(self, connection: Connection, sid: str, jti: str) -> str | None:
        """The id of the token that takes the place of `jti`; None when `jti` has had its time."""
        now = self._clock.now()
        mine = (refresh_token.c.session_id == sid, refresh_token.c.jti == jti)
        shown = connection.execute(select(refresh_token).where(*mine)).first()
        if shown is None or (shown.replaced_at is not None and now - shown.replaced_at > GRACE):
            return None
        if shown.replaced_at is not None:
            newest = (refresh_token.c.session_id == sid, refresh_token.c.replaced_at.is_(None))
            return connection.scalar(select(refresh_token.c.jti).where(*newest))
        connection.execute(
            delete(refresh_token).where(refresh_token.c.session_id == sid, refresh_token.c.replaced_at < now - GRACE)
        )
        connection.execute(update(refresh_token).where(*mine).values(replaced_at=now))
        return self._issue(connection, sid)

    def _issue(self, connection: Connection, sid: str) -> str:
        jti = str(uuid.uuid4())
        connection.execute(insert(refresh_token), {"jti": jti, "session_id": sid, "issued_at": self._clock.now()})
        return jti

    def _revoke(self, connection: Connection, sid: str) -> bool:
        open_one = (session.c.id == sid, session.c.revoked_at.is_(None))
        return connection.execute(update(session).where(*open_one).values(revoked_at=self._clock.now())).rowcount > 0

    def _access(self, who: Standing, sid: str, session_ends: datetime) -> str:
        claims: dict[str, Any] = {
            "sub": who.name,
            "sid": sid,
            "ver": who.version,
            "x-hasura-user-id": who.name,
        }
        if who.clinic:
            claims["x-hasura-clinic-id"] = who.clinic
        return self._signer.sign_until(ACCESS, claims, min(self._clock.now() + self._access_for, session_ends))

    def _refresh(self, sid: str, jti: str, ends: datetime) -> str:
        return self._signer.sign_until(REFRESH, {"sid": sid, "jti": jti}, ends)


def _standing(row: Row[Any]) -> Standing:
    return Standing(row.account_id, row.name, tuple(row.roles), row.clinic, row.version, row.disabled)
