"""What runs beside requests: one part that fails keeps no other from beginning, hearing, or ending."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from readingroom.app import Room
from readingroom.db import open_database


def test_a_part_that_fails_keeps_no_other_from_its_work(room: Room, tmp_path: Path) -> None:
    done: list[str] = []

    def fails(*_: str) -> None:
        raise RuntimeError("the database is away")

    def works(name: str = "called") -> None:
        done.append(name)

    def heard(resource: str) -> None:
        done.append(resource)

    parts = [fails, works]
    other = replace(
        room, database=open_database(f"sqlite:///{tmp_path}/other.db"), starts=parts, stops=[works, fails],
        deletions=[fails, heard], arrivals=[fails, heard], settlings=[fails, heard],
    )  # fmt: skip
    other.start()
    other.resource_deleted("deleted")
    other.series_arrived("arrived")
    other.series_settled("settled")
    other.stop()
    assert done == ["called", "deleted", "arrived", "settled", "called"]
