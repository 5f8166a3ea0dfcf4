"""How accounts, sessions and outside identities stand at this moment, looked up at most every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.exc import DataError, ProgrammingError

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.identity.lately import Lately
from readingroom.identity.model import ROLES, Identity
from readingroom.identity.tables import access_grant, account, session

FRESH_SECONDS = 5.0
"""How long a disabled account, a changed password or a sign-out in another process may go unnoticed; in this
one: not at all."""

MAX_REMEMBERED = 4096

CLINIC_CAPABILITIES = ("imaging.read", "imaging.write")
"""What `public.fn_has_capability` of a site is asked about."""

SITE_FUNCTION = text("SELECT public.fn_has_capability(:clinic, :user, :capability)")

OURS = "Reading Room"
"""The comment on our own fn_has_capability; without it the function is the site's."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as it stands, and when the session that was asked for ends."""

    account_id: str
    name: str
    roles: tuple[str, ...]
    clinic: str | None
    version: int
    disabled: bool
    session_ends: datetime | None = None

    def identity(self) -> Identity:
        """What the account may do."""
        return Identity(self.name, "user", capabilities_of(self.roles), self.clinic, self.roles)


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such thing, which is remembered too."""


class Standings:
    """Looks up and remembers for FRESH_SECONDS."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._sessions = Lately[str, Standing | Missing](FRESH_SECONDS, MAX_REMEMBERED, clock)
        self._accounts = Lately[str, Standing | Missing](FRESH_SECONDS, MAX_REMEMBERED, clock)
        self._outside = Lately[tuple[str, str], tuple[frozenset[str], tuple[str, ...]]](
            FRESH_SECONDS, MAX_REMEMBERED, clock
        )
        self._site_decides: bool | None = None

    def of_session(self, id: str) -> Standing | None:
        """The account behind a session that was not revoked; None where there is none."""
        found = self._sessions.once(id, lambda: self._session(id))
        return found if isinstance(found, Standing) else None

    def of_account(self, id: str) -> Standing | None:
        """The account of that id."""
        found = self._accounts.once(id, lambda: self._account(id))
        return found if isinstance(found, Standing) else None

    def of_outside(self, user: str, clinic: str | None) -> tuple[frozenset[str], tuple[str, ...]]:
        """Capabilities and roles that an outside identity was granted, in that clinic."""
        return self._outside.once((user, clinic or ""), lambda: self._granted(user, clinic or ""))

    def forget(self) -> None:
        """Look everything up afresh: something changed."""
        self._sessions.forget()
        self._accounts.forget()
        self._outside.forget()

    def _session(self, id: str) -> Standing | Missing:
        wanted = (
            select(account, session.c.expires_at)
            .join_from(session, account)
            .where(session.c.id == id, session.c.revoked_at.is_(None))
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).first()
        return Missing() if row is None else _standing(row, row.expires_at)

    def _account(self, id: str) -> Standing | Missing:
        with self._database.read() as connection:
            row = connection.execute(select(account).where(account.c.id == id)).first()
        return Missing() if row is None else _standing(row)

    def _granted(self, user: str, clinic: str) -> tuple[frozenset[str], tuple[str, ...]]:
        where = (access_grant.c.user == user, access_grant.c.clinic.in_({"", clinic}))
        with self._database.read() as connection:
            roles = tuple(sorted(set(connection.scalars(select(access_grant.c.role).where(*where)))))
        capabilities = capabilities_of(roles)
        if self._is_sites_to_say():
            capabilities = (capabilities - set(CLINIC_CAPABILITIES)) | self._asked(user, clinic)
        return capabilities, roles

    def _is_sites_to_say(self) -> bool:
        """Whether the site brought its own `public.fn_has_capability` along."""
        if self._site_decides is None:
            self._site_decides = self._database.is_postgresql and self._site_has_function()
        return self._site_decides

    def _site_has_function(self) -> bool:
        comments = text(
            "SELECT obj_description(p.oid, 'pg_proc') FROM pg_proc p"
            " JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = 'public' AND p.proname = 'fn_has_capability' AND p.pronargs = 3"
        )
        with self._database.read() as connection:
            found = connection.scalars(comments).all()
        return bool(found) and OURS not in found

    def _asked(self, user: str, clinic: str) -> frozenset[str]:
        held = set()
        for capability in CLINIC_CAPABILITIES:
            # A connection each: a function that cannot read an id of ours as its uuid raises, which is a no.
            with self._database.read() as connection:
                if _says_yes(connection.execute, clinic, user, capability):
                    held.add(capability)
        return frozenset(held)


def _says_yes(execute: Any, clinic: str, user: str, capability: str) -> bool:
    try:
        return execute(SITE_FUNCTION, {"clinic": clinic, "user": user, "capability": capability}).scalar() is True
    except (DataError, ProgrammingError):
        return False


def capabilities_of(roles: tuple[str, ...]) -> frozenset[str]:
    """Everything that these roles may do; a role that is no more gives nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def _standing(row: Row[Any], session_ends: datetime | None = None) -> Standing:
    return Standing(row.id, row.name, tuple(row.roles), row.clinic, row.version, row.disabled, session_ends)
