"""Moves the files of one series from the NAS into Orthanc, several at a time, their bytes as they are."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Sequence

from readingroom.errors import (
    PacsError,
    PacsUnreachable,
    ReadingRoomError,
    SourceError,
    SourceRefused,
    SourceUnreachable,
)
from readingroom.nas_index.import_jobs import MAX_ERRORS, Figures
from readingroom.nas_index.series_files import CataloguedFile, SeriesFiles, instances
from readingroom.pacs import Pacs, get_json, segment, store
from readingroom.procedures.patience import is_fault, is_refusal

LARGE = 64 * 1024 * 1024
"""Of files larger than this one at a time is in memory; of smaller ones as many as there are uploads."""

FAULTS_IN_A_ROW = 5
"""After so many failures of Orthanc's own (disk full, say) the rest would fail alike."""

TICK_SECONDS = 1.0

Copies = Sequence[CataloguedFile]
"""The files that hold one instance: any of them will do."""


class Moving:
    """One import under way. `tick` is told the figures every second; False from it ends the work."""

    def __init__(self, files: SeriesFiles, pacs: Pacs, uploads: int, tick: Callable[[Figures], bool]) -> None:
        self._files = files
        self._pacs = pacs
        self._uploads = uploads
        self._tick = tick
        self.figures = Figures()
        self.is_cancelled = False
        self._lock = threading.Lock()
        self._large = threading.Lock()
        self._ended = threading.Event()
        self._why: ReadingRoomError | None = None
        self._faults = 0

    def move(self, listed: Sequence[CataloguedFile], series_uid: str, stopping: threading.Event) -> None:
        """Bring in what Orthanc has not yet; a file that cannot be is told in `figures.errors`, the others go on.

        Returns early when `stopping` is set or `tick` says so. Raises what concerns all files alike: SourceUnreachable,
        SourceRefused, PacsUnreachable, PacsError.
        """
        wanted = instances(listed)
        self.figures.files_total = len(wanted)
        self.figures.bytes_total = sum(copies[0].size for copies in wanted)
        there, self.figures.orthanc_series_id = present(self._pacs, series_uid)
        waiting: queue.SimpleQueue[Copies] = queue.SimpleQueue()
        for copies in wanted:
            if copies[0].sop_instance_uid in there:
                self._done(copies[0], there=True)
            else:
                waiting.put(copies)
        workers = [
            threading.Thread(target=self._work, args=(waiting,), name=f"series-import-{number}", daemon=True)
            for number in range(min(self._uploads, waiting.qsize()))
        ]
        for each in workers:
            each.start()
        while (busy := next((each for each in workers if each.is_alive()), None)) is not None:
            busy.join(TICK_SECONDS)
            if not self._tick(self._copied()):
                self.is_cancelled = True
            if self.is_cancelled or stopping.is_set():
                self._ended.set()
        if self._why is not None:
            raise self._why

    def _work(self, waiting: queue.SimpleQueue[Copies]) -> None:
        while not self._ended.is_set():
            try:
                copies = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self._one(copies)
            except ReadingRoomError as error:
                with self._lock:
                    self._why = self._why or error
                self._ended.set()

    def _one(self, copies: Copies) -> None:
        """Bring in one instance, from the first of its files that will do; raises what concerns all files alike."""
        failed: Exception | None = None
        for file in copies:
            try:
                self._bring(file)
            except (SourceUnreachable, SourceRefused, PacsUnreachable):
                raise
            except PacsError as error:
                self._fault(error)
                failed = failed or error
            except (SourceError, MemoryError) as error:
                failed = failed or error
            except ReadingRoomError:
                raise
            except Exception as error:  # else the thread would end with it, and nobody would be told
                failed = failed or error
            else:
                return
        assert failed is not None  # noqa: S101  # there is at least one file
        self._failed(copies[0], failed)

    def _bring(self, file: CataloguedFile) -> None:
        if file.size > LARGE:
            with self._large:
                answer = store(self._pacs, self._files.read(file))
        else:
            answer = store(self._pacs, self._files.read(file))
        with self._lock:
            self._faults = 0
            self.figures.orthanc_series_id = self.figures.orthanc_series_id or answer.parent_series
        self._done(file, there=answer.already_stored)

    def _done(self, file: CataloguedFile, *, there: bool) -> None:
        with self._lock:
            self.figures.files_done += 1
            self.figures.files_there += there
            self.figures.bytes_done += file.size

    def _fault(self, error: PacsError) -> None:
        """Raise what will happen to every other file too."""
        if is_refusal(error):
            raise error
        if is_fault(error):
            with self._lock:
                self._faults += 1
                if self._faults >= FAULTS_IN_A_ROW:
                    raise error

    def _failed(self, file: CataloguedFile, error: Exception) -> None:
        if isinstance(error, ReadingRoomError):
            said = {"code": error.code, "message": error.message}
        elif isinstance(error, MemoryError):
            said = {"code": "out_of_memory", "message": f"A file of {file.size} bytes does not fit into memory."}
        else:
            said = {"code": "unexpected", "message": f"The file could not be brought in ({type(error).__name__})."}
        said["suggestion"] = error.suggestion if isinstance(error, SourceError) else ""
        with self._lock:
            self.figures.files_done += 1
            self.figures.files_failed += 1
            if len(self.figures.errors) < MAX_ERRORS:
                self.figures.errors.append({"path": file.path, **said})

    def _copied(self) -> Figures:
        with self._lock:
            values = {name: getattr(self.figures, name) for name in Figures.__dataclass_fields__}
            return Figures(**{**values, "errors": list(self.figures.errors)})


def present(pacs: Pacs, series_uid: str) -> tuple[set[str], str]:
    """The SOPInstanceUIDs that Orthanc has of a series, and its id there, "" when it has none."""
    if not series_uid:
        return set(), ""
    found = series_ids(pacs, series_uid)
    uids: set[str] = set()
    for orthanc_id in found:
        for instance in get_json(pacs, f"/series/{segment(orthanc_id)}/instances"):
            uids.add(str(instance["MainDicomTags"].get("SOPInstanceUID", "")))
    return uids, found[0] if found else ""


def series_ids(pacs: Pacs, series_uid: str) -> list[str]:
    """Orthanc's ids of the series with that UID; several where several patients were given the same one."""
    answer = json.loads(pacs.post("/tools/lookup", series_uid.encode()))
    return [str(each["ID"]) for each in answer if each["Type"] == "Series"]
