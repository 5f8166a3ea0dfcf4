"""Paths longer than an index of PostgreSQL takes: a line of a list that is a page of text ends no run."""

from __future__ import annotations

import random
import string

from readingroom.clock import FakeClock
from readingroom.db import Database
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.tables import nas_error
from sqlalchemy import select

from tests.http.nas_index.test_catalogue import check, go, junk, series


def test_an_endless_path_is_an_error_like_any_other(database: Database) -> None:
    catalogue = Catalogue(database, FakeClock())
    nas = catalogue.source("list", "list", "/mnt/list.txt")
    chance = random.Random(1)  # what repeats itself is packed, and fits
    endless = ["".join(chance.choices(string.ascii_letters + "äßあ", k=60_000)) for _ in range(2)]
    alike = [f"{endless[0]}{n}" for n in range(2)]
    files = series("a", "1", [1, 2])
    for path in (*endless, *alike):
        files |= junk(path, "filesystem")
    go(catalogue, nas, files, run="first")
    go(catalogue, nas, files, run="second")
    with database.read() as connection:
        told = list(connection.scalars(select(nas_error.c.path)))
    assert len(told) == len(set(told)) == 4
    assert all(any(path.startswith(each[:500]) for path in endless) for each in told)
    go(catalogue, nas, series("a", "1", [1, 2]), run="third")
    with database.read() as connection:
        assert list(connection.scalars(select(nas_error.c.path))) == []
    check(database)
