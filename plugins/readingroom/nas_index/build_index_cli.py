"""The command behind `scripts/build_index`: an index as a JSON file, without server and without database."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from readingroom.clock import iso
from readingroom.errors import BadRequest, ReadingRoomError
from readingroom.nas_index.estimates import Estimate
from readingroom.nas_index.nas_config import SourceConfig, of_location
from readingroom.nas_index.path_map import PathMap, parse_path_map
from readingroom.nas_index.pipeline import Pipeline
from readingroom.nas_index.place import Place, Wanted
from readingroom.nas_index.progress import Asked, Patience, Progress
from readingroom.nas_index.readers import Readers
from readingroom.nas_index.series_file import SeriesFile, replacing
from readingroom.nas_index.spool import Spool
from readingroom.nas_index.told import report
from readingroom.nas_index.watch import RunStopped, Watch
from readingroom.procedures import INTERRUPTED, stop_by_signals
from readingroom.settings import Settings
from readingroom.sources import SourceSettings, printable

FAILED, USAGE = 1, 2
"""Exit codes, beside INTERRUPTED."""

STATUS_NAME = "index_status.json"

SAVE_SECONDS = 10.0
"""Between two saves of the index while it grows."""

TELL_SECONDS = 5.0
"""The status file is never older while the work goes on: who looks at it sees that a run which waits is alive."""

WAIT_SECONDS = 600.0
"""How long a source may be away."""

application = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@application.command(context_settings={"help_option_names": ["-h", "--help"]})
def build_index(
    list_file: Annotated[
        Path | None,
        typer.Option("--list", help="A list of files, one path a line (nas_dicom_files.txt).", dir_okay=False),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Instead of a list: a folder, sftp://user@host/path or smb://user@host/share/path."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the index goes, as a JSON array of series.", dir_okay=False)] = Path(
        "index.json"
    ),
    limit: Annotated[int, typer.Option(min=0, help="Files at most; 0: all.")] = 0,
    workers: Annotated[int, typer.Option(min=0, max=128, help="Files at a time; 0: by measurement.")] = 0,
    method: Annotated[
        Literal["auto", "sequential", "parallel"], typer.Option(help="How folders are walked; auto: by measurement.")
    ] = "auto",
    path_map: Annotated[
        str | None,
        typer.Option(
            "--map",
            help=r"Which mounts Windows paths stand for: '\\nas\images=/mnt/images; Z:=/mnt/archive'; "
            "default: NAS_PATH_MAP.",
            envvar="NAS_PATH_MAP",
        ),
    ] = None,
    status_every: Annotated[int, typer.Option(min=1, help="Files between two updates of the status file.")] = 50,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on the terminal.")] = False,
) -> None:
    """Read headers of DICOM files and write them down by series: text and paths only; nothing at the source changes.

    Beside the index lies index_status.json, which tells how far the work is. Both are replaced in one step. An index of
    a run that was stopped holds what was read until then.

    Exit status: 0 when all is well, 1 when the source failed, 2 for wrong arguments, 130 when it was stopped. Files
    that could not be read are counted and told; they are no failure of the whole.
    """
    console = Console(stderr=True, highlight=False)
    try:
        config = _config(list_file, source)
        building = _Building(config, out.absolute(), limit, Wanted("", method, workers), parse_path_map(path_map or ""))
        stopped = building.run(console, status_every, quiet or not console.is_terminal)
    except BadRequest as error:
        console.print(f"build_index: {error.message}", markup=False, soft_wrap=True)
        raise typer.Exit(USAGE) from None
    except (ReadingRoomError, OSError) as error:
        said = report(error)
        console.print(f"build_index: {said['message']}. {said['suggestion']}", markup=False, soft_wrap=True)
        raise typer.Exit(FAILED) from None
    console.print(building.summary(), markup=False, soft_wrap=True)
    raise typer.Exit(INTERRUPTED if stopped else 0)


def _config(list_file: Path | None, source: str | None) -> SourceConfig:
    if (list_file is None) == (source is None):
        raise BadRequest("Name either --list FILE or --source PLACE.")
    if source is not None:
        return of_location(source)
    place = str((list_file or Path()).absolute())
    return SourceConfig.model_validate({"name": "list", "type": "list", "path": place})


class _Building:
    """One call of the command."""

    def __init__(self, config: SourceConfig, out: Path, limit: int, wanted: Wanted, paths: PathMap) -> None:
        self._config = config
        self._out = out
        self._status = out.with_name(STATUS_NAME)
        self._limit = limit
        self._wanted = wanted
        self._paths = paths
        self._estimate = Estimate(monotonic())
        self._told = (-1, "")
        """Files and phase that the status file tells."""
        self._started = self._saved_at = self._told_at = monotonic()
        self._save_after = SAVE_SECONDS
        self._progress = Progress()
        self._kept: SeriesFile
        self._stopping = threading.Event()
        if not out.parent.is_dir():
            raise BadRequest(f"The folder {out.parent} is not there.")

    def run(self, console: Console, status_every: int, quiet: bool) -> bool:
        """Read and write; whether somebody stopped it."""
        stop_by_signals(self._stopping, impatient=True)
        self._kept = SeriesFile(self._spelt)
        error: BaseException | None = None
        try:
            with Place(self._config, _site(), self._paths, self._wanted) as place:
                stopped = self._read(place, console, status_every, quiet)
            self._kept.write(self._out)
        except BaseException as caught:
            error = caught
            raise
        finally:
            self._tell(running=False, error=error)
            self._kept.close()
        return stopped

    def summary(self) -> str:
        """What was done, in a sentence or two."""
        progress, kept = self._progress, self._kept
        seconds = max(monotonic() - self._started, 0.001)
        lines = [
            f"{kept.series} series of {kept.files} files in {self._out} "
            f"({progress.processed} files in {seconds:.1f} s, {progress.processed / seconds:.0f} a second)"
        ]
        if progress.errors:
            lines.append(f"{progress.errors} files could not be read; the last of them:")
            lines += [f"  {self._spelt(each.path)}: {each.message}" for each in kept.recent[-5:]]
        return "\n".join(lines)

    def _read(self, place: Place, console: Console, status_every: int, quiet: bool) -> bool:
        watch = Watch(place.probe, patience=WAIT_SECONDS)
        spool = Spool()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
        )
        with Readers(place.plan()) as readers, Bar(*columns, console=console, disable=quiet) as bar:
            task = bar.add_task("reading", total=None, told="")

            def tick(progress: Progress) -> Asked:
                return self._tick(progress, status_every, bar, task)

            patience = Patience(self._config.retry_attempts, self._config.retry_delay)
            walk = lambda: place.walk(watch)  # noqa: E731
            pipeline = Pipeline(
                walk, readers, self._kept, watch, spool, tick=tick, patience=patience, limit=self._limit
            )
            self._progress = pipeline.progress
            try:
                pipeline.run()
            except RunStopped:
                return True
            finally:
                spool.close()
                self._tick(pipeline.progress, 1, bar, task)
        return False

    def _tick(self, progress: Progress, status_every: int, bar: Bar, task: TaskID) -> Asked:
        self._estimate.tell(monotonic(), progress.processed)
        total = progress.enumerated if progress.all_enumerated else None
        told = (
            f"{progress.processed}/{progress.enumerated} files, {self._kept.series} series, {progress.errors} errors, "
            f"{self._estimate.files_per_second:.0f}/s"
        )
        bar.update(task, description=progress.phase, completed=progress.processed, total=total, told=told)
        files, phase = self._told
        is_old = monotonic() - self._told_at >= TELL_SECONDS
        if progress.processed - files >= status_every or progress.phase != phase or is_old:
            self._told, self._told_at = (progress.processed, progress.phase), monotonic()
            self._tell(running=True)
        if monotonic() - self._saved_at > self._save_after:
            # What is there already can be used; saving takes a twentieth of the time at most.
            began = monotonic()
            self._kept.write(self._out)
            self._saved_at = monotonic()
            self._save_after = max(SAVE_SECONDS, 20 * (self._saved_at - began))
        return "cancel" if self._stopping.is_set() else ""

    def _tell(self, *, running: bool, error: BaseException | None = None) -> None:
        progress = self._progress
        now = datetime.now(UTC)
        total = progress.enumerated if progress.all_enumerated else 0
        done_at = self._estimate.completion(now, total) if running else None
        recent = [
            {
                "error_type": each.error_type,
                "error_code": each.error_code,
                "message": each.message,
                "suggestion": each.suggestion,
                "file_path": self._spelt(each.path),
                "timestamp": iso(now),
                "retry_count": each.retry_count,
            }
            for each in self._kept.recent
        ]
        if error is not None:
            recent.append(report(error) | {"file_path": None, "timestamp": iso(now), "retry_count": 0})
        said: dict[str, Any] = {
            "enumerated_files": progress.enumerated,
            "files_processed": progress.processed,
            "series_count": self._kept.series,
            "errors": progress.errors + (error is not None),
            "running": running,
            "paused": False,
            "phase": progress.phase if running else "",
            "files_per_second": round(self._estimate.files_per_second, 1),
            "last_updated": iso(now),
            "estimated_completion": iso(done_at) if done_at else None,
            "recent_errors": recent,
        }
        with replacing(self._status) as out:
            json.dump(said, out, indent=1)

    def _spelt(self, path: str) -> str:
        """The path as whoever asked knows it: as Windows has it, from the root of this machine, or as an address."""
        if self._config.type == "list":
            return self._paths.unmapped("/" + path) or printable("/" + path)
        return printable(f"{self._config.location().url.rstrip('/')}/{path}")


def _site() -> SourceSettings:
    """Accounts of the environment; no data folder is needed, and none is made."""
    os.environ.setdefault("READINGROOM_DATA", "/nonexistent")
    return SourceSettings.of(Settings())  # type: ignore[call-arg]  # from the environment


if __name__ == "__main__":
    application()
