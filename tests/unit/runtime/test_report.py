"""Figures side by side: medians, ratios, aims, and what is kept of them."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.runtime.report import Report


def test_rows_are_held_against_each_other_by_their_medians(tmp_path: Path) -> None:
    report = Report("speed", tmp_path)
    table = report.table("Zip of 1 GB", "MB/s")
    table.add("theirs", 5.0, against=True)
    table.add("ours", 400.0, 500.0, 900.0, note="through the gateway")
    assert table.ratio("ours", "theirs") == 100
    drawn = table.text().splitlines()
    assert [line.split() for line in drawn[2:5]] == [
        ["MB/s", "runs", "×", "theirs", "note"],
        ["theirs", "5", "1", "1.00"],
        ["ours", "500", "400–900", "(3)", "100.00", "through", "the", "gateway"],
    ]


def test_a_missed_aim_is_seen_and_kept(tmp_path: Path) -> None:
    report = Report("speed", tmp_path)
    table = report.table("Zip of 1 GB", "MB/s")
    table.add("ours", 1.0)
    table.aim("at least 2", met=True)
    assert report.met
    table.aim("at least 100", met=False)
    assert not report.met
    assert "MISSED  at least 100" in table.text()
    said = json.loads(report.write(tmp_path).read_text())
    assert [aim["met"] for aim in said["tables"][0]["aims"]] == [True, False]
    assert said["name"] == "speed"
