"""Files that are as they were, of which a database says something else now: another series, number or name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readingroom.nas_index.batch import place
from readingroom.nas_index.bulk import Bulk, chunks
from readingroom.nas_index.records import Found
from readingroom.nas_index.rows import COLUMNS, Recognise, clean, instance_number, series_row
from readingroom.nas_index.seen import Seen


def differing(
    bulk: Bulk,
    source_id: int,
    found: Sequence[Found],
    folders: Mapping[str, int],
    recognise: Recognise,
    described: Seen,
) -> list[Found]:
    """Those of these files that must be stored again although they did not change.

    Of a series the first file to come decides about its words, once: `described` are the ids of the series that had
    theirs.
    """
    placed = [(each, *place(each.path)) for each in found]
    pairs = [(folders[folder], name) for _, folder, name in placed if folder in folders]
    rows = bulk.files_named(pairs, "f.folder_id, f.name, f.series_id, f.sop_instance_uid, f.instance_number")
    known = {(folder_id, name): (series_id, uid, number) for folder_id, name, series_id, uid, number in rows}
    series = _series(bulk, {series_id for series_id, *_ in known.values() if series_id is not None})
    others = []
    for each, folder, name in placed:
        series_id, uid, number = known.get((folders.get(folder, 0), name), (None, "", None))
        if series_id not in series:
            others.append(each)
            continue
        key, *words = series[series_id]
        now = (each.key, clean(each.header.SOPInstanceUID), instance_number(each.header))
        if (key, uid, number) != now:
            others.append(each)
        elif series_id not in described:
            described.add(series_id)
            if series_row(each.header, series_id, source_id, recognise).values != tuple(words):
                others.append(each)
    return others


def _series(bulk: Bulk, ids: set[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for some in chunks(sorted(ids)):
        listed, values = bulk.among(some)
        rows = bulk.rows(f"SELECT id, series_key, {', '.join(COLUMNS)} FROM {{}}nas_series WHERE id {listed}", values)  # noqa: S608
        found.update((row[0], list(row[1:])) for row in rows)
    return found
