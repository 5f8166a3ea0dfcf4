"""A source as a run uses it: how it is walked, who reads it, whether it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import TracebackType

from readingroom.errors import SourceError, SourceNotFound
from readingroom.nas_index.folder_below import see_folder
from readingroom.nas_index.list_local import LocalLister, refused
from readingroom.nas_index.list_source import SourceLister
from readingroom.nas_index.list_walk import ListWalk
from readingroom.nas_index.listing import UNKNOWN, File, Folder, Lister, Part
from readingroom.nas_index.measure import NETWORK_FILE_SYSTEMS, Measured, cores, file_system, measure, tried_commands
from readingroom.nas_index.nas_config import SourceConfig
from readingroom.nas_index.path_map import PathMap
from readingroom.nas_index.readers import ReaderPlan
from readingroom.nas_index.sampling import FOLDERS, Sample, folders_of, sampled
from readingroom.nas_index.walks import walk_in_parallel, walk_in_turn
from readingroom.nas_index.watch import Watch
from readingroom.sources import FileEntry, Location, Source, SourceSettings, open_source, printable
from readingroom.sources.entries import bounded_time
from readingroom.sources.names import join

MARKS = 32
"""Names that a folder is recognised by."""

NEAR_BATCH, FAR_BATCH = 512, 16
"""Files handed over at a time: near, handing over is what costs; far, waiting for the slowest of them is."""

IN_FLIGHT = {"gentle": 8, "balanced": 32, "fast": 64}
"""Files read at a time where a source is far: with 2 ms between, 32 are worth 20 times one, 64 little more than 32."""

LINES = {"gentle": 1, "balanced": 4, "fast": 8}
"""By sftp:// and smb:// each worker is a connection that has dozens of files under way by itself: a second one for each
process reads while the first one's files are parsed, more only help where the server is the slower one."""

FOLDERS_AT_ONCE, SMB_FOLDERS_AT_ONCE = 16, 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """What whoever starts a run says beside the source's configuration."""

    below: str = ""
    method: str = "auto"
    workers: int = 0


class Place(AbstractContextManager["Place"]):
    """Open while a run goes on; measured when it is opened."""

    def __init__(
        self,
        config: SourceConfig,
        site: SourceSettings,
        path_map: PathMap,
        wanted: Wanted | None = None,
        list_roots: Sequence[str] = (),
    ) -> None:
        self._config = config
        self._wanted = wanted or Wanted()
        self._map = path_map
        self._list_roots = list_roots
        self._open = ExitStack()
        self.location: Location = config.location()
        self._settings = replace(
            config.source_settings(site),
            connections=config.connection_pool_size
            or (SMB_FOLDERS_AT_ONCE if self.location.scheme == "smb" else FOLDERS_AT_ONCE),
            # A run waits by itself for a source that is away, and says so: its lines are only made anew.
            retries=1,
            retry_delay=0.5,
        )
        self._source: Source | None = None
        self._near: Source | None = None
        """A folder of this machine as a source: only where single files are asked for."""
        self._lister: Lister
        self.measured = Measured()
        self._marks: list[tuple[str, list[str]]] = []

    def __enter__(self) -> Place:
        """Reach it. Raises SourceError."""
        try:
            self._reach()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def is_list(self) -> bool:
        """Whether a list of files says what there is."""
        return self._config.type == "list"

    @property
    def lister(self) -> Lister:
        """Lists its folders."""
        return self._lister

    @property
    def is_empty(self) -> bool:
        """Whether it is a folder of this machine with nothing in it, as a mount point is while nothing is mounted."""
        return bool(self._marks) and not self.is_list and not any(marks for _, marks in self._marks)

    @property
    def encrypted(self) -> bool | None:
        """Whether what comes from it is encrypted on its way; None for a folder of this machine."""
        return self._source.encrypted if self._source is not None else None

    def read(self, path: str, offset: int, size: int) -> bytes:
        """Bytes of a file that `measured.sampled` names."""
        if self._source is not None:
            return self._source.read_range(path, offset, size)
        return read_local(path if self.is_list else join(self.location.path, path), size, offset)

    def sample(self) -> Sample:
        """Names and beginnings of files from all over it, to recognise what kind of archive it is. Never raises."""
        try:
            if self.is_list:
                listed = ListWalk(Path(self.location.path), self._map, self._list_roots).parts()
                return sampled(islice(listed, FOLDERS), lambda path, size: read_local(f"/{path}", size))
            return sampled(folders_of(self._lister), lambda path, size: self.read(path, 0, size))
        except (SourceError, OSError):
            return []

    def stat(self, path: str) -> FileEntry:
        """Size and time of one file, as a walk would tell them. Raises SourceNotFound, and SourceError."""
        if self._source is not None:
            return self._source.stat(path)
        if self._near is None:
            self._near = self._open.enter_context(open_source(self.location, self._settings))
        return self._near.stat(path)

    def _reach(self) -> None:
        below = self._wanted.below
        if self.is_list:
            list_file = Path(self.location.path)
            if not list_file.is_file():
                raise SourceNotFound(
                    f"The list {printable(str(list_file))} is not there",
                    suggestion="Make it by one of scripts/windows/*.ps1, or by `find FOLDER -type f`.",
                )
            self._lister = LocalLister("/")
            self._marks = [(mount, found) for mount in self._map.mounts if (found := _marks(mount))]
            self.measured = self._measured_list(list_file)
        elif self.location.scheme == "file":
            local = LocalLister(self.location.path, below)
            see_folder(local, LocalLister(local.root))
            self._lister = local
            self._marks = [(local.root, _marks(local.root))]
            self.measured = measure(local, lambda path, size: read_local(f"{local.root}/{path}", size))
        else:
            source = self._open.enter_context(open_source(self.location, self._settings))
            self._source = source
            self._lister = SourceLister(source, below)
            see_folder(self._lister, SourceLister(source))
            self.measured = measure(self._lister, lambda path, size: source.read_range(path, 0, size))
            if self._config.remote_commands == "auto":
                self.measured.commands = tried_commands(source, self.measured)

    def _measured_list(self, list_file: Path) -> Measured:
        first: list[str] = []
        for part in ListWalk(list_file, self._map, self._list_roots).parts():
            first += [f"/{part.folder}/{each.name}" if part.folder else f"/{each.name}" for each in part.files[:6]]
            if len(first) >= 24:
                break
        return measured_files(first)

    @property
    def is_far(self) -> bool:
        """Whether many files at a time are better than one."""
        if self._source is not None:
            return True
        on_network = not self.is_list and file_system(self.location.path) in NETWORK_FILE_SYSTEMS
        return self.measured.is_far or (on_network and self.measured.latency > 0.0002)

    @property
    def method(self) -> str:
        """How it is enumerated: `list`, `sequential` or `parallel`; by measurement unless one was asked for."""
        if self.is_list:
            return "list"
        asked = self._wanted.method if self._wanted.method != "auto" else self._config.enumeration_method
        if asked in ("sequential", "parallel"):
            return asked
        return "parallel" if self.is_far else "sequential"

    def walk(self, watch: Watch) -> Iterator[Part]:
        """Everything in it."""
        if self.is_list:
            return self._sized(ListWalk(Path(self.location.path), self._map, self._list_roots).parts())
        if self.method == "parallel":
            return walk_in_parallel(self._lister, watch, self._settings.connections)
        return walk_in_turn(self._lister, watch)

    def _sized(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Parts of a list with sizes and times: asked one after the other, or many at a time where each takes long."""
        if not self.is_far:
            for part in parts:
                part.files = [_sized(part.folder, each) for each in part.files]
                yield part
            return
        with ThreadPoolExecutor(IN_FLIGHT["balanced"]) as pool:
            for part in parts:
                part.files = list(pool.map(lambda each, folder=part.folder: _sized(folder, each), part.files))
                yield part

    def plan(self) -> ReaderPlan:
        """Who reads it: a process for each core; where it is far, many threads in each too."""
        config, far = self._config, self.is_far
        workers = self._wanted.workers or config.max_workers
        if not workers:
            in_flight = IN_FLIGHT if self._source is None else LINES
            workers = in_flight[config.performance_mode] if far else cores()
            if config.performance_mode == "gentle" and not far:
                workers = max(1, workers // 2)
        processes = min(workers, max(cores(), 2))
        threads = -(-workers // processes)
        pool = config.connection_pool_size
        plan = ReaderPlan(
            processes=processes,
            threads=threads,
            connections=-(-pool // processes) if pool else threads,
            batch=config.chunk_size or (FAR_BATCH if far and self._source is None else NEAR_BATCH),
        )
        if self._source is not None:
            settings = replace(self._settings, ssh_commands="use" if self.measured.by_command else "off")
            return replace(plan, location=self.location, settings=settings)
        root = "/" if self.is_list else os.path.realpath(self.location.path)
        return replace(plan, root=root)

    def probe(self) -> None:
        """Raises SourceError when it is not there, or is an empty folder where it was mounted before."""
        if self._source is not None:
            self._source.check()
            return
        for root, marks in self._marks:
            try:
                # A mounted folder that went away leaves an empty one of the same name behind.
                there = Path(root).is_dir() and (
                    not marks or any(map(os.path.lexists, (f"{root}/{mark}" for mark in marks)))
                )
            except OSError as error:
                refused(error, "")
            if not there:
                raise SourceNotFound(f"{printable(root)} is empty: nothing is mounted there (any more)")


def read_local(path: str, size: int, offset: int = 0) -> bytes:
    """Bytes of a file of this machine."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, size, offset)
    finally:
        os.close(descriptor)


def measured_files(paths: list[str]) -> Measured:
    """As `measure`, of named files of this machine."""

    class Named:
        def start(self) -> Folder:
            return Folder("")

        def listed(self, folder: Folder) -> Iterator[Part]:
            yield Part("", [File(path, UNKNOWN, 0) for path in paths])

    return measure(Named(), read_local)


def _marks(root: str) -> list[str]:
    found = []
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                found.append(entry.name)
                if len(found) >= MARKS:
                    break
    except OSError:
        pass  # what cannot be listed has no marks; the walk will say so
    return found


def _sized(folder: str, file: File) -> File:
    try:
        seen = Path(f"/{folder}/{file.name}").stat()
    except OSError:
        return file  # whoever reads it will say what is wrong
    return File(file.name, seen.st_size, bounded_time(seen.st_mtime_ns))
