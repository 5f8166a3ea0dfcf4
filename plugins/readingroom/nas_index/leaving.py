"""The end of a visit: what moved, what is gone, what is shown of shared series, how whole each series is."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.nas_index.batch import Tally, count
from readingroom.nas_index.bulk import Bulk, chunks
from readingroom.nas_index.copies import settle_copies_of_source
from readingroom.nas_index.integrity import settle_integrity
from readingroom.nas_index.records import DICOM_ERROR
from readingroom.nas_index.rows import error_path
from readingroom.nas_index.seen import Seen
from readingroom.nas_index.tables import SEARCH_TABLE
from readingroom.sources.names import printable

MOST_GONE = 0.5
"""What lacks a larger part than this of what it had, a source or the one folder that was visited, is taken for a lost
mount."""

FEW = 20
"""Below so many files a part means nothing; only what lacks all of them is taken for lost then."""

AT_ONCE = 2000
"""Files in one transaction: a search waits for none of it, another writer a few milliseconds."""


@dataclass(slots=True)
class Figures:
    """What a visit has done so far, in files."""

    unchanged: int = 0
    added: int = 0
    changed: int = 0
    failed: int = 0


@dataclass(slots=True)
class Left:
    """How a visit ended, in files; `is_lost` says that so much was missing that nothing was taken out."""

    moved: int = 0
    gone: int = 0
    is_lost: bool = False


class Visited(Protocol):
    """What must be known of a visit to end it."""

    source_id: int
    run_id: str
    below: str
    first_new_id: int
    figures: Figures
    unread: set[str]


class Leaving:
    """Ends one visit; each step is a short transaction that leaves every count right."""

    def __init__(self, database: Database, clock: Clock, visit: Visited, seen: Seen) -> None:
        self._database = database
        self._clock = clock
        self._visit = visit
        self._source_id = visit.source_id
        self._seen = seen
        self._unread = frozenset(map(printable, visit.unread))
        self._below = f"{visit.below}/" if visit.below else ""
        self._left = Left()

    def finish(self, complete: bool, accept_loss: bool, beside: Callable[[Connection], None] | None) -> Left:
        """See `Visit.finish`."""
        if complete:
            self._take_out(accept_loss)
        with self._database.write() as connection:
            bulk = Bulk(connection)
            if complete and not self._left.is_lost:
                self._complete(bulk)
            figures = self._visit.figures
            is_changed = bool(figures.added or figures.changed or self._left.gone or self._left.moved)
            if is_changed and bulk.is_postgresql:  # its search asks how frequent each term is
                bulk.run(f"ANALYZE {{}}{SEARCH_TABLE}")
        if is_changed:
            settle_copies_of_source(self._database, self._source_id)
        settle_integrity(self._database, self._source_id)
        if beside is not None:
            with self._database.write() as connection:
                beside(connection)
        return self._left

    def take_out(self, folder: str) -> None:
        """Take out what is known in one folder and was not seen."""
        with self._database.read() as connection:
            rows = Bulk(connection).rows(
                "SELECT f.id FROM {}nas_folder d JOIN {}nas_file f ON f.folder_id = d.id "
                "WHERE d.source_id = ? AND d.path = ?",
                [self._source_id, printable(folder)],
            )
        missing = [row[0] for row in rows if row[0] not in self._seen]
        for some in chunks(missing, AT_ONCE):
            with self._database.write() as connection:
                self._remove(Bulk(connection), list(some))

    def _take_out(self, accept_loss: bool) -> None:
        with self._database.read() as connection:
            known = self._known(Bulk(connection))
        if known == len(self._seen) and not self._below:
            return  # every known file was seen: the rule on an unchanged tree, and no row is looked at
        missing, asked = array("q"), 0
        for asked, file_id in enumerate(self._known_ids(), start=1):  # noqa: B007  # how many they are is needed below
            if file_id not in self._seen:
                missing.append(file_id)
        if self._below:  # a folder may be a mount of its own
            known = asked
        is_most = len(missing) > MOST_GONE * known and (known >= FEW or len(missing) == known)
        if is_most and not accept_loss:
            self._left.is_lost = True
            return
        for some in chunks(missing, AT_ONCE):
            with self._database.write() as connection:
                self._remove(Bulk(connection), list(some))

    def _known(self, bulk: Bulk) -> int:
        rows = bulk.rows("SELECT file_count + other_count FROM {}nas_source WHERE id = ?", [self._source_id])
        return int(rows[0][0])

    def _known_ids(self) -> Iterator[int]:
        """Ids of the known files, except below folders that could not be read this time."""
        with self._database.read() as connection:
            bulk = Bulk(connection)
            folders = bulk.rows("SELECT id, path FROM {}nas_folder WHERE source_id = ?", [self._source_id])
            asked = [folder_id for folder_id, path in folders if self._is_asked(path)]
            for some in chunks(asked):
                listed, values = bulk.among(some)
                for row in bulk.rows(f"SELECT id FROM {{}}nas_file WHERE folder_id {listed}", values):  # noqa: S608
                    yield row[0]

    def _is_asked(self, folder: str) -> bool:
        if self._below and not f"{folder}/".startswith(self._below):
            return False
        if not self._unread:
            return True
        # Upwards, not along all that was unread: of an archive with wrong rights that may be every folder.
        while folder and folder not in self._unread:
            folder = folder.rpartition("/")[0]
        return folder not in self._unread

    def _remove(self, bulk: Bulk, file_ids: list[int]) -> None:
        rows: list[Any] = []
        for some in chunks(file_ids):
            listed, values = bulk.among(some)
            rows += bulk.rows(
                "SELECT f.id, f.series_id, f.size, f.sop_instance_uid, d.path, f.name "  # noqa: S608
                f"FROM {{}}nas_file f JOIN {{}}nas_folder d ON d.id = f.folder_id WHERE f.id {listed}",
                values,
            )
            bulk.run(f"DELETE FROM {{}}nas_file WHERE id {listed}", values)  # noqa: S608
        tallies: dict[int, Tally] = {}
        others = 0
        for _, series_id, size, *_ in rows:
            if series_id is None:
                others -= 1
                continue
            tally = tallies.setdefault(series_id, Tally())
            tally.files -= 1
            tally.size -= size
        moved = self._moved(bulk, rows, list(tallies))
        self._left.moved += moved
        self._left.gone += len(rows) - moved
        count(bulk, self._source_id, tallies, others, 0, bulk.moment(self._clock.now()))
        self._forget_errors(bulk, [f"{path}/{name}" if path else name for *_, path, name in rows])

    def _moved(self, bulk: Bulk, rows: list[Any], series: list[int]) -> int:
        """How many of these came up at another place during this visit: same SOPInstanceUID, same size."""
        arrived: Counter[tuple[int, str, int]] = Counter()
        for some in chunks(series):
            listed, values = bulk.among(some)
            arrived.update(
                tuple(row)
                for row in bulk.rows(
                    "SELECT series_id, sop_instance_uid, size FROM {}nas_file "  # noqa: S608
                    f"WHERE series_id {listed} AND id >= ?",
                    [*values, self._visit.first_new_id],
                )
            )
        left = Counter((series_id, uid, size) for _, series_id, size, uid, *_ in rows)
        return sum(min(many, arrived[each]) for each, many in left.items())

    def _forget_errors(self, bulk: Bulk, paths: list[str]) -> None:
        for some in chunks(paths):
            listed, values = bulk.among(map(error_path, some))
            bulk.run(
                f"DELETE FROM {{}}nas_error WHERE source_id = ? AND path {listed}",  # noqa: S608
                [self._source_id, *values],
            )

    def _complete(self, bulk: Bulk) -> None:
        now = bulk.moment(self._clock.now())
        # What could not be read some time ago was tried again now: it is good, gone, or noted anew.
        bulk.run(
            "DELETE FROM {}nas_error WHERE source_id = ? AND run_id <> ? AND error_type <> ? "
            "AND substr(path, 1, ?) = ?",
            [self._source_id, self._visit.run_id, DICOM_ERROR, len(self._below), self._below],
        )
        if not self._below:
            bulk.run("UPDATE {}nas_source SET completed_at = ? WHERE id = ?", [now, self._source_id])
