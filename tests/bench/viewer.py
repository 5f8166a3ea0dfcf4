"""A CT of 400 slices in the browser: our viewer, OHIF, and one request a frame; one run, one Orthanc, one Chromium.

Then what comes back from the browser's own store, 30 viewers at once while a modality pushes, small pictures of 20
series, and a series of 2,000 slices. A slow line is a relay of the benchmark's own, the same for every way.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Playwright, sync_playwright

from scripts.runtime.report import Report, Table
from tests.bench.viewing.browsing import OHIF, OURS, PACKED, STOCK, Visit, p95, visited, window
from tests.bench.viewing.crowd import many, one, thumbnails
from tests.bench.viewing.ground import Series, big_series, ground, many_series
from tests.bench.viewing.sender import Sender
from tests.bench.viewing.spent import Spent
from tests.bench.viewing.study import grid_shown, looked_through
from tests.fixtures.instance import LiveInstance
from tests.fixtures.narrow import Narrow

SLICES, LONG = 400, 2_000
RUNS = 3
LINES = (100.0, 20.0)
"""Megabits a second."""

VIEWERS, VIEWERS_SLICES = 30, 100
VIEWERS_MBITS = 100.0
GRID, GRID_SLICES = 20, 40
ROUNDS = 3
MAY_GROW = 1.15
"""A page that has been looked at for long may hold so much more than after the first round."""

ALONE_SECONDS = 5.0
"""How long the modality pushes alone."""

PUT_AWAY_SECONDS = 10.0

WAYS = (OURS, STOCK, OHIF)
Visits = dict[str, list[Visit]]
"""By way."""


def run(report: Report) -> None:
    """All of it on one instance."""
    with ground(report.scratch) as live, sync_playwright() as playwright:
        series = big_series(live, "viewer bench", SLICES)
        for mbits in (0.0, *LINES):
            three_ways(report, live, playwright, series, mbits)
        again(report, live, playwright, series)
        study = many_series(live, "grid", GRID, GRID_SLICES)
        grid(report, live, playwright, study)
        steady(report, live, playwright, study)
        crowd(report, live, many_series(live, "viewers", VIEWERS, VIEWERS_SLICES))
        long(report, live, playwright)


@contextmanager
def line(live: LiveInstance, mbits: float) -> Iterator[str]:
    """The instance's address behind a line of that rate; 0: the instance itself."""
    if not mbits:
        yield live.url
        return
    with Narrow("127.0.0.1", live.port, mbits) as narrow:
        yield f"http://127.0.0.1:{narrow.port}"


def three_ways(report: Report, live: LiveInstance, playwright: Playwright, series: Series, mbits: float) -> None:
    """The same series by each way in turns, each time in a browser that has never been here."""
    visits: Visits = {}
    for _ in range(1 if mbits else RUNS):
        for way in (*WAYS, PACKED) if mbits else WAYS:
            with line(live, mbits) as url, window(playwright, live, url) as opened:
                visit = visited(opened, live, url, way, series, scroll=not mbits, token=live.admin.token())
            assert visit.loaded == series.count, f"{way.name}: {visit.loaded} of {series.count}; {visit.heard[-5:]}"
            visits.setdefault(way.name, []).append(visit)
    load = statistics.mean(visit.load for each in visits.values() for visit in each)
    where = f"{mbits:g} Mbit/s" if mbits else "loopback"
    told = Told(report, f"CT of {SLICES} slices, 512 × 512 × 16 bits, {where}, empty browser, load {load:.1f}", visits)
    told.delivery()
    if not mbits:
        told.page()


class Told:
    """Tables of one round of visits."""

    def __init__(self, report: Report, what: str, visits: Visits) -> None:
        self._report, self._what, self._visits = report, what, visits

    def delivery(self) -> None:
        """What it took to bring the pictures."""
        requests = self._table("requests to the API", "requests", lambda v: spent(v).requests)
        most = max(self._values(OURS.name, lambda v: spent(v).requests))
        requests.aim(f"at most 12 requests: {most:.0f}", most <= 12)
        self._table("bytes of the API's answers", "MB", lambda v: spent(v).bytes / 1e6)
        self._table("bytes of the page's own files", "MB", lambda v: spent(v).page_bytes / 1e6)
        first = self._table("first image, from the page's start", "s", lambda v: v.first / 1000)
        took = statistics.median(self._values(OURS.name, lambda v: v.first / 1000))
        first.aim(f"in less than 1 s: {took:.2f} s", took < 1)
        whole = self._table("all images, from the page's start", "s", lambda v: v.all / 1000)
        server = self._table("processor time of Orthanc, gateway and workers", "s", lambda v: spent(v).processor)
        self._table("processor time of the browser until then", "s", lambda v: v.browser)
        for mine in [name for name in self._visits if name.startswith(OURS.name)]:
            for other in (STOCK.name, OHIF.name):
                share = whole.ratio(mine, other)
                whole.aim(f"{mine}: at most 40 % of {other}: {share:.0%}", share <= 0.4)
                share = server.ratio(mine, other)
                server.aim(f"{mine}: at most 25 % of {other}: {share:.0%}", share <= 0.25)

    def page(self) -> None:
        """What it took of the page."""
        memory = self._table("private memory of the page's process", "MB", lambda v: v.private_mb)
        most = max(self._values(OURS.name, lambda v: v.private_mb))
        memory.aim(f"less than 500 MB: {most:.0f} MB", most < 500)
        self._table("JavaScript heap of the page", "MB", lambda v: v.heap_mb)
        scroll = self._table("turn of the wheel to drawn picture, 95 of 100 within", "ms", lambda v: p95(v.wheel))
        worst = statistics.median(self._values(OURS.name, lambda v: p95(v.wheel)))
        scroll.aim(f"less than 50 ms: {worst:.0f} ms", worst < 50)

    def _table(self, what: str, unit: str, value: Callable[[Visit], float]) -> Table:
        table = self._report.table(f"{self._what}: {what}", unit)
        for name in self._visits:
            table.add(name, *self._values(name, value), against=not name.startswith(OURS.name))
        return table

    def _values(self, way: str, value: Callable[[Visit], float]) -> list[float]:
        return [value(visit) for visit in self._visits[way]]


def spent(visit: Visit) -> Spent:
    """What the servers did for it."""
    assert visit.spent is not None
    return visit.spent


def again(report: Report, live: LiveInstance, playwright: Playwright, series: Series) -> None:
    """The second visit, in a browser that was here and has been closed since."""
    seconds: list[Visit] = []
    with window(playwright, live, live.url) as opened:
        # The browser puts away what has come when no more comes.
        visited(opened, live, live.url, OURS, series, scroll=False, rest=PUT_AWAY_SECONDS)
        for _ in range(RUNS):
            seconds.append(visited(opened, live, live.url, OURS, series, scroll=False))
    what = f"second visit of {SLICES} slices, from the browser's store (load {seconds[0].load:.1f})"
    table = report.table(what, "ms")
    table.add("first image, from the page's start", *(visit.first for visit in seconds))
    table.add("all images, from the page's start", *(visit.all for visit in seconds))
    middle = statistics.median(visit.first for visit in seconds)
    table.aim(f"opens in less than 500 ms: {middle:.0f} ms", middle < 500)
    pixels = sum(spent(visit).pixel_requests for visit in seconds)
    table.aim(f"asks for no pixels: {pixels} requests", pixels == 0)


def grid(report: Report, live: LiveInstance, playwright: Playwright, study: list[Series]) -> None:
    """Small pictures of all series of a study: by themselves, and in the page, which loads the series meanwhile."""
    table = report.table(f"small pictures of {len(study)} series, load {os.getloadavg()[0]:.1f}", "s")
    for what in ("four at a time, never asked for before", "four at a time, again"):
        took, size = thumbnails(live.admin, study)
        table.add(what, took, note=f"{size / 1000 / len(study):.1f} kB each")
        table.aim(f"{what}: less than 2 s: {took:.2f} s", took < 2)
    with window(playwright, live, live.url) as opened:
        took = grid_shown(opened, live.url, study) / 1000
    what = "in an empty browser, from the page's start"
    table.add(what, took)
    table.aim(f"{what}: less than 2 s: {took:.2f} s", took < 2)


def steady(report: Report, live: LiveInstance, playwright: Playwright, study: list[Series]) -> None:
    """The same page used for long."""
    with window(playwright, live, live.url) as opened:
        held = looked_through(opened, live.url, study[: GRID // 2], ROUNDS)
    table = report.table(f"{GRID // 2} series opened one after the other in one page, {ROUNDS} rounds", "MB")
    for n, each in enumerate(held, start=1):
        table.add(f"private memory after round {n}", each.private, note=f"JavaScript heap {each.heap:.0f}")
    grown = held[-1].private / held[0].private
    table.aim(f"at most {MAY_GROW:g} × what it was after the first: {grown:.2f} ×", grown <= MAY_GROW)


def crowd(report: Report, live: LiveInstance, study: list[Series]) -> None:
    """30 viewers at once, each of another series, while a modality pushes."""
    token = live.admin.token()
    for each in study:
        one(live.url, token, each, check=True)  # every series' headers have been read; no checksum is wrong
    for mbits in (VIEWERS_MBITS, 0.0):
        where = f"a line of {mbits:g} Mbit/s each" if mbits else "loopback, no line slows them"
        single = statistics.median(one(live.url, token, study[n], mbits=mbits).all for n in range(RUNS))
        with Sender(live, f"pushed {mbits:g}") as sender:
            began = time.monotonic()
            time.sleep(ALONE_SECONDS)
            middle = time.monotonic()
            came = many(live.url, token, study, mbits=mbits)
            end = time.monotonic()
            alone, meanwhile = sender.rate(began, middle), sender.rate(middle, end)
        size = came[0].bytes / 1e6
        what = f"{VIEWERS} viewers at once, {VIEWERS_SLICES} slices each ({size:.0f} MB), {where}"
        table = report.table(f"{what}, load {os.getloadavg()[0]:.1f}", "s")
        table.add("one alone, all its images", single, against=True)
        times = sorted(each.all for each in came)
        table.add("the fastest, all its images", times[0])
        table.add("the middle, all its images", statistics.median(times))
        table.add("the slowest, all its images", times[-1])
        table.add("the slowest, its first image", max(each.first for each in came))
        if mbits:
            table.aim(f"nobody waits more than 3 × as long: {times[-1] / single:.2f} ×", times[-1] <= 3 * single)
        else:
            # One machine cannot send 30 times as much at once: what is asked is that they share it fairly.
            fair = sum(each.bytes for each in came) / times[-1] / 1e6
            told = f"all wait alike: the slowest {times[-1] / times[0]:.2f} × the fastest, {fair:.0f} MB/s in all"
            table.aim(told, times[-1] <= 3 * times[0])
        stores = report.table(f"C-STORE of one modality, {where}", "slices/s")
        stores.add("alone", alone, against=True)
        stores.add(f"while {VIEWERS} viewers load", meanwhile)
        stores.aim(f"goes on: {meanwhile:.1f} slices/s", meanwhile > 0)


def long(report: Report, live: LiveInstance, playwright: Playwright) -> None:
    """A series of 2,000 slices: turned through when all has come."""
    series = big_series(live, "long", LONG)
    with window(playwright, live, live.url) as opened:
        visit = visited(opened, live, live.url, OURS, series)
    assert visit.loaded == series.count, visit.loaded
    table = report.table(f"CT of {LONG} slices ({LONG * 0.524:.0f} MB), load {visit.load:.1f}", "")
    table.add("first image, s", visit.first / 1000)
    table.add("all images, s", visit.all / 1000)
    table.add("requests to the API", spent(visit).requests)
    table.add("turn of the wheel to drawn picture, 95 of 100 within, ms", p95(visit.wheel))
    table.add("private memory of the page's process, MB", visit.private_mb)
    table.add("JavaScript heap of the page, MB", visit.heap_mb)
    table.aim(f"less than 50 ms: {p95(visit.wheel):.0f} ms", p95(visit.wheel) < 50)
    table.aim(f"less than 500 MB: {visit.private_mb:.0f} MB", visit.private_mb < 500)
