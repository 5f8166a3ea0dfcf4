"""Reads headers of a source's files, a batch at a time: the source decides how many it asks for at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound, SourceRefused, SourceUnreachable
from readingroom.headers.errors import HeaderError
from readingroom.headers.window import FIRST_BYTES
from readingroom.nas_index.header import HeaderReader, series_key
from readingroom.nas_index.reading import Outcome, Task, safely
from readingroom.sources import Beginning, FileEntry, Source


class SourceReading:
    """Reads files of an SFTP or SMB source. Threads may share it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._headers = HeaderReader()

    def read(self, tasks: Sequence[Task]) -> list[Outcome]:
        """The outcome of each file; sizes and times are as they are now, where the source tells them anew."""
        files = [FileEntry(path, size, mtime_ns) for path, size, mtime_ns, _ in tasks]
        several: Sequence[Beginning | SourceError]
        try:
            several = self._source.beginnings(files, FIRST_BYTES)
        except (SourceUnreachable, SourceRefused) as error:
            several = [error] * len(tasks)
        except Exception:  # of one of them, and may not end the run: it says so itself
            return [safely(self._alone, task) for task in tasks]
        return [safely(partial(self._outcome, begins), task) for task, begins in zip(tasks, several, strict=True)]

    def _alone(self, task: Task) -> Outcome:
        path, size, mtime_ns, _ = task
        try:
            begins = self._source.beginnings([FileEntry(path, size, mtime_ns)], FIRST_BYTES)[0]
        except SourceError as error:
            begins = error
        return self._outcome(begins, task)

    def _outcome(self, begins: Beginning | SourceError, task: Task) -> Outcome:
        path, size, mtime_ns, _ = task
        try:
            if isinstance(begins, SourceError):
                raise begins
            size, mtime_ns, first = begins
            header = self._headers.read(partial(self._source.read_range, path), size, first)
            return "found", size, mtime_ns, (*header, series_key(header))
        except HeaderError as error:
            return "bad", size, mtime_ns, ("dicom", error.code, str(error))
        except SourceError as error:
            return _failed(error, size, mtime_ns)


def _failed(error: SourceError, size: int, mtime_ns: int) -> Outcome:
    if isinstance(error, SourceUnreachable):
        return "lost", size, mtime_ns, ("network", error.code, error.message)
    if isinstance(error, SourceRefused):
        return "refused", size, mtime_ns, ("authentication", error.code, error.message)
    if isinstance(error, SourceForbidden):
        return "bad", size, mtime_ns, ("filesystem", "access_denied", error.message)
    if isinstance(error, SourceNotFound):
        return "doubtful", size, mtime_ns, ("filesystem", "file_not_found", error.message)
    return "bad", size, mtime_ns, (error.error_type, error.code, error.message)
