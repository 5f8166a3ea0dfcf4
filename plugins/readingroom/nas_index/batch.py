"""Storing one batch: files, their folders, their series and every count, all in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from readingroom.nas_index.bulk import Bulk, Entry, chunks
from readingroom.nas_index.copies import known_elsewhere, settle_copies
from readingroom.nas_index.records import DICOM_ERROR, Failed, Found
from readingroom.nas_index.rows import COLUMNS, Recognise, SeriesRow, clean, error_path, number_of, series_row
from readingroom.nas_index.tables import UNSETTLED
from readingroom.sources.names import printable

Place = tuple[str, str]
"""Folder and name of a file, as they are stored."""

FILE_COLUMNS = ("id", "folder_id", "series_id", "name", "size", "mtime_ns", "sop_instance_uid", "instance_number")
SERIES_COLUMNS = (
    "id", "source_id", "series_key", *COLUMNS, "file_count", "size_bytes", "integrity", "is_copy", "stored_at",
)  # fmt: skip
ERROR_COLUMNS = (
    "source_id", "run_id", "path", "error_type", "error_code", "message", "suggestion", "retry_count", "time",
)  # fmt: skip


@dataclass(slots=True)
class Stored:
    """What storing a batch came to, in files; `file_ids` are those that are known now."""

    added: int = 0
    changed: int = 0
    failed: int = 0
    new_series: int = 0
    file_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What a batch does to one series' counts."""

    files: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue has of a file at this moment; without a series it is known not to be DICOM."""

    id: int
    series_id: int | None
    size: int


class Batch:
    """One transaction's worth of files of one source."""

    def __init__(self, bulk: Bulk, source_id: int, run_id: str, now: datetime, recognise: Recognise) -> None:
        self._bulk = bulk
        self._source_id = source_id
        self._run_id = run_id
        self._now = bulk.moment(now)
        self._recognise = recognise
        self._tallies: dict[int, Tally] = {}
        self._others = 0
        self._fresh: set[str] = set()
        """Folders that nothing was known of: nor of their files, and nobody needs to be asked."""
        self._stored = Stored()

    def store(self, found: Sequence[Found], failed: Sequence[Failed]) -> Stored:
        """Store all of it; a path that comes twice counts once, as its last."""
        read = {place(each.path): each for each in found}
        lasting = {place(each.path): each for each in failed if each.error_type == DICOM_ERROR}
        for at in lasting.keys() & read.keys():
            del read[at]
        folders = self._folders({folder for folder, _ in (*read, *lasting)})
        asked = [(folder, name) for folder, name in (*read, *lasting) if folder not in self._fresh]
        known = self._known([(folders[folder], name) for folder, name in asked])
        series = self._series(list(read.values()))
        self._files(read, folders, known, series)
        self._bad_files(lasting, folders, known)
        mended = []
        if known:
            self._describe_again(read, folders, known, series)
            before = [(at, known.get((folders[at[0]], at[1]))) for at in asked if at in read]
            mended = [at for at, what in before if what is not None and what.series_id is None]
        self._count()
        self._errors([*failed], mended)
        self._stored.failed = len(failed)
        return self._stored

    def _folders(self, paths: set[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for some in chunks(sorted(paths)):
            listed, values = self._bulk.among(some)
            found.update(
                self._bulk.rows(
                    f"SELECT path, id FROM {{}}nas_folder WHERE source_id = ? AND path {listed}",  # noqa: S608
                    [self._source_id, *values],
                )
            )
        fresh = sorted(paths - found.keys())
        self._fresh.update(fresh)
        ids = self._bulk.new_ids("nas_folder", len(fresh))
        rows = [(folder_id, self._source_id, path) for folder_id, path in zip(ids, fresh, strict=True)]
        self._bulk.insert("nas_folder", ("id", "source_id", "path"), rows)
        found.update((path, folder_id) for folder_id, _, path in rows)
        return found

    def _known(self, pairs: list[tuple[int, str]]) -> dict[tuple[int, str], Known]:
        rows = self._bulk.files_named(pairs, "f.folder_id, f.name, f.id, f.series_id, f.size")
        return {(folder, name): Known(file_id, series_id, size) for folder, name, file_id, series_id, size in rows}

    def _series(self, found: Sequence[Found]) -> dict[str, int]:
        firsts = {each.key: each for each in reversed(found)}  # of each series, the first file that brings it
        known: dict[str, int] = {}
        for some in chunks(list(firsts)):
            listed, values = self._bulk.among(some)
            known.update(
                self._bulk.rows(
                    f"SELECT series_key, id FROM {{}}nas_series WHERE source_id = ? AND series_key {listed}",  # noqa: S608
                    [self._source_id, *values],
                )
            )
        fresh = [each for key, each in firsts.items() if key not in known]
        if not fresh:
            return known
        elsewhere = known_elsewhere(self._bulk, [each.key for each in fresh], self._source_id)
        rows, entries = [], []
        for series_id, first in zip(self._bulk.new_ids("nas_series", len(fresh)), fresh, strict=True):
            row = series_row(first.header, series_id, self._source_id, self._recognise)
            is_copy = first.key in elsewhere
            rows.append((series_id, self._source_id, first.key, *row.values, 0, 0, UNSETTLED, is_copy, self._now))
            entries.append(Entry(row.position, series_id, is_copy, row.search_text, row.marks, row.terms))
            known[first.key] = series_id
        self._bulk.insert("nas_series", SERIES_COLUMNS, rows)
        self._bulk.index(entries)
        self._stored.new_series = len(fresh)
        return known

    def _files(
        self,
        read: dict[Place, Found],
        folders: dict[str, int],
        known: dict[tuple[int, str], Known],
        series: dict[str, int],
    ) -> None:
        fresh, changed = [], []
        for (folder, name), each in read.items():
            series_id = series[each.key]
            uid, said = each.numbered
            uid, number = clean(uid), number_of(said)
            before = known.get((folders[folder], name))
            self._add(series_id, 1, each.size)
            if before is None:
                fresh.append((folders[folder], series_id, name, each.size, each.mtime_ns, uid, number))
            else:
                self._forget(before)
                changed.append((series_id, each.size, each.mtime_ns, uid, number, before.id))
        self._insert(fresh)
        self._update(changed)
        self._stored.added += len(fresh)
        self._stored.changed += len(changed)

    def _bad_files(
        self, lasting: dict[Place, Failed], folders: dict[str, int], known: dict[tuple[int, str], Known]
    ) -> None:
        fresh, changed = [], []
        for (folder, name), each in lasting.items():
            before = known.get((folders[folder], name))
            self._others += 1
            if before is None:
                fresh.append((folders[folder], None, name, each.size, each.mtime_ns, "", None))
            else:
                self._forget(before)
                changed.append((None, each.size, each.mtime_ns, "", None, before.id))
        self._insert(fresh)
        self._update(changed)

    def _insert(self, rows: list[tuple[Any, ...]]) -> None:
        ids = self._bulk.new_ids("nas_file", len(rows))
        self._bulk.insert("nas_file", FILE_COLUMNS, [(i, *row) for i, row in zip(ids, rows, strict=True)])
        self._stored.file_ids.extend(ids)

    def _update(self, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._bulk.each(
                "UPDATE {}nas_file SET series_id = ?, size = ?, mtime_ns = ?, sop_instance_uid = ?, "
                "instance_number = ? WHERE id = ?",
                rows,
            )
            self._stored.file_ids.extend(row[-1] for row in rows)

    def _add(self, series_id: int, files: int, size: int) -> None:
        tally = self._tallies.get(series_id)
        if tally is None:
            tally = self._tallies[series_id] = Tally()
        tally.files += files
        tally.size += size

    def _forget(self, before: Known) -> None:
        if before.series_id is None:
            self._others -= 1
        else:
            self._add(before.series_id, -1, -before.size)

    def _describe_again(
        self,
        read: dict[Place, Found],
        folders: dict[str, int],
        known: dict[tuple[int, str], Known],
        series: dict[str, int],
    ) -> None:
        """A file that was there and was written to brings its series' new words: a name was corrected, say."""
        again = {
            series[each.key]: each
            for (folder, name), each in read.items()
            if (before := known.get((folders[folder], name))) and before.series_id == series[each.key]
        }
        for some in chunks(list(again)):
            listed, values = self._bulk.among(some)
            rows = self._bulk.rows(
                f"SELECT id, is_copy, position, {', '.join(COLUMNS[1:])} FROM {{}}nas_series WHERE id {listed}",  # noqa: S608
                values,
            )
            for series_id, is_copy, *before in rows:
                now = series_row(again[series_id].header, series_id, self._source_id, self._recognise)
                if tuple(before) != now.values:
                    self._replace(series_id, bool(is_copy), before[0], now)

    def _replace(self, series_id: int, is_copy: bool, position: int, now: SeriesRow) -> None:
        assigned = ", ".join(f"{column} = ?" for column in COLUMNS)
        self._bulk.run(f"UPDATE {{}}nas_series SET {assigned} WHERE id = ?", [*now.values, series_id])  # noqa: S608
        self._bulk.unindex([position])
        self._bulk.index([Entry(now.position, series_id, is_copy, now.search_text, now.marks, now.terms)])

    def _count(self) -> None:
        count(self._bulk, self._source_id, self._tallies, self._others, self._stored.new_series, self._now)

    def _errors(self, failed: list[Failed], mended: list[Place]) -> None:
        shown = {error_path(printable(each.path)): each for each in failed}
        gone = [*shown, *(error_path(f"{folder}/{name}" if folder else name) for folder, name in mended)]
        for some in chunks(gone):
            listed, values = self._bulk.among(some)
            self._bulk.run(
                f"DELETE FROM {{}}nas_error WHERE source_id = ? AND path {listed}",  # noqa: S608
                [self._source_id, *values],
            )
        rows = [
            (
                self._source_id, self._run_id, path, each.error_type, each.error_code,
                clean(each.message), clean(each.suggestion), each.retry_count, self._now,
            )
            for path, each in shown.items()
        ]  # fmt: skip
        self._bulk.insert("nas_error", ERROR_COLUMNS, rows)


def count(bulk: Bulk, source_id: int, tallies: dict[int, Tally], others: int, new_series: int, now: Any) -> None:
    """Bring the counts of series and of their source up to date; a series without files is taken out."""
    bulk.each(
        "UPDATE {}nas_series SET file_count = file_count + ?, size_bytes = size_bytes + ?, integrity = '', "
        "stored_at = ? WHERE id = ?",
        [(tally.files, tally.size, now, series_id) for series_id, tally in tallies.items()],
    )
    shrunk = [series_id for series_id, tally in tallies.items() if tally.files <= 0]
    removed = 0
    for some in chunks(shrunk):
        listed, values = bulk.among(some)
        rows = bulk.rows(
            f"SELECT id, position, series_key FROM {{}}nas_series WHERE id {listed} AND file_count = 0",  # noqa: S608
            values,
        )
        if rows:
            bulk.unindex([row[1] for row in rows])
            listed, values = bulk.among(row[0] for row in rows)
            bulk.run(f"DELETE FROM {{}}nas_series WHERE id {listed}", values)  # noqa: S608
            settle_copies(bulk, [row[2] for row in rows])
            removed += len(rows)
    files = sum(tally.files for tally in tallies.values())
    size = sum(tally.size for tally in tallies.values())
    bulk.run(
        "UPDATE {}nas_source SET file_count = file_count + ?, size_bytes = size_bytes + ?, "
        "other_count = other_count + ?, series_count = series_count + ? WHERE id = ?",
        [files, size, others, new_series - removed, source_id],
    )


def place(path: str) -> Place:
    """The folder of a file and its name in it, as they are stored."""
    shown = path if path.isascii() and path.isprintable() and "\\" not in path else printable(path)
    folder, _, name = shown.rpartition("/")
    return folder, name
