"""How whole a series is: gaps in InstanceNumber, one SOPInstanceUID at several paths, or complete."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Literal

from readingroom.db import Database
from readingroom.nas_index.bulk import Bulk

Integrity = Literal["complete", "gaps", "duplicates", "unknown"]

AT_ONCE = 1000
"""Series in one transaction."""


def judge(files: int, uids: int, numbered: int, numbers: int, span: int) -> Integrity:
    """What a series' figures say: files, different UIDs, files with a number, different numbers, last - first + 1.

    A gap weighs more than a duplicate: something is missing. A series whose files carry no numbers is "unknown",
    unless it has one file only.
    """
    if numbered and span > numbers:
        return "gaps"
    if uids < files:
        return "duplicates"
    return "complete" if numbered or files == 1 else "unknown"


def gaps(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The ranges (both ends included) that are missing between the first number and the last."""
    there = sorted(set(numbers))
    return [(low + 1, high - 1) for low, high in pairwise(there) if high - low > 1]


def settle_integrity(database: Database, source_id: int) -> None:
    """Judge every series of a source that changed since it was last judged, some at a time."""
    while True:
        with database.write() as connection:
            bulk = Bulk(connection)
            unsettled = bulk.rows(
                "SELECT id FROM {}nas_series WHERE source_id = ? AND integrity = '' LIMIT ?", [source_id, AT_ONCE]
            )
            if not unsettled:
                return
            _settle(bulk, [row[0] for row in unsettled])


def _settle(bulk: Bulk, series: Sequence[int]) -> None:
    listed, values = bulk.among(series)
    rows: list[Any] = bulk.rows(
        "SELECT series_id, count(*), count(DISTINCT sop_instance_uid), count(instance_number), "  # noqa: S608
        "count(DISTINCT instance_number), max(instance_number), min(instance_number) "
        f"FROM {{}}nas_file WHERE series_id {listed} GROUP BY series_id",
        values,
    )
    judged = {}
    for series_id, files, uids, numbered, numbers, last, first in rows:
        span = int(last) - int(first) + 1 if numbered else 0
        judged[series_id] = judge(files, uids, numbered, numbers, span)
    bulk.each(
        "UPDATE {}nas_series SET integrity = ? WHERE id = ?", [(judged.get(each, "unknown"), each) for each in series]
    )
