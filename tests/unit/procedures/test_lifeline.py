"""A procedure is dead when nobody holds its lock; one that is just taking it is not."""

from __future__ import annotations

import fcntl
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from readingroom.procedures.lifeline import Lifeline, Taken

JUST_NOW, LONG_AGO = timedelta(0), timedelta(hours=1)


def test_who_holds_a_lock_lives_and_nobody_else_takes_it(tmp_path: Path) -> None:
    lifeline = Lifeline(tmp_path, "index")
    with lifeline.held("run"):
        assert not lifeline.is_dead("run", LONG_AGO)
        with pytest.raises(Taken), lifeline.held("run"):
            pass
        assert not lifeline.is_dead("run", LONG_AGO)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_nobody_holds_is_that_of_a_dead_process(tmp_path: Path) -> None:
    (tmp_path / "index-run.lock").touch()
    assert Lifeline(tmp_path, "index").is_dead("run", JUST_NOW)
    assert Lifeline(tmp_path, "index").is_dead("run", JUST_NOW), "whoever asks next, before it is written down"
    assert not Lifeline(tmp_path, "index").is_dead("other", JUST_NOW)  # as if it never was: only its heart can tell
    assert Lifeline(tmp_path, "index").is_dead("other", LONG_AGO)


def test_what_a_killed_process_left_is_swept_away_a_day_later(tmp_path: Path) -> None:
    lifeline = Lifeline(tmp_path, "index")
    for name in ("index-old.lock", "index-new.lock", "import-old.lock"):
        (tmp_path / name).touch()
    for name in ("index-old.lock", "import-old.lock"):
        os.utime(tmp_path / name, (0, 0))
    with lifeline.held("long"):
        os.utime(tmp_path / "index-long.lock", (0, 0))
        with lifeline.held("run"):
            assert not lifeline.is_dead("long", JUST_NOW)
    assert sorted(place.name for place in tmp_path.iterdir()) == ["import-old.lock", "index-new.lock"]


def test_a_process_that_is_slow_to_take_its_lock_is_not_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifeline, seen = Lifeline(tmp_path, "index"), []
    taken = fcntl.flock

    def slow(lock: Any, how: int) -> None:
        if threading.current_thread().name == "slow" and how & fcntl.LOCK_EX:
            monkeypatch.setattr(fcntl, "flock", taken)
            seen.append(lifeline.is_dead("run", JUST_NOW))
        taken(lock, how)

    def hold() -> None:
        with lifeline.held("run"):
            seen.append(lifeline.is_dead("run", JUST_NOW))

    monkeypatch.setattr(fcntl, "flock", slow)
    holder = threading.Thread(target=hold, name="slow")
    holder.start()
    holder.join()
    assert seen == [False, False]
