"""Brings the tables up to date and makes the first admin, before anything answers.

Prints one line of JSON: `{"migration", "adminCreated", "admin", "passwordFile"}`; `passwordFile` is null
unless the password was made up here. Two at once are safe: they agree on one password, and one of them
creates the account.
"""

from __future__ import annotations

import json
import sys
import uuid

from sqlalchemy import func, select

from readingroom import identity
from readingroom.audit import Trail
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.errors import Conflict, ReadingRoomError
from readingroom.identity import Caller, Identity
from readingroom.identity.accounts import Accounts
from readingroom.identity.tables import account
from readingroom.settings import Settings, kept_password

ADMIN = "admin"
PASSWORD_FILE = "admin_password"  # noqa: S105  # a file's name

CALLER = Identity("first-start", "service")


def first_start(settings: Settings) -> dict[str, object]:
    """Do it; what was done, in the words that are printed. Raises ReadingRoomError."""
    database = open_database(settings.database_url)
    try:
        migration = migrate(database)
        clock = SystemClock()
        accounts = identity.build(settings, database, Trail(database, clock), clock).accounts
        with database.read() as connection:
            there_are_some = bool(connection.scalar(select(func.count()).select_from(account)))
        created = not there_are_some and _create_admin(settings, accounts)
    finally:
        database.close()
    made_up = created and not settings.admin_password.get_secret_value()
    place = str(settings.data / "secrets" / PASSWORD_FILE) if made_up else None
    return {"migration": migration, "adminCreated": created, "admin": ADMIN, "passwordFile": place}


def _create_admin(settings: Settings, accounts: Accounts) -> bool:
    password = settings.admin_password.get_secret_value() or kept_password(settings.data, PASSWORD_FILE)
    caller = Caller(CALLER, str(uuid.uuid4()), "")
    try:
        accounts.create(ADMIN, password, ["admin"], None, caller)
    except Conflict:
        return False  # another start was quicker, with the same password
    return True


def main() -> int:
    """Do it and say so; 1 with one sentence on stderr when it cannot be done."""
    try:
        done = first_start(Settings.load())
    except ReadingRoomError as error:
        print(error.message, file=sys.stderr)  # noqa: T201  # what a person at the terminal reads
        return 1
    print(json.dumps(done), flush=True)  # noqa: T201  # what the supervisor reads
    return 0


if __name__ == "__main__":
    sys.exit(main())
