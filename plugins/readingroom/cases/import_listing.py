"""Compares a source's listing with what was imported before: sorts out what is unchanged, new, misplaced or gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import batched, chain

from readingroom.cases.import_plan import (
    MAX_PATH_BYTES,
    Misplaced,
    Recorded,
    Slot,
    Step,
    looks_like_a_lost_mount,
    place,
    step,
)
from readingroom.cases.import_presence import Presence
from readingroom.cases.import_records import Item, KnownCase, Records
from readingroom.cases.import_spool import Spool, Task
from readingroom.errors import SourceError
from readingroom.sources.entries import FileEntry, Unreadable
from readingroom.sources.names import printable
from readingroom.sources.source import Source

BATCH = 500
"""Files that are compared together: a few queries for all of them."""

MAX_FOLDERS = 10_000
"""Folders reported one by one; a source that has more of them that do not fit is no best-of folder at all."""


@dataclass(slots=True)
class Listed:
    """What one batch of the listing came to."""

    seen: int = 0
    unchanged: int = 0
    left_out: int = 0
    relist: list[tuple[int, int, int]] = field(default_factory=list)
    """(row, size, mtime) of files that lie at the source as recorded, where the record says otherwise."""
    items: list[Item] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    failed: int = 0


class LostMount(SourceError):
    """Most of what was imported from this source is no longer there."""

    error_type = "filesystem"


class RowSet:
    """A set of row numbers, one bit each."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, row: int) -> None:
        """Put a row in."""
        if row >> 3 >= len(self._bits):
            self._bits.extend(bytes((row >> 3) + 1024 - len(self._bits)))
        self._bits[row >> 3] |= 1 << (row & 7)

    def __contains__(self, row: int) -> bool:
        return row >> 3 < len(self._bits) and bool(self._bits[row >> 3] & (1 << (row & 7)))


class Listing:
    """One pass over the source; runs in its own thread and gives its findings to `tell`."""

    def __init__(
        self,
        source: Source,
        records: Records,
        presence: Presence | None,
        spool: Spool,
        stopping: threading.Event,
        tell: Callable[[Listed], None],
        *,
        deidentify: bool,
        cases: frozenset[int] = frozenset(),
        missing_is_meant: bool = False,
    ) -> None:
        self._source = source
        self._records = records
        self._presence = presence
        self._spool = spool
        self._stopping = stopping
        self._tell = tell
        self._deidentify = deidentify
        self._wanted = cases
        self._missing_is_meant = missing_is_meant
        self._known: dict[int, KnownCase] = {}
        self._seen = RowSet()
        self._listed = 0
        self._unreadable: set[str] = set()
        self._folders: dict[str, tuple[str, int]] = {}

    def run(self) -> None:
        """List everything, then what is missing.

        Raises LostMount, and a SourceError when the source cannot be listed to its end; nothing is flagged then.
        """
        last_row = self._records.last_row()
        for entries in batched(self._entries(), BATCH, strict=False):
            self._tell(self._compare(entries))
        self._spool.end()
        if self._stopping.is_set():
            return
        self._tell(self._folder_report())
        for missing in self._missing(last_row):
            self._tell(missing)

    def _entries(self) -> Iterator[FileEntry | Unreadable]:
        walk = self._source.walk()
        # The first entry is asked for at once: a source that is not there must not look like an empty one.
        first = next(walk, None)
        if first is None:
            return
        for entry in chain([first], walk):
            if self._stopping.is_set():
                return
            yield entry

    def _compare(self, entries: tuple[FileEntry | Unreadable, ...]) -> Listed:
        told = Listed()
        places: list[tuple[FileEntry, Slot]] = []
        for entry in entries:
            where = place(entry.path)
            if isinstance(where, Slot) and self._wanted and where.case_number not in self._wanted:
                self._listed += 1
                continue
            told.seen += 1
            if isinstance(entry, Unreadable):
                self._cannot_read(entry, told)
            elif isinstance(where, Misplaced):
                self._leave_out(told, where.folder, where.reason)
            elif len(where.relative_path.encode()) > MAX_PATH_BYTES:
                self._listed += 1
                told.failed += 1
                told.items.append(Item(printable(entry.path), "failed", f"its path has over {MAX_PATH_BYTES} bytes"))
            else:
                self._listed += 1
                places.append((entry, where))
        self._sort_out(places, told)
        return told

    def _cannot_read(self, entry: Unreadable, told: Listed) -> None:
        self._unreadable.add(entry.path)
        # A link that leads nowhere or in circles stops nobody; what we may not read is a file that a student lacks.
        harmless = entry.why in ("loop", "special", "broken_link", "gone", "outside")
        if harmless:
            told.left_out += 1
        else:
            told.failed += 1
        told.items.append(Item(printable(entry.path), "skipped" if harmless else "failed", entry.reason))

    def _leave_out(self, told: Listed, folder: str, reason: str) -> None:
        told.left_out += 1
        if folder in self._folders or len(self._folders) < MAX_FOLDERS:
            self._folders[folder] = (reason, self._folders.get(folder, ("", 0))[1] + 1)

    def _sort_out(self, places: list[tuple[FileEntry, Slot]], told: Listed) -> None:
        numbers = {slot.case_number for _, slot in places}
        self._known |= self._records.cases(numbers - self._known.keys())
        recorded = self._records.known([slot for _, slot in places], self._known)
        gone = self._gone(list(recorded.values()))
        tasks = []
        for entry, slot in places:
            case = self._known.get(slot.case_number)
            if case is not None and case.withdrawn:
                folder = f"{printable(slot.exam_type)}/{slot.case_number:04d}/"
                self._leave_out(told, folder, f"case {slot.case_number} was withdrawn")
                continue
            known = recorded.get(slot)
            deidentify = self._deidentify or (case is not None and case.deidentified)
            lost = known is not None and known.row in gone
            if known is not None:
                self._seen.add(known.row)
            if lost or step(entry, known, self._source.url, deidentify) is Step.BRING:
                tasks.append(Task(entry, slot, known, deidentify, lost))
            elif known is not None:
                told.unchanged += 1
                if known.missing or known.source != self._source.url or known.source_mtime_ns != entry.mtime_ns:
                    told.relist.append((known.row, entry.size, entry.mtime_ns))
        self._spool.add(tasks)

    def _gone(self, recorded: list[Recorded]) -> set[int]:
        return self._presence.gone(recorded) if self._presence is not None and recorded else set()

    def _folder_report(self) -> Listed:
        told = Listed()
        for folder, (reason, files) in self._folders.items():
            said = f"{reason} ({files} file{'s' * (files != 1)})" if folder.endswith("/") else reason
            told.items.append(Item(folder, "skipped", said))
        return told

    def _missing(self, last_row: int) -> Iterator[Listed]:
        """Files that came from here and are not listed any more, once it is clear that the source still is."""
        recorded = absent = 0
        for chunk in self._records.from_here(last_row, self._wanted):
            for row, missing, _ in chunk:
                recorded += not missing
                absent += not missing and row not in self._seen
        # Whoever names single cases may well have emptied one of them; an empty source is none of theirs.
        meant = self._missing_is_meant or (self._wanted and self._listed)
        if not meant and looks_like_a_lost_mount(recorded, absent, self._listed):
            raise LostMount(
                f"{absent} of the {recorded} files that were imported from {self._source.url} are no longer there: "
                "this looks like a lost mount. Nothing was marked as missing. If they were removed on purpose, "
                "import once with --missing-is-meant.",
                suggestion="See that the folder is mounted and whole, then import again.",
            )
        for chunk in self._records.from_here(last_row, self._wanted):
            told = Listed()
            for row, missing, path in chunk:
                if row in self._seen or self._hidden(path):
                    continue
                told.items.append(Item(printable(path), "missing", "no longer at the source; its file stays stored"))
                if not missing:
                    told.missing.append(row)
            yield told

    def _hidden(self, path: str) -> bool:
        """Whether the path lies in a folder that could not be read: then nobody knows whether it is missing."""
        if not self._unreadable:
            return False
        parts = path.split("/")
        return any("/".join(parts[:depth]) in self._unreadable for depth in range(1, len(parts) + 1))
