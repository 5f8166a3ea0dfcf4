"""Routes of accounts and of outside identities' roles, for those who manage users."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from readingroom.errors import NotFound
from readingroom.identity.accounts import Account, Accounts
from readingroom.identity.passwords import check_new
from readingroom.routing import Answer, Area, Body, Page, caller

Role = Literal["admin", "staff", "student", "clinician"]


class UserAnswer(Answer):
    """An account."""

    name: str
    roles: list[str]
    clinic: str | None
    disabled: bool
    created_at: datetime
    last_sign_in_at: datetime | None


class UsersAnswer(Answer):
    """A page of accounts, by name."""

    items: list[UserAnswer]
    total: int


class NewUser(Body):
    """An account to make."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=1000)
    roles: list[Role] = Field(min_length=1, max_length=4)
    clinic: str | None = Field(None, max_length=200)


class UserChange(Body):
    """What to change; what is left out stays. A clinic of "" is none."""

    password: str | None = Field(None, max_length=1000)
    roles: list[Role] | None = Field(None, min_length=1, max_length=4)
    clinic: str | None = Field(None, max_length=200)
    disabled: bool | None = None


class GrantAnswer(Answer):
    """A role of an outside identity."""

    user: str
    role: str
    clinic: str
    created_at: datetime


class GrantsAnswer(Answer):
    """All roles of outside identities."""

    items: list[GrantAnswer]
    total: int


class NewGrant(Body):
    """Roles for somebody whom an outside issuer signs in."""

    user: str = Field(max_length=200)
    roles: list[Role] = Field(min_length=1, max_length=4)
    clinic: str | None = Field(None, max_length=200)


def routes(accounts: Accounts) -> Area:
    """The area `users`."""
    area = Area("users", "Users")

    @area.get("/api/users", capability="users.admin", query=Page, answer=UsersAnswer)
    def users(query: Page) -> UsersAnswer:
        """Accounts, by name."""
        found, total = accounts.page(query.limit, query.offset)
        return UsersAnswer(items=[_user(one) for one in found], total=total)

    @area.post("/api/users", capability="users.admin", body=NewUser, answer=UserAnswer, status=201, errors=(409,))
    def create(body: NewUser) -> UserAnswer:
        """Make an account."""
        return _user(accounts.create(body.name, body.password, body.roles, body.clinic, caller()))

    @area.put("/api/users/<name>", capability="users.admin", body=UserChange, answer=UserAnswer, errors=(404, 409))
    def change(name: str, body: UserChange) -> UserAnswer:
        """Set password, roles, clinic, or shut and open an account. A new password or shutting ends its sessions."""
        was = accounts.find(name)
        if body.password is not None:
            check_new(body.password, was.name)  # before anything of it is done
        if body.roles is not None or body.clinic is not None:
            clinic = was.clinic if body.clinic is None else body.clinic
            accounts.set_roles(name, body.roles or was.roles, clinic, caller())
        if body.password is not None:
            accounts.set_password(name, body.password, caller())
        if body.disabled is not None and body.disabled != was.disabled:
            (accounts.disable if body.disabled else accounts.enable)(name, caller())
        return _user(accounts.find(name))

    @area.get("/api/users/grants", capability="users.admin", answer=GrantsAnswer)
    def grants() -> GrantsAnswer:
        """Roles of outside identities."""
        found = accounts.grants()
        items = [GrantAnswer(user=g.user, role=g.role, clinic=g.clinic, created_at=g.created_at) for g in found]
        return GrantsAnswer(items=items, total=len(items))

    @area.post("/api/users/grants", capability="users.admin", body=NewGrant, status=204)
    def grant(body: NewGrant) -> None:
        """Give an outside identity roles."""
        accounts.grant(body.user, body.roles, body.clinic, caller())

    @area.delete("/api/users/grants/<path:user>", capability="users.admin", status=204, errors=(404,))
    def revoke(user: str) -> None:
        """Take all roles from an outside identity."""
        if not accounts.revoke(user, caller()):
            raise NotFound("This outside identity has no roles here.")

    return area


def _user(account: Account) -> UserAnswer:
    return UserAnswer(
        name=account.name,
        roles=list(account.roles),
        clinic=account.clinic,
        disabled=account.disabled,
        created_at=account.created_at,
        last_sign_in_at=account.last_sign_in_at,
    )
