"""Series that several sources have: which one is shown is chosen anew without keeping everybody else waiting."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from readingroom.clock import FakeClock
from readingroom.db import Database
from readingroom.nas_index import copies
from readingroom.nas_index.bulk import Bulk
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.tables import nas_series
from sqlalchemy import select

from tests.http.nas_index.test_catalogue import check, go, series


def test_two_ways_to_one_nas_are_settled_some_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue(database, FakeClock())
    mount = catalogue.source("mount", "local", "/mnt/nas")
    share = catalogue.source("share", "smb", "smb://nas/images")
    files = {path: each for n in range(10) for path, each in series(f"s{n}", str(n), [1]).items()}
    go(catalogue, mount, files)
    go(catalogue, share, files)
    go(catalogue, share, series("alone", "11", [1]) | files)
    at_once: list[int] = []
    settle = copies.settle_copies

    def counted(bulk: Bulk, keys: Sequence[str]) -> None:
        at_once.append(len(keys))
        settle(bulk, keys)

    monkeypatch.setattr(copies, "AT_ONCE", 4)
    monkeypatch.setattr(copies, "settle_copies", counted)

    def shown() -> list[int]:
        with database.read() as connection:
            found = connection.scalars(select(nas_series.c.source_id).where(nas_series.c.is_copy.is_(False)))
            return sorted(found)

    assert shown() == [mount] * 10 + [share]
    catalogue.offline(mount, "The mount is gone.")
    assert shown() == [share] * 11
    catalogue.online(mount)
    assert shown() == [mount] * 10 + [share]
    assert at_once == [4, 4, 2] * 2
    check(database)
