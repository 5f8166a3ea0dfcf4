"""`scripts/bench`: runs the modules of tests/bench in the test root, prints their tables, keeps them as JSON."""

from __future__ import annotations

import argparse
import importlib
import shutil
import tempfile
import time
from pathlib import Path

from scripts.runtime import refusal, roots, webapp
from scripts.runtime.ground import python_command, stand
from scripts.runtime.places import REPO, data_folder
from scripts.runtime.refusal import Refusal
from scripts.runtime.report import Report

BENCH = REPO / "tests" / "bench"


def main(argv: list[str]) -> int:
    """Run what is named, or every benchmark there is."""
    # Beside them lies what several of them share.
    known = sorted(each.stem for each in BENCH.glob("*.py") if "\ndef run(" in each.read_text())
    made = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure, side by side in one run. Benchmarks: " + ", ".join(known) + ".",
    )
    made.add_argument("names", nargs="*", metavar="name", help="which ones (default: all)")
    made.add_argument("--data", metavar="DIR", help="figures are kept in DIR/bench (default: data)")
    made.add_argument("--suite", choices=roots.SUITES, help="Debian release to measure on")
    made.add_argument("--strict", action="store_true", help="exit with 1 when an aim is missed")
    said = made.parse_args(argv)
    unknown = sorted(set(said.names) - set(known))
    if unknown:
        raise Refusal(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(known)}.", status=2)
    ground = stand("test", said.suite)
    out = data_folder(said.data) / "bench"
    out.mkdir(parents=True, exist_ok=True)
    words = ["--strict"] if said.strict else []
    command, env = python_command("scripts.runtime.benching", [str(out), *words, *(said.names or known)], ground)
    web = webapp.built(ground)
    env["READINGROOM_WEB"] = str(web)
    return ground.run(command, env=env, cwd=REPO, writable=[out], used=[web])


def inside(argv: list[str]) -> int:
    """`benching OUT [--strict] NAME…` in the test root."""
    out, *names = argv
    strict = "--strict" in names
    all_met = True
    for name in [each for each in names if each != "--strict"]:
        began = time.monotonic()
        scratch = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
        report = Report(name, scratch)
        print(f"\n== {name} …", flush=True)
        try:
            importlib.import_module(f"tests.bench.{name}").run(report)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        for table in report.tables:
            print(table.text(), flush=True)
        print(f"\n  {time.monotonic() - began:.0f} s, kept in {report.write(Path(out))}", flush=True)
        all_met = all_met and report.met
    return 0 if all_met or not strict else 1


if __name__ == "__main__":
    refusal.run(inside)
