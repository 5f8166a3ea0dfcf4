"""The operator's command line, `scripts/admin`: accounts, outside identities' roles, the audit trail, assets."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import structlog
import typer

from readingroom import identity
from readingroom.admin_room import ground, say
from readingroom.assets_cli import assets
from readingroom.audit import Reading, Trail
from readingroom.audit.events import AuditExported, AuditVerified
from readingroom.audit.reading import Filter
from readingroom.clock import iso
from readingroom.errors import BadRequest
from readingroom.identity import Caller
from readingroom.identity.accounts import Accounts

app = typer.Typer(
    name="admin", no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False, help="Accounts, audit trail and assets of a Reading Room, whether it runs or not.",
)  # fmt: skip
user = typer.Typer(no_args_is_help=True, help="Accounts, and the roles of identities from an outside issuer.")
audit = typer.Typer(no_args_is_help=True, help="The audit trail.")
app.add_typer(user, name="user")
app.add_typer(audit, name="audit")
app.add_typer(assets, name="assets")

PAGE = 500


class Role(StrEnum):
    """Roles that can be given."""

    ADMIN = "admin"
    STAFF = "staff"
    STUDENT = "student"
    CLINICIAN = "clinician"


class Form(StrEnum):
    """What an export looks like."""

    CSV = "csv"
    JSONL = "jsonl"


Name = Annotated[str, typer.Argument(help="Name of the account; upper and lower case are the same.")]
Roles = Annotated[list[Role], typer.Option("--role", help="A role; may be given more than once.")]
Clinic = Annotated[str | None, typer.Option(help="The clinic that the roles count in.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@dataclass(frozen=True, slots=True)
class Room:
    """What the commands work with."""

    accounts: Accounts
    trail: Trail
    reading: Reading
    caller: Caller


@app.callback()
def choose(
    data: Annotated[
        Path | None, typer.Option(help="Data folder of the instance; default: the repository's `data`.")
    ] = None,
) -> None:
    """Accounts, audit trail and assets of a Reading Room, whether it runs or not."""
    if data is not None:
        os.environ["READINGROOM_DATA"] = str(data.absolute())


@user.command()
def add(name: Name, role: Roles, clinic: Clinic = None, password_stdin: PasswordStdin = False) -> None:
    """Make an account (with --password-stdin), or give an outside identity roles (without).

    An outside identity is somebody whom the issuer of JWT_OUTSIDE_ISSUER signs in; NAME is then the user id
    in its tokens.
    """
    with room() as r:
        if password_stdin:
            made = r.accounts.create(name, read_password(), role, clinic, r.caller)
            say(f"Account {made.name} made: {', '.join(made.roles)}{_in(made.clinic)}.")
        else:
            r.accounts.grant(name, role, clinic, r.caller)
            say(
                f"Outside identity {name} now is: {', '.join(role)}{_in(clinic)}. "
                "No password was given, so no account was made."
            )


@user.command()
def passwd(name: Name, password_stdin: PasswordStdin = False) -> None:
    """Set a password; every session of the account ends."""
    with room() as r:
        r.accounts.find(name)  # before anybody types for nothing
        r.accounts.set_password(name, read_password() if password_stdin else ask_password(), r.caller)
        say(f"Password of {name} set; its sessions have ended.")


@user.command()
def roles(name: Name, role: Roles, clinic: Clinic = None) -> None:
    """Set the roles of an account, in place of those it has."""
    with room() as r:
        r.accounts.set_roles(name, role, clinic, r.caller)
        say(f"{name} now is: {', '.join(role)}{_in(clinic)}.")


@user.command()
def disable(name: Name) -> None:
    """Shut an account; it stops working within seconds."""
    with room() as r:
        r.accounts.disable(name, r.caller)
        say(f"{name} is disabled.")


@user.command()
def enable(name: Name) -> None:
    """Open a shut account again."""
    with room() as r:
        r.accounts.enable(name, r.caller)
        say(f"{name} is enabled.")


@user.command()
def revoke(name: Annotated[str, typer.Argument(help="User id in the outside issuer's tokens.")]) -> None:
    """Take all roles from an outside identity."""
    with room() as r:
        taken = r.accounts.revoke(name, r.caller)
        if not taken:
            raise BadRequest(f"The outside identity {name} has no roles here.")
        say(f"{name} has lost {taken} role{'s' if taken > 1 else ''}.")


@user.command("list")
def list_users() -> None:
    """List accounts, then outside identities: tab-separated, one a line."""
    with room() as r:
        say("kind\tname\troles\tclinic\tstate\tlast sign-in")
        for one in _all(r.accounts.page):
            state = "disabled" if one.disabled else "enabled"
            seen = iso(one.last_sign_in_at) if one.last_sign_in_at else "never"
            say(f"account\t{one.name}\t{','.join(one.roles)}\t{one.clinic or ''}\t{state}\t{seen}")
        for grant in r.accounts.grants():
            say(f"outside\t{grant.user}\t{grant.role}\t{grant.clinic}\tenabled\t")


@audit.command()
def verify(
    anchor: Annotated[
        str | None, typer.Option(help="LENGTH:HASH that an earlier verify printed and you kept elsewhere.")
    ] = None,
) -> None:
    """Follow the whole chain; names the first event that was changed or taken out. Status 1 when there is
    one.
    """
    with room() as r:
        verdict = r.reading.verify(_anchor(anchor) if anchor else None)
        r.trail.record(AuditVerified(outcome="ok" if verdict.whole else "failed", checked=verdict.checked,
                                     first_broken=verdict.first_broken), r.caller)  # fmt: skip
        if not verdict.whole:
            say(f"BROKEN at event {verdict.first_broken}: {verdict.problem}", err=True)
            raise typer.Exit(1)
        say(f"Whole: {verdict.checked} events. Keep this somewhere else, for --anchor: {verdict.length}:{verdict.head}")


@audit.command()
def export(
    form: Annotated[Form, typer.Option("--format", help="csv for spreadsheets, jsonl for programs.")] = Form.CSV,
    action: Annotated[str | None, typer.Option(help="Only this action, or `cases.` for all that begin so.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this user did.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", help="UTC; included.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="UTC; not included.")] = None,
) -> None:
    """Write the trail to standard output, oldest first."""
    with room() as r:
        r.trail.record(AuditExported(form=form.value), r.caller)
        wanted = Filter(action=action, actor=actor, since=_utc(since), until=_utc(until))
        for part in r.reading.csv(wanted) if form is Form.CSV else r.reading.json_lines(wanted):
            sys.stdout.write(part)


@contextmanager
def room() -> Iterator[Room]:
    """The parts, on a database that is up to date; errors become one sentence and status 1."""
    with ground() as on:
        trail = Trail(on.database, on.clock)
        accounts = identity.build(on.settings, on.database, trail, on.clock).accounts
        yield Room(accounts, trail, Reading(on.database), on.caller)


def read_password() -> str:
    """The password on standard input, without its line end. Raises BadRequest when there is none."""
    said = sys.stdin.readline(4096).rstrip("\r\n")
    if not said:
        raise BadRequest("There is no password on standard input.")
    return said


def ask_password() -> str:
    """A password typed twice. Raises BadRequest."""
    if not sys.stdin.isatty():
        raise BadRequest("Give the password with --password-stdin.")
    first = getpass.getpass("New password: ")
    if getpass.getpass("Once more: ") != first:
        raise BadRequest("The two are not the same.")
    return first


def _all[T](page: Callable[[int, int], tuple[list[T], int]]) -> Iterator[T]:
    offset = 0
    while True:
        items, _ = page(PAGE, offset)
        yield from items
        if len(items) < PAGE:
            return
        offset += PAGE


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _in(clinic: str | None) -> str:
    return f" in clinic {clinic}" if clinic else ""


def _anchor(text: str) -> tuple[int, str]:
    length, colon, said = text.partition(":")
    if not colon or not length.isdecimal():
        raise BadRequest("An anchor is LENGTH:HASH, as verify prints it.")
    return int(length), said.strip()


def main() -> None:
    """Run the command line."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        app(prog_name="admin")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains at its end
        sys.exit(141)


if __name__ == "__main__":
    main()
