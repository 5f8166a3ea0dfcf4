"""A whole tree indexed from the page: the bar moves, the figures at the end are pydicom's."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browser import Shelf, Visitor
from tests.fixtures.instance import LiveInstance
from tests.fixtures.slowed import Slowed
from tests.fixtures.whole_index import FILES, Whole, lay_down

PATIENCE = 120 + FILES / 200
VALUES = 3
"""So many different ones show that the bar moves."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The tree (see tests/live/test_index_whole_tree.py for its size) and what pydicom says of it."""
    return lay_down(tmp_path_factory.mktemp("whole") / "whole nas")


def test_a_whole_tree_is_indexed_from_the_page_while_one_watches(visit: Visitor, shelf: Shelf, whole: Whole) -> None:
    admin = visit("admin")
    admin.go("/nas/sources")
    page = admin.page
    page.get_by_role("combobox", name="Source").fill(str(whole.root))
    with page.expect_response(re.compile("/api/index/start")) as started:
        page.get_by_role("button", name="Start run").click()
    run_id = started.value.json()["runId"]
    panel = page.get_by_role("region", name=re.compile("Run over .*whole nas"))
    with ended_at_last(shelf.live, run_id), Slowed(run_id, rests=0.5) as slowed:
        shown = bar_values(page, panel, slowed)
    assert shown == sorted(shown)
    assert len(set(shown)) >= VALUES, shown

    expect(panel).to_contain_text(f"{whole.opened:,} of {whole.opened:,} files")
    counted = panel.locator("div", has=page.get_by_text("Series", exact=True)).locator("dd").last
    # Beside pydicom's series those whose files had bits turned over, see `whole_index`.
    damaged = len(whole.undecided)
    assert len(whole.series) <= number(counted.inner_text()) <= len(whole.series) + damaged

    some = sorted(whole.series)[:: max(len(whole.series) // 8, 1)]
    for key in some:
        said = whole.series[key]
        admin.go(f"/nas/series/{key}")
        words = "1 file" if len(said.files) == 1 else f"{len(said.files):,} files"
        expect(page.get_by_role("heading", name=words, exact=True)).to_be_visible()


@contextmanager
def ended_at_last(live: LiveInstance, run_id: str) -> Iterator[None]:
    """However it goes: no run is left that other tests would meet."""
    try:
        yield
    finally:
        live.admin.post("/api/index/cancel", json={"runId": run_id})


def bar_values(page: Page, panel: Locator, slowed: Slowed) -> list[float]:
    """What the bar showed from the start of a run to its end, in per cent; slow until it was seen to move."""
    shown: list[float] = []
    end = time.monotonic() + PATIENCE
    while not panel.get_by_text("Last run over").is_visible():
        assert time.monotonic() < end, shown
        # It is animated as long as nobody knows how many files there are.
        shown += page.evaluate(
            "[...document.querySelectorAll('[aria-label=\"Progress of the run\"]:not([data-animated])')]"
            ".map(bar => Number(bar.ariaValueNow))"
        )
        if len(set(shown)) >= VALUES:
            slowed.let_go()
        page.wait_for_timeout(100)
    return shown


def number(text: str) -> int:
    """The number in a text."""
    return int(re.sub(r"\D", "", text))
