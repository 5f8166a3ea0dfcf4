"""Runs that were cut off go on when the instance starts; what keeps one from it keeps nothing else from starting."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from readingroom.audit import Trail
from readingroom.clock import SystemClock
from readingroom.nas_index import start
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.runs import GOES_ON, Wish
from readingroom.nas_index.start import Indexing

from tests.fixtures.nas import Nas


def test_a_full_disk_keeps_a_run_from_going_on_and_nothing_else(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    database, clock = nas.room.database, SystemClock()
    catalogue = Catalogue(database, clock)
    indexing = Indexing(nas.settings, database, clock, Trail(database, clock), catalogue)
    source = catalogue.source(str(nas.root), "local", str(nas.root))
    cut_off = indexing.runs.begin(Wish(source), "staff")
    indexing.runs.abandon(cut_off, GOES_ON)
    started: list[str] = []

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(start, "start_process", full)
    indexing.go_on()
    tried = nas.status()
    assert (tried["run_id"] != cut_off, tried["state"]) == (True, "interrupted")
    assert "No space left on device" in tried["message"]
    monkeypatch.setattr(start, "start_process", lambda *given: started.extend(given[2]))
    indexing.go_on()  # at the next start
    assert started == [nas.status()["run_id"]]
    assert nas.status()["state"] == "queued"
