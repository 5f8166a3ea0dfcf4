"""Who may read the file of an embedded database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from readingroom.db import open_database
from sqlalchemy import text


@pytest.mark.parametrize("before", [None, 0o644, 0o600])
def test_no_other_account_reads_a_database(tmp_path: Path, before: int | None) -> None:
    place = tmp_path / "readingroom.db"
    if before is not None:
        place.touch()
        place.chmod(before)
    mask = os.umask(0)
    try:
        database = open_database(f"sqlite:///{place}")
        with database.write() as connection:
            connection.execute(text("CREATE TABLE patient (name TEXT)"))
        modes = {each.name: each.stat().st_mode & 0o007 for each in tmp_path.iterdir()}
        database.close()
    finally:
        os.umask(mask)
    assert modes == {"readingroom.db": 0, "readingroom.db-wal": 0, "readingroom.db-shm": 0}
