"""Whose a row is: the clinic comes from the verified identity alone, and a patient belongs to a clinic."""

from __future__ import annotations

import re
import uuid
from typing import Any

from sqlalchemy import BigInteger, Connection, column, literal, select, table
from sqlalchemy.exc import DBAPIError

from readingroom.db import Database
from readingroom.errors import NoClinic, NotFound, SettingsError
from readingroom.identity import Identity

MAX_ID = (1 << 63) - 1
"""A bigint's largest."""

_NAME = re.compile(r"(?:(?P<schema>[A-Za-z_][A-Za-z0-9_]{0,62})\.)?(?P<table>[A-Za-z_][A-Za-z0-9_]{0,62})")


def clinic_of(identity: Identity) -> int:
    """The number of the clinic that this identity acts for. Raises NoClinic."""
    said = identity.clinic or ""
    if not (said.isascii() and said.isdigit() and said[0] != "0" and int(said[:20]) <= MAX_ID):
        raise NoClinic("Imaging is for members of a clinic, and your sign-in names none.")
    return int(said)


def uuid_of(identity: Identity) -> str | None:
    """What the columns `created_by_id` and `updated_by_id` hold; accounts of our own are named in the trail alone."""
    try:
        return str(uuid.UUID(identity.user))
    except ValueError:
        return None


class Patients:
    """Says which patients are a clinic's."""

    def __init__(self, database: Database, table_name: str) -> None:
        """`table_name` is the site's own (`public.patient`), with columns id and clinic_id; "" where it has none.

        Raises SettingsError where that table cannot be asked.
        """
        self._patient: Any = None
        if not table_name:
            return
        name = _NAME.fullmatch(table_name)
        if name is None:
            raise SettingsError("IMAGING_PATIENT_TABLE is the name of a table, such as public.patient.")
        # The site's schema, not ours, where none is said.
        schema = (name["schema"] or "public") if database.is_postgresql else name["schema"]
        self._patient = table(name["table"], column("id", BigInteger), column("clinic_id", BigInteger), schema=schema)
        try:
            with database.read() as connection:
                self._belongs(connection, 0, 0)
        except DBAPIError:
            raise SettingsError(
                f"IMAGING_PATIENT_TABLE: {table_name} cannot be asked for its columns id and clinic_id."
            ) from None

    def check(self, connection: Connection, clinic: int, patient_id: int) -> None:
        """Raises NotFound for a patient of another clinic, and for one who is not there.

        Where the site has no table of patients, every number is a patient's, of each clinic apart.
        """
        if self._patient is not None and not self._belongs(connection, clinic, patient_id):
            raise NotFound("There is no such patient.")

    def _belongs(self, connection: Connection, clinic: int, patient_id: int) -> bool:
        columns = self._patient.c
        wanted = select(literal(1)).where(columns.id == patient_id, columns.clinic_id == clinic).limit(1)
        return connection.execute(wanted).first() is not None
