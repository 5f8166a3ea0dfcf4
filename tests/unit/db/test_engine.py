"""Who may read the file of an embedded database, and how it is opened by several at once."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from readingroom.db import open_database
from sqlalchemy import text
from sqlalchemy.exc import OperationalError


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


def test_a_new_file_that_another_start_holds_is_waited_for(tmp_path: Path) -> None:
    place = tmp_path / "readingroom.db"
    other = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE patient (name TEXT)")
    with closing(sqlite3.connect(place, timeout=30)) as plain, pytest.raises(sqlite3.OperationalError, match="locked"):
        plain.execute("PRAGMA journal_mode=WAL")  # SQLite itself does not wait for this one
    gone = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    gone.start()
    database = open_database(f"sqlite:///{place}")
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM patient")).scalar() == 0
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    gone.join()
    other.close()
    database.close()


def test_a_file_that_stays_held_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readingroom.db.engine.BUSY_SECONDS", 0.2)
    place = tmp_path / "readingroom.db"
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    database = open_database(f"sqlite:///{place}")
    with pytest.raises(OperationalError, match="locked"), database.read():
        pass
    other.close()
    database.close()
