"""Runs of the NAS index on the page: watched live, paused, waiting for their source, looked back at."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import factories
from tests.fixtures.browser import Shelf, Visitor
from tests.fixtures.nas_pages import RUN_MS, configured, indexed, lay_down, row_of
from tests.fixtures.nas_trees import make_tree, multiply

MANY = 20
"""Times that a tree of a thousand files is linked: enough that a run over it is still under way when it is paused."""


@pytest.fixture(autouse=True)
def no_run_is_left(shelf: Shelf) -> Iterator[None]:
    """What a failed test left paused would stand on the page of every later one."""
    yield
    for run in shelf.live.admin.get("/api/index/runs?limit=200").json()["items"]:
        if run["running"]:
            shelf.live.admin.post("/api/index/cancel", json={"runId": run["run_id"]})


def begun(shelf: Shelf, name: str, folder: Path) -> str:
    """A run that is asked to pause before it has done anything; its id."""
    configured(shelf.live, name=name, type="local", path=str(folder), retry_delay=1)
    answer = shelf.live.admin.post("/api/index/start", json={"source": name})
    assert answer.status_code == 202, answer.text
    run_id = str(answer.json()["runId"])
    shelf.live.admin.post("/api/index/pause", json={"runId": run_id})
    return run_id


def panel_of(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=f"Run over {name}", exact=True)


def large_tree(folder: Path) -> Path:
    folder.mkdir()
    make_tree(folder, 1000, 50)
    multiply(folder, MANY)
    return folder


def test_several_runs_stand_side_by_side_and_each_is_steered_by_itself(
    visit: Visitor, shelf: Shelf, tmp_path: Path
) -> None:
    for name in ("left", "right"):
        begun(shelf, name, large_tree(tmp_path / name))
    admin = visit("admin")
    admin.go("/nas/sources")
    page = admin.page
    left, right = panel_of(page, "left"), panel_of(page, "right")
    for panel in (left, right):
        expect(panel).to_contain_text("Nothing is read until it is resumed")
        # At nothing yet it has no width, so it may not be seen.
        expect(panel.get_by_role("progressbar", name="Progress of the run")).to_be_attached()
    one, other = left.bounding_box(), right.bounding_box()
    assert one is not None and other is not None and abs(one["y"] - other["y"]) < 2, "side by side where there is room"
    page.get_by_role("button", name="Cancel the run over left").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    expect(row_of(page, "Sources", "left")).to_contain_text("Cancelled")
    # What has ended stays beside what goes on, for whoever watched it.
    expect(left).to_contain_text("Last run over left")
    expect(left.get_by_role("status")).to_have_text("Run over left: Cancelled.")
    page.get_by_role("button", name="Resume the run over right").click()
    expect(right.get_by_role("status")).to_have_text(
        re.compile(
            r"Run over right: (Reading headers|Looking for files.*|Finishing)(, \d+0? per cent done)?\.|.*Done\."
        )
    )
    expect(right).to_contain_text("Last run over right", timeout=RUN_MS)
    expect(right.get_by_role("status")).to_have_text("Run over right: Done.")
    expect(left).to_contain_text("Last run over left")


def test_a_run_whose_source_goes_away_says_that_it_waits_and_goes_on_by_itself(
    visit: Visitor, shelf: Shelf, tmp_path: Path
) -> None:
    folder = large_tree(tmp_path / "unplugged")
    run_id = begun(shelf, "unplugged", folder)
    admin = visit("admin")
    admin.go(f"/nas/runs/{run_id}")
    page = admin.page
    panel = panel_of(page, "unplugged")
    expect(panel).to_contain_text("Paused")
    away = folder.rename(tmp_path / "somewhere else")
    page.get_by_role("button", name="Resume the run over unplugged").click()
    expect(panel).to_contain_text("Waits for source", timeout=RUN_MS)
    expect(panel.get_by_role("alert")).to_contain_text("The run goes on by itself as soon as the source is back.")
    away.rename(folder)
    expect(panel).to_contain_text("Done", timeout=RUN_MS)
    expect(panel.get_by_role("alert")).to_have_count(0)
    said = shelf.live.admin.get(f"/api/index/status?run_id={run_id}").json()
    assert said["files_processed"] == said["enumerated_files"] > 1000 * MANY


def test_times_are_those_of_the_sites_region(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "southern"
    lay_down(folder)
    run_id = indexed(shelf.live, configured(shelf.live, name="southern", type="local", path=str(folder)))
    run = shelf.live.admin.get(f"/api/index/status?run_id={run_id}").json()
    there = datetime.fromisoformat(run["started_at"]).astimezone(ZoneInfo("Africa/Johannesburg"))
    admin = visit("admin")  # who sits in UTC
    admin.go(f"/nas/runs/{run_id}")
    expect(panel_of(admin.page, "southern")).to_contain_text(f"{there:%H:%M} GMT+2")
    admin.go("/nas?source=southern")
    admin.page.locator("[data-row-link]").first.click()
    expect(admin.page.get_by_text(re.compile(r"\d\d:\d\d GMT\+2$"))).to_be_visible()


def test_most_files_gone_are_taken_out_only_on_an_explicit_word(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "shrunk"
    jane, _ = lay_down(folder)
    make_tree(folder / "more", 60, 20, junk_of=1000)
    name = configured(shelf.live, name="shrunk", type="local", path=str(folder))
    indexed(shelf.live, name)
    for path in [*(folder / "more").rglob("*.dcm"), *(folder / "MR").iterdir()]:
        path.unlink()
    run_id = indexed(shelf.live, name)
    admin = visit("admin")
    admin.go(f"/nas/runs/{run_id}")
    page = admin.page
    alert = page.get_by_role("alert").filter(has_text="Most files were missing")
    expect(alert).to_contain_text("nothing was taken out of the index")
    assert shelf.live.admin.get(f"/api/search?q={jane}").json()["total"] == 1
    alert.get_by_role("button", name=re.compile("removed on purpose")).click()
    dialog = page.get_by_role("dialog", name="Accept what shrunk has lost?")
    act = dialog.get_by_role("button", name="Take them out")
    expect(act).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    act.click()
    expect(dialog).to_have_count(0)
    page.get_by_role("link", name="Sources and runs").click()
    panel = panel_of(page, "shrunk")
    expect(panel).to_contain_text("Last run over shrunk", timeout=RUN_MS)
    expect(panel.get_by_text("Most files were missing")).to_have_count(0)
    assert shelf.live.admin.get(f"/api/search?q={jane}").json()["total"] == 0


def test_the_history_of_one_source_leads_to_every_error_of_a_run(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "faulty"
    lay_down(folder)
    factories.write_tree(folder, {f"junk/no{number:02d}.dcm": b"no DICOM" for number in range(60)})
    listed = tmp_path / "faulty.txt"
    listed.write_text("\n".join([*(str(each) for each in sorted(folder.rglob("*.dcm"))), f"{folder}/gone.dcm"]))
    name = configured(shelf.live, name="faulty", type="list", path=str(listed))
    run_id = indexed(shelf.live, name)
    admin = visit("admin")
    admin.go("/nas/sources?runs=faulty")
    page = admin.page
    table = page.get_by_role("table", name="Runs")
    expect(table.get_by_role("row")).to_have_count(2)
    row = table.get_by_role("row").nth(1)
    expect(row).to_contain_text("by admin")
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile(f"/nas/runs/{run_id}$"))
    errors, kinds = page.get_by_role("table", name="Errors"), page.get_by_role("radiogroup", name="Kind of error")
    expect(errors.get_by_role("row")).to_have_count(51)
    page.get_by_role("button", name="Page 2", exact=True).click()
    expect(page).to_have_url(re.compile("page=2"))
    expect(errors.get_by_role("row")).to_have_count(13)
    kinds.get_by_text("Files", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?type=filesystem$"))
    expect(errors.get_by_role("row")).to_have_count(2)
    gone = errors.get_by_role("row").nth(1)
    for part in ("gone.dcm", "file_not_found", "Nothing to do if it was deleted or moved", "Files"):
        expect(gone).to_contain_text(part)
    page.go_back()
    expect(errors.get_by_role("row")).to_have_count(13)
    kinds.get_by_text("Network", exact=True).click()
    expect(page.get_by_role("heading", name="No error of this kind")).to_be_visible()
    kinds.get_by_text("All", exact=True).click()
    with page.expect_download() as started:
        page.get_by_role("button", name="Save as CSV").click()
    with Path(started.value.path()).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 62
    assert {line["error_type"] for line in lines} == {"dicom", "filesystem"}
    assert all(line["file_path"].endswith(".dcm") for line in lines)


def test_a_run_that_ended_because_its_source_was_away_says_so_everywhere(visit: Visitor, shelf: Shelf) -> None:
    source = {"type": "smb", "host": "127.0.0.1", "port": 9, "share": "x", "username": "a", "password": "b"}
    name = configured(shelf.live, name="unreachable", retry_attempts=0, **source)
    run_id = indexed(shelf.live, name)
    admin = visit("admin")
    admin.go("/nas/sources?runs=unreachable")
    page = admin.page
    expect(row_of(page, "Sources", "unreachable")).to_contain_text("Source offline")
    expect(row_of(page, "Runs", "unreachable")).to_contain_text("Source offline")
    admin.go(f"/nas/runs/{run_id}")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.get_by_role("row").nth(1)).to_contain_text("The source as a whole")
    expect(page.get_by_role("button", name="Resume the run over unreachable")).to_be_visible()
