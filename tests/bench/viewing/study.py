"""A study of many series in one page: its grid until every small picture is there, and hours of looking, made short."""

from __future__ import annotations

import time
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.bench.viewing.browsing import Window, wheel
from tests.bench.viewing.ground import Series
from tests.fixtures.browser import until

PATIENCE_MS = 60_000
ALL_DRAWN = """
(count) => {
  const all = [...document.querySelectorAll("li[data-series] img")];
  const drawn = all.filter((each) => each.complete && each.naturalWidth);
  return drawn.length >= count && performance.now();
}
"""
"""Milliseconds from the page's start when the last small picture is there; false until then."""

TURNS = 20


@dataclass(frozen=True, slots=True)
class Held:
    """Memory of the page after a while of looking, rubbish collected: millions of bytes."""

    private: float
    heap: float


def grid_shown(opened: Window, url: str, study: list[Series]) -> float:
    """Milliseconds from the page's start until every series has its small picture."""
    page = opened.page("")
    page.goto(f"{url}/viewer/{study[0].study}", wait_until="commit")
    took = until(page, ALL_DRAWN, len(study), patience_ms=PATIENCE_MS)
    page.close()
    return float(took)


def looked_through(opened: Window, url: str, study: list[Series], rounds: int) -> list[Held]:
    """Opens each series in turn in one page, turns the wheel, goes back; again and again. Memory after each round."""
    page = opened.page("")
    page.goto(f"{url}/viewer/{study[0].study}")
    held = []
    for _ in range(rounds):
        for series in study:
            before = page.evaluate("window.benchSeen.drawn.length")
            page.locator(f'li[data-series="{series.series}"] a').click()
            until(page, "(n) => window.benchSeen.drawn.length > n", before, patience_ms=PATIENCE_MS)
            wheel(page, TURNS)
            page.go_back()
            page.locator(f'li[data-series="{series.series}"]').wait_for()
        held.append(_held(opened, page))
    page.close()
    return held


def _held(opened: Window, page: Page) -> Held:
    time.sleep(2)  # what still loads in the background
    session = opened.context.new_cdp_session(page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    session.detach()
    return Held(opened.renderer_mb(), page.evaluate("performance.memory.usedJSHeapSize") / 1e6)
