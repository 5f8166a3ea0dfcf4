"""Benchmarks, run by `scripts/bench [name …]` in the test root; each module here is one.

A module has one function, and measures everything that belongs side by side in one run:

    def run(report: Report) -> None:
        with running(report.scratch / "data") as live:               # tests.fixtures.instance
            speed = report.table("Zip of a 1 GB case, one client, median of 3", "MB/s")
            speed.add("Orthanc's own archive", 5.2, 5.1, against=True)   # rows get their ratio to it
            speed.add("ours, through the gateway", 812.0, 790.2, 805.0)       # one value for each run
            times = speed.ratio("ours, through the gateway", "Orthanc's own archive")
            speed.aim(f"at least 100 times Orthanc's own archive: {times:.0f} times", times >= 100)

`Report` comes from `scripts.runtime.report`. Tables are printed and kept as JSON in DATA/bench/; a missed aim
is shown, and is a
failure only with `--strict`. Say in the title how it was measured; machines differ, ratios within one run
less so.
"""

from __future__ import annotations
