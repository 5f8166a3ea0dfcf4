"""Name and password in, account out: delays, checks, and writes down what happened."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from readingroom.audit import Trail
from readingroom.audit.events import SignInDelayed, SignInRefused
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import TooManyRequests, Unauthenticated
from readingroom.identity.accounts import fold
from readingroom.identity.model import Caller
from readingroom.identity.passwords import Passwords
from readingroom.identity.standing import Standing
from readingroom.identity.tables import account
from readingroom.identity.throttle import Throttle

WRONG = "Name or password is wrong."
"""Said of an unknown name, a wrong password and a disabled account alike."""


class SignIn:
    """Checks a name and a password."""

    def __init__(
        self, database: Database, passwords: Passwords, throttle: Throttle, trail: Trail, clock: Clock
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._throttle = throttle
        self._trail = trail
        self._clock = clock

    def check(self, name: str, password: str, scheme: str, caller: Caller) -> Standing:
        """The account whose name and password these are. Raises Unauthenticated, TooManyRequests.

        `scheme` (form, basic) is for the trail.
        """
        name = fold(name)[:200]
        row = self._row(name)
        try:
            self._throttle.check(name, caller.ip)
        except TooManyRequests:
            self._trail.record(SignInDelayed(entity_id=row.id if row else "", name=row.name if row else ""), caller)
            raise
        right = self._passwords.fits(row.password_hash if row else None, password)
        if row is None or not right or row.disabled:
            self._throttle.failed(name, caller.ip)
            known = {"entity_id": row.id, "name": row.name} if row is not None else {"name": ""}
            reason = "disabled" if right else "password"
            self._trail.record(SignInRefused(**known, reason=reason, scheme=scheme), caller)
            raise Unauthenticated(WRONG)
        self._throttle.succeeded(name, caller.ip)
        self._write_down(row, password)
        return Standing(row.id, row.name, tuple(row.roles), row.clinic, row.version, row.disabled)

    def _row(self, name: str) -> Row[Any] | None:
        if "\x00" in name:
            return None
        with self._database.read() as connection:
            return connection.execute(select(account).where(account.c.name == name)).first()

    def _write_down(self, row: Row[Any], password: str) -> None:
        values: dict[str, Any] = {"last_sign_in_at": self._clock.now()}
        if self._passwords.is_dated(row.password_hash):
            values["password_hash"] = self._passwords.hash(password)
        unchanged = (account.c.id == row.id, account.c.password_hash == row.password_hash)
        with self._database.write() as connection:
            connection.execute(update(account).where(*unchanged).values(**values))
