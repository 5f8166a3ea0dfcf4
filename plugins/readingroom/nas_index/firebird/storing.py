"""Brings the pictures of a Firebird database into the catalogue, within a visit to their source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from readingroom.errors import SourceForbidden, SourceNotFound
from readingroom.nas_index.firebird.database import pages
from readingroom.nas_index.firebird.headers import header_of
from readingroom.nas_index.firebird.mapping import Mapping
from readingroom.nas_index.header import Header, series_key
from readingroom.nas_index.records import Failed, Found
from readingroom.sources.entries import FileEntry

NO_FILE = "The database names this picture; the source does not have it."
NO_PATH = "A row of the database names no file below the source."


class Keeper(Protocol):
    """The part of a visit that is needed here."""

    def compare(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
        """Those that are new or changed."""
        ...

    def store(self, found: Sequence[Found], failed: Sequence[Failed] = ()) -> Any:
        """Keep these."""
        ...


@dataclass(slots=True)
class Counts:
    """What became of the rows."""

    rows: int = 0
    stored: int = 0
    unchanged: int = 0
    failed: int = 0


class Pictures:
    """One pass over the database; a page of rows is in memory at a time."""

    def __init__(
        self,
        mapping: Mapping,
        source: str,
        stat: Callable[[str], FileEntry],
        rows: Callable[[Mapping], Iterable[list[tuple[Any, ...]]]] = pages,
    ) -> None:
        """`stat` gives a file of the source; it raises SourceNotFound, and whatever else ends the run."""
        self._mapping = mapping
        self._source = source
        self._stat = stat
        self._rows = rows
        self.counts = Counts()

    def store(self, keeper: Keeper, tick: Callable[[Counts], None] = lambda counts: None) -> Counts:
        """Store what is new or changed; a series' words are brought up to date although its files did not change."""
        for page in self._rows(self._mapping):
            self._page(keeper, page)
            tick(self.counts)
        return self.counts

    def _page(self, keeper: Keeper, page: list[tuple[Any, ...]]) -> None:
        headers: dict[str, Header] = {}
        entries: list[FileEntry] = []
        failed: list[Failed] = []
        for path, header, problem in self._headers(page):
            if problem is not None:
                failed.append(problem)
            elif header is not None and path not in headers:
                try:
                    entries.append(self._stat(path))
                    headers[path] = header
                except (SourceNotFound, SourceForbidden) as error:
                    code = "file_not_found" if isinstance(error, SourceNotFound) else "access_denied"
                    failed.append(Failed(path, 0, 0, "filesystem", code, NO_FILE, "Check firebird.path_prefix."))
        wanted = {each.path for each in keeper.compare(entries)}
        found: list[Found] = []
        described: set[str] = set()
        for entry in entries:
            header = headers[entry.path]
            key = series_key(header)
            # Of a series whose pictures are known one is stored again: its name may have been corrected.
            if entry.path in wanted or key not in described:
                found.append(Found(entry.path, entry.size, entry.mtime_ns, header, key))
                described.add(key)
        if found or failed:
            keeper.store(found, failed)
        self.counts.rows += len(page)
        self.counts.stored += len(wanted)
        self.counts.unchanged += len(entries) - len(wanted)
        self.counts.failed += len(failed)

    def _headers(self, page: list[tuple[Any, ...]]) -> Iterator[tuple[str, Header | None, Failed | None]]:
        for number, row in enumerate(page, start=self.counts.rows + 1):
            try:
                path, header = header_of(self._mapping, self._source, row)
            except (ValueError, SourceNotFound):
                problem = Failed(f"firebird row {number}", 0, 0, "filesystem", "no_path", NO_PATH)
                yield "", None, problem
            else:
                yield path, header, None
