"""Commands of `scripts/admin assets`: hold rows and stored objects against each other; move to another store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from readingroom.admin_room import Ground, ground, say
from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.errors import SettingsError
from readingroom.imaging import building
from readingroom.imaging import moving as moves
from readingroom.imaging.checking import Report, Wish
from readingroom.imaging.faults import WORDS, Fault
from readingroom.imaging.moving import Moving
from readingroom.metrics import Metrics
from readingroom.objects import Backend
from readingroom.objects.choosing import from_settings
from readingroom.pictures import Pictures

assets = typer.Typer(no_args_is_help=True, help="Imaging assets: their rows, and where their bytes are.")

FAULTS_LEFT = 1

PROGRESS_SECONDS = 5.0


@assets.callback()
def choose() -> None:
    """Imaging assets: their rows, and where their bytes are."""


@assets.command()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read every original and compare its SHA-256.")] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="With --repair: that many are missing is meant.")
    ] = False,
    remove_foreign: Annotated[
        bool, typer.Option("--remove-foreign", help="With --repair: also remove objects that this database never made.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Hold rows and stored objects against each other. Status 1 when something is wrong and was not mended.

    Mending: an asset whose original is gone or has other bytes is no longer shown, until a later check finds it again;
    a missing thumbnail is made when it is asked for; what uploads that died left is removed, and so are objects whose
    row is gone. Objects younger than an hour are left alone: they may be on their way.
    """
    wish = Wish(deep=deep, repair=repair, accept_loss=accept_loss, remove_foreign=remove_foreign)
    with ground() as on, imaging(on) as parts:
        report = parts.checking.check(wish, on.caller)
    say(_json(report) if as_json else _words(report, repaired=repair))
    if report.left:
        raise typer.Exit(FAULTS_LEFT)


@assets.command()
def move(
    to: Annotated[Backend, typer.Option("--to", help="The store that they shall lie in: s3 or nfs.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    delete_source: Annotated[
        bool,
        typer.Option(
            "--delete-source", help="Take what was moved out of the old store, once the settings name the new."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy every asset to the other store under the same keys. Status 1 when some could not be.

    Each copy is read back and held against its SHA-256 before its row names the new store. Both stores are those of the
    settings. It may be stopped and run again at any time, while a Reading Room runs: move; set IMAGING_STORAGE_BACKEND
    and restart; move again, with --delete-source if the old store shall be emptied.
    """
    with ground() as on:
        if delete_source and not dry_run and on.settings.imaging_backend != to:
            raise SettingsError(
                f"IMAGING_STORAGE_BACKEND is {on.settings.imaging_backend}: a Reading Room reads from the store that "
                f"would be emptied. Set it to {to} and restart, then run this again."
            )
        source, target = from_settings(on.settings, "nfs" if to == "s3" else "s3"), from_settings(on.settings, to)
        try:
            moving = Moving(on.database, Trail(on.database, on.clock), source, target)
            report = moving.move(moves.Wish(dry=dry_run, delete_source=delete_source), on.caller, Progress(on.clock))
        finally:
            source.close()
            target.close()
    say(json.dumps(asdict(report)) if as_json else _moved(report, to, dry=dry_run))
    if report.failed:
        raise typer.Exit(FAULTS_LEFT)


class Progress:
    """Says on standard error, every few seconds, how far a move is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said = clock.monotonic()

    def __call__(self, report: moves.Report) -> None:
        """A line, unless there was one just before."""
        if self._clock.monotonic() - self._said >= PROGRESS_SECONDS:
            self._said = self._clock.monotonic()
            say(f"{report.assets} of {report.total} assets, {report.bytes / 1e6:.1f} MB", err=True)


@contextmanager
def imaging(on: Ground) -> Iterator[building.Imaging]:
    """The parts of imaging without an application around them; nothing runs beside the command."""
    trail, objects, pictures = Trail(on.database, on.clock), from_settings(on.settings), Pictures(on.settings)
    made = building.build(on.settings, on.database, on.clock, trail, Metrics(), objects, pictures)
    try:
        yield made
    finally:
        for stop in reversed(made.stops):
            stop()


def _moved(report: moves.Report, to: str, *, dry: bool) -> str:
    lines = [f"STAYS\tasset {each.asset}\t{each.key}\t{moves.WORDS[each.why]}" for each in report.told]
    would = "would move" if dry else "moved"
    end = (
        f"{report.total} assets: {report.moved} {would} to {to} ({report.copied} objects, {report.bytes / 1e6:.1f} MB)"
    )
    if report.there:
        end += f", {report.there} objects were there already"
    if report.deleted:
        end += f", {report.deleted} taken out of the old store"
    if report.failed:
        end += f", {report.failed} stayed"
    return "\n".join([*lines, f"{end}."])


def _json(report: Report) -> str:
    told = asdict(report)
    told["told"] = [asdict(fault) | {"said": WORDS[fault.kind]} for fault in report.told]
    return json.dumps(told | {"left": report.left})


def _words(report: Report, *, repaired: bool) -> str:
    lines = [_line(fault) for fault in report.told]
    lines += [f"HELD BACK: {reason}" for reason in report.held_back]
    seen = f"{report.assets} assets, {report.objects} objects of {report.bytes / 1e6:.1f} MB"
    found = sum(report.faults.values())
    if not found:
        return f"All is well: {seen}."
    mended = f", {found - report.left} mended" if repaired else "; --repair mends what can be mended"
    return "\n".join([*lines, f"{seen}: {found} fault{'s' if found > 1 else ''}{mended}."])


def _line(fault: Fault) -> str:
    whose = f"asset {fault.asset}" if fault.asset else "no asset"
    return f"{fault.kind}\t{whose}\t{fault.key}\t{WORDS[fault.kind]}"
