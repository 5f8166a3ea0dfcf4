"""Commands of `scripts/admin assets`: hold rows and stored objects against each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from readingroom.admin_room import Ground, ground, say
from readingroom.audit import Trail
from readingroom.imaging import building
from readingroom.imaging.checking import Report, Wish
from readingroom.imaging.faults import WORDS, Fault
from readingroom.metrics import Metrics
from readingroom.objects.choosing import from_settings
from readingroom.pictures import Pictures

assets = typer.Typer(no_args_is_help=True, help="Imaging assets: their rows, and where their bytes are.")

FAULTS_LEFT = 1


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
