"""One visit to a source: compare what lies there with what is known, store what is new, and see what is gone.

    visit = catalogue.visit(source_id, run_id)
    for entries in enumerated:                     # any order; whole folders together are quickest
        for entry in visit.compare(entries):       # what must be read; the rest is unchanged and costs no write
            …
        visit.store(found, failed)                 # one transaction: rows, counts, search index
    visit.finish(complete=True)                    # only now is anything taken out

A visit that ends before `finish`, killed too, leaves a catalogue that is right about everything stored so far; the
next one reads only what this one did not store.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.nas_index.batch import Batch, Stored, place
from readingroom.nas_index.bulk import Bulk, chunks
from readingroom.nas_index.differing import differing
from readingroom.nas_index.leaving import Figures, Leaving, Left
from readingroom.nas_index.records import Failed, Found
from readingroom.nas_index.rows import Recognise
from readingroom.nas_index.seen import Seen
from readingroom.sources.entries import FileEntry
from readingroom.sources.names import printable

FOLDERS_KEPT = 50_000
"""Folders whose ids are remembered; some 10 MB."""

Beside = Callable[[Connection], None]


class Visit:
    """Brings one source's part of the catalogue up to date; one thread, one visit to a source at a time."""

    def __init__(
        self, database: Database, clock: Clock, recognise: Recognise, source_id: int, run_id: str, below: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._recognise = recognise
        self._folders: OrderedDict[str, int] = OrderedDict()
        self._seen = Seen()
        self._described = Seen()
        self.unread: set[str] = set()
        self.source_id = source_id
        self.run_id = run_id
        self.below = printable(below)
        self.figures = Figures()
        with database.read() as connection:
            bulk = Bulk(connection)
            self.first_new_id = 1 + int(bulk.rows("SELECT coalesce(max(id), 0) FROM {}nas_file")[0][0])

    def compare(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
        """Those of these files that must be read: new ones, and those whose size or time is another."""
        split = [(entry, *place(entry.path)) for entry in entries]
        with self._database.read() as connection:
            bulk = Bulk(connection)
            folders = self._folder_ids(bulk, {folder for _, folder, _ in split})
            known = self._known(bulk, split, folders)
        wanted, mark, nothing = [], self._seen.add, (0, -1, -1)
        for entry, folder, name in split:
            file_id, size, mtime_ns = known.get((folders.get(folder, 0), name), nothing)
            if file_id:
                mark(file_id)
            if size == entry.size and mtime_ns == entry.mtime_ns:
                self.figures.unchanged += 1
            else:
                wanted.append(entry)
        return wanted

    def differing(self, found: Sequence[Found]) -> list[Found]:
        """Those of these unchanged files of which is said now what the catalogue does not have: see `differing`."""
        with self._database.read() as connection:
            bulk = Bulk(connection)
            folders = self._folder_ids(bulk, {place(each.path)[0] for each in found})
            others = differing(bulk, self.source_id, found, folders, self._recognise, self._described)
        self.figures.unchanged -= len(others)
        return others

    def store(self, found: Sequence[Found], failed: Sequence[Failed] = (), beside: Beside | None = None) -> Stored:
        """Store files that were read and files that could not be; `beside` writes more in the same transaction."""
        with self._database.write() as connection:
            batch = Batch(Bulk(connection), self.source_id, self.run_id, self._clock.now(), self._recognise)
            stored = batch.store(found, failed)
            if beside is not None:
                beside(connection)
        for file_id in stored.file_ids:
            self._seen.add(file_id)
        self.figures.added += stored.added
        self.figures.changed += stored.changed
        self.figures.failed += stored.failed
        return stored

    def unreadable(self, path: str) -> None:
        """A folder (or file) that was there and could not be looked into: what is known below it is not gone."""
        self.unread.add(path)

    def take_out(self, folder: str) -> None:
        """Take out at once what is known in one folder and this visit did not see there: of a source that says
        reliably what it no longer has."""
        Leaving(self._database, self._clock, self, self._seen).take_out(folder)

    def finish(self, complete: bool, accept_loss: bool = False, beside: Beside | None = None) -> Left:
        """End the visit. Only one that saw the whole source takes out what it did not see.

        A source that lacks most of what it had is taken for a lost mount: nothing is taken out, unless `accept_loss`
        says that the loss is meant. `beside` writes more in the last transaction.
        """
        with self._database.read() as connection:
            bulk = Bulk(connection)
            files = [place(path) for path in self.unread]  # or folders, then no file has that name
            folders = self._folder_ids(bulk, {folder for folder, _ in files})
            pairs = [(folders[folder], name) for folder, name in files if folder in folders]
            for row in bulk.files_named(pairs, "f.id"):
                self._seen.add(row[0])
        leaving = Leaving(self._database, self._clock, self, self._seen)
        return leaving.finish(complete, accept_loss, beside)

    def _folder_ids(self, bulk: Bulk, folders: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        asked = []
        for folder in folders:
            known = self._folders.get(folder)
            if known is None:
                asked.append(folder)
            else:
                found[folder] = known
        for some in chunks(asked):
            listed, values = bulk.among(some)
            rows = bulk.rows(
                f"SELECT path, id FROM {{}}nas_folder WHERE source_id = ? AND path {listed}",  # noqa: S608
                [self.source_id, *values],
            )
            found.update(rows)
            self._folders.update(rows)
        while len(self._folders) > FOLDERS_KEPT:
            self._folders.popitem(last=False)
        return found

    def _known(
        self, bulk: Bulk, split: Sequence[tuple[FileEntry, str, str]], folders: dict[str, int]
    ) -> dict[tuple[int, str], tuple[int, int, int]]:
        if not folders:
            return {}
        known: dict[tuple[int, str], tuple[int, int, int]] = {}
        most = 2 * len(split) + 100
        listed, values = bulk.among(folders.values())
        rows = bulk.rows(
            "SELECT folder_id, name, id, size, mtime_ns FROM {}nas_file "  # noqa: S608
            f"WHERE folder_id {listed} LIMIT ?",
            [*values, most],
        )
        if len(rows) == most:  # a part of a large folder: ask for these files alone
            pairs = [(folders[folder], name) for _, folder, name in split if folder in folders]
            rows = bulk.files_named(pairs, "f.folder_id, f.name, f.id, f.size, f.mtime_ns")
        for folder_id, name, file_id, size, mtime_ns in rows:
            known[folder_id, name] = (file_id, size, mtime_ns)
        return known
