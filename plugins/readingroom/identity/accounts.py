"""Accounts and the grants of outside identities: make, list, change, shut."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from readingroom.audit import Trail
from readingroom.audit.events import (
    AccountChanged,
    AccountCreated,
    AccountDisabled,
    AccountEnabled,
    GrantAdded,
    GrantRemoved,
    PasswordChanged,
)
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import BadRequest, Conflict, NotFound
from readingroom.identity.model import ROLES, Caller
from readingroom.identity.passwords import Passwords, check_new
from readingroom.identity.standing import Standings
from readingroom.identity.tables import access_grant, account, session

NAME = re.compile(r"[^\W_][\w.@+-]{0,99}")
"""An account's name, folded; a colon would break Basic (RFC 7617 section 2)."""

OUTSIDE = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")
"""An outside identity or a clinic: whatever the issuer calls it, without spaces."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as others may see it."""

    id: str
    name: str
    roles: tuple[str, ...]
    clinic: str | None
    disabled: bool
    created_at: datetime
    last_sign_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of one outside identity."""

    user: str
    role: str
    clinic: str
    created_at: datetime


class Accounts:
    """The verbs; each is audited in the transaction that does it."""

    def __init__(
        self, database: Database, passwords: Passwords, standings: Standings, trail: Trail, clock: Clock
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._standings = standings
        self._trail = trail
        self._clock = clock

    def create(self, name: str, password: str, roles: Sequence[str], clinic: str | None, caller: Caller) -> Account:
        """Make an account. Raises BadRequest, Conflict when the name is taken."""
        name = checked_name(name)
        check_roles(roles)
        check_new(password, name)
        clinic = checked_clinic(clinic)
        row: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "name": name,
            "password_hash": self._passwords.hash(password),  # before the transaction: it takes its time
            "roles": sorted(set(roles)),
            "clinic": clinic or None,
            "disabled": False,
            "version": 1,
            "created_at": self._clock.now(),
            "updated_at": self._clock.now(),
        }
        made = AccountCreated(entity_id=row["id"], name=name, roles=tuple(row["roles"]), clinic=clinic)
        try:
            with self._database.write() as connection:
                connection.execute(insert(account), row)
                self._trail.record(made, caller, connection)
        except IntegrityError:
            raise Conflict(f"There is an account named {name} already.") from None
        return self.find(name)

    def find(self, name: str) -> Account:
        """The account of that name. Raises NotFound."""
        with self._database.read() as connection:
            return _account(_row(connection, name))

    def page(self, limit: int, offset: int) -> tuple[list[Account], int]:
        """A page of accounts by name, and how many there are."""
        with self._database.read() as connection:
            rows = connection.execute(select(account).order_by(account.c.name).limit(limit).offset(offset)).all()
            return [_account(row) for row in rows], connection.scalar(select(func.count()).select_from(account)) or 0

    def set_password(self, name: str, password: str, caller: Caller) -> None:
        """Give an account another password; every session and token of it ends. Raises BadRequest, NotFound."""
        name = fold(name)
        self.find(name)
        check_new(password, name)
        made = self._passwords.hash(password)
        with self._database.write() as connection:
            row = _row(connection, name)
            self._end_everything(connection, row, password_hash=made)
            self._trail.record(PasswordChanged(entity_id=row.id, name=name), caller, connection)
        self._standings.forget()

    def set_roles(self, name: str, roles: Sequence[str], clinic: str | None, caller: Caller) -> None:
        """Set roles and clinic; they count from the next request on. Raises BadRequest, NotFound, Conflict."""
        check_roles(roles)
        values = {
            "roles": sorted(set(roles)),
            "clinic": checked_clinic(clinic) or None,
            "updated_at": self._clock.now(),
        }
        with self._database.write() as connection:
            row = _row(connection, name)
            if "admin" not in roles:
                self._keep_an_admin(connection, row)
            connection.execute(update(account).where(account.c.id == row.id).values(**values))
            changed = AccountChanged(
                entity_id=row.id, name=row.name, roles=tuple(sorted(set(roles))), clinic=clinic or ""
            )
            self._trail.record(changed, caller, connection)
        self._standings.forget()

    def disable(self, name: str, caller: Caller) -> None:
        """Shut an account; every session and token of it ends. Raises NotFound, Conflict for the last admin."""
        with self._database.write() as connection:
            row = _row(connection, name)
            self._keep_an_admin(connection, row)
            self._end_everything(connection, row, disabled=True)
            self._trail.record(AccountDisabled(entity_id=row.id, name=row.name), caller, connection)
        self._standings.forget()

    def enable(self, name: str, caller: Caller) -> None:
        """Open a shut account again. Raises NotFound."""
        with self._database.write() as connection:
            row = _row(connection, name)
            values = {"disabled": False, "updated_at": self._clock.now()}
            connection.execute(update(account).where(account.c.id == row.id).values(**values))
            self._trail.record(AccountEnabled(entity_id=row.id, name=row.name), caller, connection)
        self._standings.forget()

    def grant(self, user: str, roles: Sequence[str], clinic: str | None, caller: Caller) -> None:
        """Give an outside identity roles, in one clinic or in any. Raises BadRequest."""
        user, clinic = checked_outside(user), checked_clinic(clinic)
        check_roles(roles)
        with self._database.write() as connection:
            held = {grant.role for grant in _grants(connection, user) if grant.clinic == clinic}
            for role in sorted(set(roles) - held):
                row = {"user": user, "role": role, "clinic": clinic, "created_by": caller.identity.user}
                connection.execute(insert(access_grant), {**row, "created_at": self._clock.now()})
                self._trail.record(GrantAdded(entity_id=user, user=user, role=role, clinic=clinic), caller, connection)
        self._standings.forget()

    def revoke(self, user: str, caller: Caller) -> int:
        """Take all roles from an outside identity; says how many there were."""
        with self._database.write() as connection:
            held = _grants(connection, user)
            connection.execute(delete(access_grant).where(access_grant.c.user == user))
            for grant in held:
                removed = GrantRemoved(entity_id=user, user=user, role=grant.role, clinic=grant.clinic)
                self._trail.record(removed, caller, connection)
        self._standings.forget()
        return len(held)

    def grants(self) -> list[Grant]:
        """All grants, by identity."""
        with self._database.read() as connection:
            return _grants(connection)

    def _end_everything(self, connection: Connection, row: Row[Any], **values: object) -> None:
        now = self._clock.now()
        connection.execute(
            update(account)
            .where(account.c.id == row.id)
            .values(version=account.c.version + 1, updated_at=now, **values)
        )
        ended = update(session).where(session.c.account_id == row.id, session.c.revoked_at.is_(None))
        connection.execute(ended.values(revoked_at=now))

    def _keep_an_admin(self, connection: Connection, leaving: Row[Any]) -> None:
        # Locked: two admins who shut each other at the same moment would each still see the other (PostgreSQL).
        enabled = select(account.c.id, account.c.roles).where(account.c.disabled.is_(False)).order_by(account.c.id)
        rows = connection.execute(enabled.with_for_update()).all()
        admins = {row.id for row in rows if "admin" in row.roles}
        if admins == {leaving.id}:
            raise Conflict("This is the last admin who can sign in; make another one first.")


def fold(name: str) -> str:
    """A name as it is stored and compared: NFKC, lower case, without spaces around it."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def checked_name(name: str) -> str:
    """The folded name. Raises BadRequest unless it may be an account's."""
    name = fold(name)
    if not NAME.fullmatch(name):
        raise BadRequest("A name begins with a letter or digit and has up to 100 of: letters, digits, _ . @ + -")
    return name


def checked_outside(user: str) -> str:
    """The identity as it is. Raises BadRequest unless an issuer could call somebody so."""
    if not OUTSIDE.fullmatch(user):
        raise BadRequest("An outside identity has 1 to 200 characters and no spaces.")
    return user


def checked_clinic(clinic: str | None) -> str:
    """The clinic, or empty for none. Raises BadRequest."""
    if clinic and not OUTSIDE.fullmatch(clinic):
        raise BadRequest("A clinic has 1 to 200 characters and no spaces.")
    return clinic or ""


def check_roles(roles: Sequence[str]) -> None:
    """Raises BadRequest unless there is at least one role and all of them exist."""
    unknown = sorted(set(roles) - ROLES.keys())
    if unknown or not roles:
        raise BadRequest(f"Roles are {', '.join(ROLES)}; there is no {', '.join(unknown) or 'role in this request'}.")


def _row(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(account).where(account.c.name == fold(name))).first()
    if row is None:
        raise NotFound("There is no account of that name.")
    return row


def _account(row: Row[Any]) -> Account:
    return Account(row.id, row.name, tuple(row.roles), row.clinic, row.disabled, row.created_at, row.last_sign_in_at)


def _grants(connection: Connection, user: str | None = None) -> list[Grant]:
    query = select(access_grant).order_by(access_grant.c.user, access_grant.c.clinic, access_grant.c.role)
    if user is not None:
        query = query.where(access_grant.c.user == user)
    return [Grant(row.user, row.role, row.clinic, row.created_at) for row in connection.execute(query)]
