"""Runs through trees with everything that goes wrong: nothing is lost, nothing counted twice, nothing ends the run."""

from __future__ import annotations

import os
import resource
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydicom import dcmread
from readingroom.errors import SourceNotFound
from readingroom.nas_index import pipeline
from readingroom.nas_index.list_local import LocalLister
from readingroom.nas_index.listing import File, Folder, Part
from readingroom.nas_index.pipeline import Pipeline
from readingroom.nas_index.progress import Asked, Patience, Progress
from readingroom.nas_index.readers import ReaderPlan, Readers
from readingroom.nas_index.records import Failed, Found
from readingroom.nas_index.spool import Spool
from readingroom.nas_index.walks import walk_in_parallel, walk_in_turn
from readingroom.nas_index.watch import RunStopped, SourceOffline, Watch
from readingroom.sources import FileEntry

from tests.fixtures.nas_trees import hostile_files, make_tree, pydicom_samples


@pytest.fixture(autouse=True)
def quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """These runs last a second or less: they listen more often than real ones."""
    monkeypatch.setattr(pipeline, "TICK_SECONDS", 0.01)


class Kept:
    """Keeps what a run hands over; knows what it is told to know."""

    def __init__(self, known: dict[str, FileEntry] | None = None) -> None:
        self.known = known or {}
        self.found: dict[str, Found] = {}
        self.failed: dict[str, Failed] = {}
        self.unread: list[str] = []

    def compare(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
        return [each for each in entries if self.known.get(each.path) != each]

    def store(self, found: Sequence[Found], failed: Sequence[Failed] = ()) -> None:
        assert not self.found.keys() & {each.path for each in found}, "a file was stored twice"
        self.found.update((each.path, each) for each in found)
        self.failed.update((each.path, each) for each in failed)

    def unreadable(self, path: str) -> None:
        self.unread.append(path)


class Run:
    """One run over a folder."""

    def __init__(self, root: Path, kept: Kept | None = None, *, parallel: bool = False, patience: float = 30.0) -> None:
        self.root = root
        self.kept = kept or Kept()
        self.parallel = parallel
        self.asked: Asked = ""
        self.phases: list[str] = []
        self.watch = Watch(self.probe, patience=patience, first_pause=0.05)
        self.batch = 16
        self.lister = LocalLister(str(root))
        self.pipeline: Pipeline

    def probe(self) -> None:
        if not self.root.is_dir():
            raise SourceNotFound("the folder went away")

    def tick(self, progress: Progress) -> Asked:
        self.phases.append(progress.phase)
        return self.asked

    def walk(self) -> Iterator[Part]:
        return walk_in_parallel(self.lister, self.watch, 4) if self.parallel else walk_in_turn(self.lister, self.watch)

    def __call__(self, limit: int = 0) -> Progress:
        spool = Spool()
        with Readers(ReaderPlan(root=str(self.root), processes=2, batch=self.batch)) as readers:
            self.readers = readers
            self.pipeline = Pipeline(
                self.walk,
                readers,
                self.kept,
                self.watch,
                spool,
                tick=self.tick,
                patience=Patience(1, 0.05),
                limit=limit,
            )
            try:
                self.pipeline.run()
            finally:
                spool.close()
        return self.pipeline.progress


@pytest.mark.parametrize("parallel", [False, True])
def test_every_series_and_name_is_what_pydicom_says(tmp_path: Path, parallel: bool) -> None:
    made = make_tree(tmp_path, 500, 40)
    run = Run(tmp_path, parallel=parallel)
    progress = run()
    assert progress.processed == progress.enumerated
    assert len(run.kept.found) == made["files"]
    assert len({each.key for each in run.kept.found.values()}) == made["series"]
    for path in sorted(run.kept.found)[::37]:
        found, said = run.kept.found[path], dcmread(tmp_path / path, stop_before_pixels=True, force=True)
        assert found.numbered == (said.SOPInstanceUID, f"{said.InstanceNumber:05d}")
        header = found.header
        assert (header.PatientName, header.SeriesInstanceUID) == (str(said.PatientName), said.SeriesInstanceUID)


def test_bad_files_are_told_and_end_nothing(tmp_path: Path) -> None:
    for name, data in hostile_files():
        (tmp_path / name).write_bytes(data)
    for number, sample in enumerate(pydicom_samples()):
        (tmp_path / f"{number}-{sample.name}").write_bytes(sample.read_bytes())
    run = Run(tmp_path)
    progress = run()
    assert len(run.kept.found) > 100
    assert progress.errors == len(run.kept.failed)
    assert progress.processed == progress.enumerated == len(run.kept.found) + len(run.kept.failed)
    assert {each.error_type for each in run.kept.failed.values()} == {"dicom"}
    assert all(each.suggestion and each.error_code for each in run.kept.failed.values())
    assert {run.kept.failed[name].error_code for name in ("cut.dcm", "empty")} <= {"truncated", "not_dicom"}


def test_links_in_circles_and_closed_folders_are_survived(tmp_path: Path) -> None:
    make_tree(tmp_path, 20, 20)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "nothing").symlink_to("not-there")
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.dcm")
    closed = tmp_path / "closed"
    closed.mkdir()

    class Closing(LocalLister):
        def listed(self, folder: Folder) -> Iterator[Part]:
            if folder.path == "closed":
                from readingroom.nas_index.list_local import refused

                refused(PermissionError(13, "denied"), folder.path)
            yield from super().listed(folder)

    run = Run(tmp_path)
    run.lister = Closing(str(tmp_path))
    run()
    assert len(run.kept.found) == 20
    assert run.kept.failed["closed"].error_code == "access_denied"
    assert run.kept.unread == ["closed"]


def test_names_that_are_not_utf8_are_read(tmp_path: Path) -> None:
    make_tree(tmp_path, 3, 3, junk_of=100)
    source = next(tmp_path.rglob("*.dcm"))
    odd = os.fsencode(tmp_path) + b"/M\xfcller.dcm"
    shutil.copy(source, os.fsdecode(odd))
    run = Run(tmp_path)
    run()
    assert "M\udcfcller.dcm" in run.kept.found


def test_what_is_known_is_not_read_again(tmp_path: Path) -> None:
    make_tree(tmp_path, 50, 50)
    first = Run(tmp_path)
    first()
    known = {path: FileEntry(path, each.size, each.mtime_ns) for path, each in first.kept.found.items()}
    changed = sorted(known)[7]
    (tmp_path / changed).write_bytes((tmp_path / changed).read_bytes() + b"\0\0")
    again = Run(tmp_path, Kept(known))
    progress = again()
    assert list(again.kept.found) == [changed]
    assert progress.unchanged == 49


def test_a_limit_ends_the_walk_too(tmp_path: Path) -> None:
    make_tree(tmp_path, 100, 10)
    run = Run(tmp_path)
    progress = run(limit=25)
    assert (progress.enumerated, progress.processed, run.pipeline.limited) == (25, 25, True)


def test_a_reader_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    make_tree(tmp_path, 3000, 100)
    run = Run(tmp_path)

    def tick(progress: Progress) -> Asked:
        if run.readers.under_way and not run.phases:
            run.phases.append("killed")
            run.readers._readers[0].process.kill()
        return ""

    run.tick = tick  # type: ignore[method-assign]  # the test's own way to be in the middle
    progress = run()
    assert progress.processed == progress.enumerated
    told = [each for each in run.kept.failed.values() if each.error_code == "reader_crashed"]
    assert run.phases == ["killed"]
    assert len(run.kept.found) + len(told) == 3000
    assert len(told) <= 1


def test_a_source_that_goes_away_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    root, away = tmp_path / "nas", tmp_path / "unplugged"
    made = make_tree(root, 2000, 20)
    run = Run(root)
    run.batch = 4
    moved = threading.Event()

    def tick(progress: Progress) -> Asked:
        run.phases.append(progress.phase)
        if not moved.is_set() and progress.processed:
            moved.set()
            root.rename(away)
            threading.Timer(1.5, lambda: away.rename(root)).start()
        return ""

    run.tick = tick  # type: ignore[method-assign]
    progress = run()
    assert moved.is_set()
    assert len(run.kept.found) == made["files"]
    assert "file_not_found" not in {each.error_code for each in run.kept.failed.values()}
    assert progress.processed == progress.enumerated


def test_a_source_that_stays_away_ends_the_run_as_offline(tmp_path: Path) -> None:
    root = tmp_path / "nas"
    make_tree(root, 500, 20)
    run = Run(root, patience=0.3)

    class Vanishing(LocalLister):
        def listed(self, folder: Folder) -> Iterator[Part]:
            if folder.depth >= 2 and root.exists():
                root.rename(tmp_path / "unplugged")
            yield from super().listed(folder)

    run.lister = Vanishing(str(root))
    with pytest.raises(SourceOffline):
        run()


def test_a_run_that_is_asked_to_stop_stores_what_it_read(tmp_path: Path) -> None:
    make_tree(tmp_path, 3000, 100)
    run = Run(tmp_path)

    def tick(progress: Progress) -> Asked:
        return "cancel" if progress.processed else ""

    run.tick = tick  # type: ignore[method-assign]
    with pytest.raises(RunStopped):
        run()
    assert len(run.kept.found) + len(run.kept.failed) == run.pipeline.progress.processed


def test_a_paused_run_rests_and_goes_on(tmp_path: Path) -> None:
    make_tree(tmp_path, 2000, 100)
    run = Run(tmp_path)
    seen: list[int] = []
    since: list[float] = []

    def tick(progress: Progress) -> Asked:
        if not since:
            since.append(time.monotonic())
        resting = time.monotonic() - since[0] < 2
        if resting and progress.phase == "paused":
            seen.append(progress.processed)
        return "pause" if resting else ""

    run.tick = tick  # type: ignore[method-assign]
    progress = run()
    assert progress.processed == progress.enumerated
    assert len(run.kept.found) == 2000
    assert len(set(seen[1:])) == 1, "it went on while it was paused"


def test_memory_does_not_grow_with_the_number_of_files() -> None:
    """A million enumerated names pass through the spool and the comparison; nothing of them stays."""

    class Many:
        def start(self) -> Folder:
            return Folder("")

        def listed(self, folder: Folder) -> Iterator[Part]:
            for number in range(300):
                yield Part(f"folder {number}", [File(f"IM{each:05d}", 1000, each) for each in range(1000)])

    class Unchanged(Kept):
        def compare(self, entries: Sequence[FileEntry]) -> list[FileEntry]:
            return []

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = Run(Path("/"), Unchanged())
    run.lister = Many()  # type: ignore[assignment]
    progress = run()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert progress.processed == 300_000
    assert grown < 40, f"{grown:.0f} MB more"
