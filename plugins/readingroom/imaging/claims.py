"""Whose a stored object is: an asset's, nobody's any more, or nothing that this database ever made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from sqlalchemy import func, select

from readingroom.db import Database
from readingroom.imaging.tables import imaging_asset
from readingroom.objects import Stat, parts_of, thumb_key, web_key

AT_A_TIME = 500
"""Objects whose rows are looked for in one question."""

ERASED = "erased"
"""State of an asset that was deleted and whose bytes are gone."""

LOST = "lost"
"""State of an asset whose original is not there, or not what it was: seen and written down by `checking`."""

Claim = Literal["claimed", "orphan", "foreign"]

_ID = re.compile(r"(?P<id>[1-9][0-9]{0,18})_.+")


@dataclass(frozen=True, slots=True)
class Claimed:
    """An object, and whose it is.

    An orphan has the name of an asset that this database knew and has no more. What has a name that this database has
    not come to yet, or that contradicts the row of that number, is foreign: another database's, or of a time after the
    backup that this one was restored from. It may be the last copy of somebody's picture.
    """

    stat: Stat
    claim: Claim


def claims(database: Database, objects: Iterable[Stat]) -> Iterator[Claimed]:
    """Each object with its claim, in order. Rows are read after objects were seen: a row comes before its object."""
    waiting = iter(objects)
    while batch := list(islice(waiting, AT_A_TIME)):
        ids = {stat.key: _asset_of(stat.key) for stat in batch}
        c = imaging_asset.c
        columns = (c.id, c.clinic_id, c.patient_id, c.study_id, c.state, c.storage_key, c.thumb_key, c.web_key)
        wanted = select(*columns).where(c.id.in_({number for number in ids.values() if number}))
        with database.read() as connection:
            rows: dict[int, Any] = {row.id: row for row in connection.execute(wanted)}
            newest = connection.scalar(select(func.max(c.id))) or 0
        for stat in batch:
            number = ids[stat.key]
            yield Claimed(stat, _claim(stat.key, number, rows.get(number), newest))


def _claim(key: str, number: int, row: Any, newest: int) -> Claim:
    if row is None:
        return "orphan" if 0 < number <= newest else "foreign"
    place = (row.clinic_id, row.patient_id, row.study_id, row.id)
    its_own = key in (row.storage_key, row.thumb_key, row.web_key, thumb_key(*place), web_key(*place))
    if not its_own:
        return "foreign"
    return "orphan" if row.state == ERASED else "claimed"


def _asset_of(key: str) -> int:
    """The number that an object's name begins with; 0 for none."""
    match = _ID.fullmatch(parts_of(key).name)
    return int(match["id"]) if match else 0
