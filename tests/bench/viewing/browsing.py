"""One visit in Chromium: from an empty profile to all pictures, then the wheel; the same for every way."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright

from tests.bench.viewing.ground import Series
from tests.bench.viewing.spent import Meter, Spent, private_mb, tree_seconds
from tests.fixtures.browser import CHROMIUM, DRAWN_BY_SOFTWARE, QUIET, sign_in
from tests.fixtures.instance import LiveInstance
from tests.fixtures.processes import children

WATCH = (Path(__file__).parent / "watch.js").read_text()
ARGUMENTS = [
    *(each for each in QUIET if each != "--disable-gpu"),
    *DRAWN_BY_SOFTWARE,
    "--enable-precise-memory-info",
]
VIEWPORT = {"width": 1280, "height": 860}
TURNS = 120
TURN_SECONDS = 0.03
"""Between two turns of the wheel: a brisk scroll, 33 slices a second."""

PATIENCE = 240.0
NOTHING_MORE = 10.0
"""A viewer that has asked for nothing for so long has all that it wants."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to view a series."""

    name: str
    address: Callable[[Series], str]
    """Path of its page for a series."""
    ready: Callable[[Page], None] = lambda page: None
    """What has to be done before the wheel turns."""


@dataclass(slots=True)
class Visit:
    """What one visit measured: times in milliseconds from when the page was asked for."""

    first: float = 0.0
    all: float = 0.0
    loaded: int = 0
    wheel: list[float] = field(default_factory=list)
    heap_mb: float = 0.0
    private_mb: float = 0.0
    browser: float = 0.0
    """Processor time of the whole browser until all pictures had come, in seconds."""
    spent: Spent | None = None
    load: float = 0.0
    heard: list[str] = field(default_factory=list)


class Window:
    """A Chromium with a profile of its own."""

    def __init__(self, context: BrowserContext, profile: Path) -> None:
        self.context = context
        self._profile = profile
        self.heard: list[str] = []

    def page(self, token: str) -> Page:
        """A new page that is watched."""
        page = self.context.new_page()
        page.add_init_script(f"window.benchToken = {token!r};")
        page.add_init_script(WATCH)
        page.on("pageerror", lambda error: self.heard.append(f"uncaught: {error}"))
        page.on("console", lambda said: self.heard.append(said.text) if said.type == "error" else None)
        return page

    def renderer_mb(self) -> float:
        """Memory of the page's process, which its workers share: the largest of them."""
        found = []
        for process in children(self._browser()):
            try:
                if b"--type=renderer" in Path(f"/proc/{process}/cmdline").read_bytes():
                    found.append(private_mb(process))
            except OSError:
                continue  # it has just ended
        return max(found, default=0.0)

    def seconds(self) -> float:
        """Processor time of the browser so far, all its processes."""
        return tree_seconds(self._browser())

    def _browser(self) -> int:
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self._profile).encode() in line and b"--type=" not in line and b"chromium" in line.split(b"\0")[0]:
                return int(entry.name)
        raise AssertionError("the browser is gone")


@contextmanager
def window(playwright: Playwright, live: LiveInstance, url: str, role: str = "admin") -> Iterator[Window]:
    """A Chromium that has never been here, signed in."""
    with tempfile.TemporaryDirectory(prefix="readingroom-chromium-", ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=ARGUMENTS, viewport=VIEWPORT, locale="en-GB", timezone_id="UTC"
        )
        context.set_default_timeout(PATIENCE * 1000)
        try:
            sign_in(context, url, role)
            yield Window(context, Path(profile))
        finally:
            context.close()


def visited(
    opened: Window,
    live: LiveInstance,
    url: str,
    way: Way,
    series: Series,
    *,
    scroll: bool = True,
    token: str = "",
    rest: float = 0.0,
) -> Visit:
    """Opens the series in a new page and waits for all its pictures; turns the wheel; rests for some seconds."""
    meter, page, visit = Meter(live), opened.page(token), Visit(load=os.getloadavg()[0])
    before = opened.seconds()
    meter.begin()
    page.goto(url + way.address(series), wait_until="commit")
    visit.loaded = _waited(page, series.count)
    visit.browser = opened.seconds() - before
    visit.spent = meter.end()
    seen = page.evaluate("window.benchSeen")
    visit.first = seen["first"] or float("nan")
    visit.all = seen["loaded"][-1] if seen["loaded"] else float("nan")
    visit.heap_mb = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    visit.private_mb = opened.renderer_mb()
    if scroll:
        way.ready(page)
        visit.wheel = wheel(page)
    visit.heard = list(opened.heard)
    time.sleep(rest)
    page.close()
    return visit


def _waited(page: Page, count: int) -> int:
    """How many pictures had come when all had and one was on the screen, or when no more came."""
    end, most, since = time.monotonic() + PATIENCE, 0, time.monotonic()
    while time.monotonic() < end:
        now = _loaded(page)
        if now > most:
            most, since = now, time.monotonic()
        whole = most >= count and page.evaluate("window.benchSeen.first !== null")
        if whole or (most and time.monotonic() - since > NOTHING_MORE):
            break
        time.sleep(0.05)
    return most


def wheel(page: Page, turns: int = TURNS) -> list[float]:
    """Milliseconds from each turn of the wheel to the drawn picture; down through the series and up again."""
    width, height = VIEWPORT["width"], VIEWPORT["height"]
    page.mouse.move(width * 0.55, height * 0.55)
    page.evaluate("window.benchSeen.wheels.length = 0")
    for turn in range(turns):
        page.mouse.wheel(0, 100 if turn < turns * 2 // 3 else -100)
        time.sleep(TURN_SECONDS)
    time.sleep(0.5)
    found: list[float] = page.evaluate("window.benchSeen.wheels")
    return found


def p95(values: list[float]) -> float:
    """What 95 of 100 stay below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] if ordered else float("nan")


def _loaded(page: Page) -> int:
    """How many pictures are there, as Cornerstone or our page says; raises when the page gave up."""
    failed = page.evaluate("window.benchError")
    assert not failed, failed
    return int(page.evaluate("window.benchSeen ? window.benchSeen.loaded.length : 0"))


def _past_the_tour(page: Page) -> None:
    """OHIF greets with a tour that takes all input until it is dismissed."""
    skip = page.get_by_text("Skip all", exact=True)
    if skip.count():
        skip.first.click()


OURS = Way("ours", lambda s: s.page)
PACKED = Way("ours, packed before", lambda s: s.page)
"""The same again in another empty browser: what the server made for a slow line, it has kept."""

STOCK = Way("one request a frame", lambda s: f"/bench/index.html?study={s.study}&series={s.series}")
OHIF = Way("OHIF", lambda s: f"/ohif/viewer?StudyInstanceUIDs={s.study}", _past_the_tour)
