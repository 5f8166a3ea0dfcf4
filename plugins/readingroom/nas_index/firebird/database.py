"""Reads the rows of a mapping, a page at a time, in one read-only transaction."""

from __future__ import annotations

from collections.abc import Generator
from ctypes.util import find_library
from typing import Any

from readingroom.errors import SourceError, SourceRefused, SourceUnreachable
from readingroom.nas_index.firebird.mapping import Mapping


class DatabaseAway(SourceUnreachable):
    """The database server cannot be reached; the pictures themselves may well be there."""

    code = "firebird_unreachable"


PAGE = 500
"""Rows held at a time."""

Row = tuple[Any, ...]

_REFUSED = frozenset({335544472, 335544352, 335544421})
"""isc_login, isc_no_priv, isc_connect_reject"""

_AWAY = frozenset({335544721, 335544722, 335544726, 335544727, 335544648})
"""isc_network_error, isc_net_connect_err, isc_net_read_err, isc_net_write_err, isc_conn_lost"""


def pages(mapping: Mapping) -> Generator[list[Row]]:
    """All rows, `PAGE` at a time, each with the columns of the mapping in its order.

    The statement sees the database as it was when it began; nothing is locked and nothing can be written.
    Raises DatabaseAway, SourceRefused, and SourceError for what the database does not understand.
    """
    if find_library("fbclient") is None:
        raise SourceError(
            "Firebird's client library is not installed on this machine",
            suggestion="Install Debian's package libfbclient2 where Reading Room's processes run.",
        )
    # Only who has such an archive loads the driver, and that library with it.
    from firebird.driver import Isolation, TraAccessMode, connect, tpb  # noqa: PLC0415
    from firebird.driver.types import DatabaseError, Error  # noqa: PLC0415

    reading = tpb(isolation=Isolation.SNAPSHOT, access_mode=TraAccessMode.READ)
    try:
        connection = connect(
            f"inet://{mapping.host}:{mapping.port}/{mapping.database}",
            user=mapping.username,
            password=mapping.password,
            role=mapping.role or None,
            charset=mapping.charset,
        )
        try:
            transaction = connection.transaction_manager(reading)
            cursor = transaction.cursor()
            cursor.execute(mapping.statement)
            while rows := cursor.fetchmany(PAGE):
                yield [tuple(row) for row in rows]
            cursor.close()
            transaction.rollback()
        finally:
            connection.close()
    except UnicodeDecodeError as error:
        raise SourceError(
            "The Firebird database holds text of another character set",
            suggestion="Set firebird.charset to the code page that its programs write, WIN1252 say; it is "
            f"{mapping.charset} now.",
        ) from error
    except DatabaseError as error:
        raise _translated(mapping, error) from error
    except Error as error:
        raise SourceError(f"The Firebird database could not be read: {error}") from error


def _translated(mapping: Mapping, error: Exception) -> SourceError:
    codes = set(getattr(error, "gds_codes", None) or ())
    said = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if codes & _AWAY:
        return DatabaseAway(
            f"The Firebird server {mapping.host}:{mapping.port} does not answer: {said}",
            suggestion="Check that it runs, its address and port, and firewalls in between.",
        )
    if codes & _REFUSED:
        return SourceRefused(
            f"The Firebird database does not let this account in: {said}",
            suggestion="Check user name and password, and that the account may SELECT from the mapped table.",
        )
    return SourceError(
        f"The Firebird database refused the query: {said}",
        suggestion="Check database, table, query and columns of the mapping.",
    )
