"""Tells a person what an import did: a bar or lines while it runs, then figures and lists, and a report file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from readingroom.cases.import_runs import Figures, Runs
from readingroom.cases.importer import Ending
from readingroom.clock import iso

LINES_ON_SCREEN = 20
"""Of each kind; the report file has them all."""

PLAIN_SECONDS = 5.0
"""How often a run says how far it is where there is no terminal."""

OUTCOMES = (
    ("added", "added"),
    ("unchanged", "unchanged"),
    ("changed", "changed"),
    ("missing", "missing at source"),
    ("not_dicom", "not DICOM"),
    ("failed", "failed"),
)


class Watcher:
    """Shows the figures while a run goes on: a bar on a terminal, else a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = self._said = time.monotonic()
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[speed]}"),
                TimeRemainingColumn(),
                console=console,
            )
            self._task = self._bar.add_task("listing", total=None, speed="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, figures: Figures) -> None:
        """Show how far it is."""
        seconds = max(time.monotonic() - self._began, 0.001)
        speed = f"{figures.files_done / seconds:,.0f} files/s, {figures.bytes_done / seconds / 1e6:,.1f} MB/s"
        if self._bar:
            self._bar.update(
                self._task,
                description=figures.phase,
                completed=figures.files_done,
                # While the listing goes on nobody knows how much there is.
                total=None if figures.phase == "listing" else figures.files_seen,
                speed=speed,
            )
        elif time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            self._console.print(
                f"{figures.phase}: {figures.files_done} of {figures.files_seen} files ({speed}), "
                f"{figures.added} added, {figures.unchanged} unchanged, {figures.failed} failed"
            )


def show(console: Console, runs: Runs, run_id: str, ending: Ending, report: Path | None) -> None:
    """Print the summary: figures, and of each kind the first files with their reasons."""
    dry = runs.get(run_id).dry_run
    for outcome in ("failed", "not_dicom", "missing", "changed", "skipped"):
        _list(console, runs, run_id, outcome, report)
    table = Table(title="What an import would do" if dry else "Import", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    for column, said in OUTCOMES:
        table.add_row(said, f"{getattr(ending.figures, column):,}")
    left_out = runs.items(run_id, "skipped", 1, 0)[1]
    if left_out:
        table.add_row("left out (folders, links)", f"{left_out:,}")
    console.print(table)
    if ending.message:
        console.print(f"{ending.state}: {ending.message}", markup=False, soft_wrap=True)


def _list(console: Console, runs: Runs, run_id: str, outcome: str, report: Path | None) -> None:
    rows, total = runs.items(run_id, outcome, LINES_ON_SCREEN, 0)
    if not total:
        return
    said = dict(OUTCOMES).get(outcome, "left out")
    console.print(f"[bold]{said}[/bold] ({total:,})")
    for row in rows:
        reason = f"  [dim]{escape(row.reason)}[/dim]" if row.reason else ""
        console.print(f"  {escape(row.path)}{reason}", soft_wrap=True, highlight=False)
    if total > len(rows):
        where = str(report) if report else "--report FILE"
        console.print(f"  … and {total - len(rows):,} more, all of them in {escape(where)}", soft_wrap=True)


def write_report(place: Path, runs: Runs, run_id: str) -> None:
    """Write the run and every line of its report as JSON, beside its place and then renamed."""
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            run = {name: _plain(value) for name, value in runs.get(run_id)._mapping.items()}
            file.write('{"run": ' + json.dumps(run) + ',\n"items": [')
            for number, item in enumerate(_items(runs, run_id)):
                file.write(",\n" if number else "\n")
                file.write(json.dumps(item, ensure_ascii=False))
            file.write("\n]}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)
    finally:
        fresh.unlink(missing_ok=True)


def _items(runs: Runs, run_id: str) -> Iterator[dict[str, str]]:
    for row in runs.all_items(run_id):
        yield {"path": row.path, "outcome": row.outcome, "reason": row.reason}


def _plain(value: Any) -> Any:
    return iso(value) if hasattr(value, "astimezone") else value
