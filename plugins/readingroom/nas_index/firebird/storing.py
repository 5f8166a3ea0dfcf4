"""Brings the pictures of a Firebird database into the catalogue, within a visit to their source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound, SourceRefused
from readingroom.nas_index.firebird.database import pages
from readingroom.nas_index.firebird.headers import header_of
from readingroom.nas_index.firebird.mapping import Mapping
from readingroom.nas_index.header import Header, series_key
from readingroom.nas_index.list_local import DISK, RIGHTS
from readingroom.nas_index.records import Failed, Found
from readingroom.sources.entries import FileEntry

NO_FILE = "The database names this picture; the source does not have it."
CHECK = "Check firebird.path_prefix; nothing to do if the picture was deleted."
NO_PATH = "A row of the database names no file below the source."


class Keeper(Protocol):
    """The part of a visit that is needed here."""

    def compare(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
        """Those that are new or changed."""
        ...

    def differing(self, found: Sequence[Found]) -> list[Found]:
        """Those of these unchanged files of which the catalogue has something else."""
        ...

    def store(self, found: Sequence[Found], failed: Sequence[Failed] = ()) -> Any:
        """Keep these."""
        ...

    def unreadable(self, path: str) -> None:
        """That file was not seen, and is not gone."""
        ...


@dataclass(slots=True)
class Counts:
    """What became of the rows."""

    rows: int = 0
    stored: int = 0
    corrected: int = 0
    """Whose file did not change, but what the database says of it."""
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
        *,
        below: str = "",
        at_once: int = 1,
        is_there: Callable[[], bool] = lambda: True,
    ) -> None:
        """`stat` gives a file of the source, `at_once` of them at a time; it raises SourceError.

        Only pictures `below` that folder are taken. `is_there` is asked when pictures are missing: whether the source
        is there after all; it waits for one that went away, and says False when it is back: then they are asked for
        again.
        """
        self._mapping = mapping
        self._source = source
        self._stat = stat
        self._rows = rows
        self._below = f"{below}/" if below else ""
        self._at_once = at_once
        self._is_there = is_there
        self.counts = Counts()

    def store(self, keeper: Keeper, tick: Callable[[Counts], None] = lambda counts: None) -> Counts:
        """Store what is new or changed; what the database corrected is stored although its file did not change."""
        with ThreadPoolExecutor(self._at_once) as pool:
            for page in self._rows(self._mapping):
                self._page(keeper, page, pool)
                tick(self.counts)
        return self.counts

    def _page(self, keeper: Keeper, page: list[tuple[Any, ...]], pool: Executor) -> None:
        headers: dict[str, Header] = {}
        failed: list[Failed] = []
        for path, header, problem in self._headers(page):
            if problem is not None:
                failed.append(problem)
            elif header is not None and path.startswith(self._below):
                headers.setdefault(path, header)
        entries: list[FileEntry] = []
        for path, answer in self._files(list(headers), pool):
            if isinstance(answer, SourceError):
                failed.append(_missing(path, answer))
                if not isinstance(answer, SourceNotFound):
                    keeper.unreadable(path)
            else:
                entries.append(answer)
        wanted = {each.path for each in keeper.compare(entries)}
        pictures = [
            Found(each.path, each.size, each.mtime_ns, headers[each.path], series_key(headers[each.path]))
            for each in entries
        ]
        found = [each for each in pictures if each.path in wanted]
        found += keeper.differing([each for each in pictures if each.path not in wanted])
        if found or failed:
            keeper.store(found, failed)
        self.counts.rows += len(page)
        self.counts.stored += len(wanted)
        self.counts.corrected += len(found) - len(wanted)
        self.counts.unchanged += len(entries) - len(found)
        self.counts.failed += len(failed)

    def _files(self, paths: list[str], pool: Executor) -> Iterator[tuple[str, FileEntry | SourceError]]:
        """Each with what the source says of it, when the source is there."""

        def asked(path: str) -> FileEntry | SourceError:
            try:
                return self._stat(path)
            except SourceRefused:
                raise
            except SourceError as error:
                return error

        while True:
            answers = list(pool.map(asked, paths))
            if all(isinstance(each, (FileEntry, SourceForbidden)) for each in answers) or self._is_there():
                return zip(paths, answers, strict=True)

    def _headers(self, page: list[tuple[Any, ...]]) -> Iterator[tuple[str, Header | None, Failed | None]]:
        for number, row in enumerate(page, start=self.counts.rows + 1):
            try:
                path, header = header_of(self._mapping, self._source, row)
            except (ValueError, SourceNotFound):
                problem = Failed(f"firebird row {number}", 0, 0, "filesystem", "no_path", NO_PATH)
                yield "", None, problem
            else:
                yield path, header, None


def _missing(path: str, error: SourceError) -> Failed:
    if isinstance(error, SourceNotFound):
        return Failed(path, 0, 0, "filesystem", "file_not_found", NO_FILE, CHECK)
    code = "access_denied" if isinstance(error, SourceForbidden) else error.code
    suggestion = error.suggestion or (RIGHTS if isinstance(error, SourceForbidden) else DISK)
    return Failed(path, 0, 0, error.error_type, code, error.message, suggestion)
