"""What a database says when it refuses a statement."""

from __future__ import annotations

import pytest
from readingroom.cases.tables import deidentified_uid
from readingroom.db import Database
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError


def test_a_refusal_does_not_tell_what_the_statement_was_about(database: Database) -> None:
    row = {"case_id": "of no case", "kind": "PatientName", "original": "Doe^Jane", "replacement": "x"}
    with pytest.raises(SQLAlchemyError) as refused, database.write() as connection:
        connection.execute(insert(deidentified_uid), row)
    assert "case_deidentified_uid" in str(refused.value)
    assert "Doe" not in f"{refused.value!s} {refused.value!r}"
