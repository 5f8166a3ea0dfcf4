"""How the viewer loads, as seen in Chromium and counted at the server: progress, queue, store, offline, failures."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Request, Route, expect

from tests.factories import ct_slices
from tests.fixtures.live_cases import store
from tests.fixtures.viewer_pages import PATIENCE_MS, SLICES, Looker, Reading, Window, settles

FRAMES = "**/api/pacs/frames"


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE_MS)
    yield


def asked_series(request: Request) -> str:
    """The series that a request for frames is about."""
    return str(json.loads(request.post_data or "{}")["seriesUid"])


class Held:
    """Requests for frames are kept waiting; half of the first answer comes, if wanted."""

    def __init__(self, window: Window, *, half: bool = False) -> None:
        self._half, self._open = half, False
        self._waiting: list[Route] = []
        window.context.route(FRAMES, self._take)

    def _take(self, route: Route) -> None:
        if self._open:
            route.continue_()
        elif self._half:
            self._half = False
            answer = route.fetch()
            whole = answer.body()
            route.fulfill(response=answer, body=whole[: len(whole) // 2])
        else:
            self._waiting.append(route)

    def let_go(self) -> None:
        """All go on, and those that come later."""
        self._open = True
        for route in self._waiting:
            route.continue_()
        self._waiting.clear()


def test_progress_is_red_then_yellow_then_green_and_said_in_words(look: Looker, reading: Reading) -> None:
    window = look("staff")
    held = Held(window)
    window.open(f"/viewer/{reading.study}/{reading.lung}")
    item = window.page.get_by_role("navigation", name="Series").locator(f'[data-series="{reading.lung}"]')
    expect(item.locator("[data-stage=none]")).to_be_visible()
    expect(item.get_by_role("progressbar")).to_have_attribute("aria-label", f"0 / {SLICES} images loaded")
    red = fill(window, reading.lung)
    held.let_go()
    expect(item.locator("[data-stage=all]")).to_be_visible()
    expect(item.get_by_role("progressbar")).to_have_attribute("aria-label", f"{SLICES} / {SLICES} images loaded")
    green = fill(window, reading.lung)
    part = look("staff")
    held = Held(part, half=True)
    part.open(f"/viewer/{reading.study}/{reading.lung}")
    item = part.page.get_by_role("navigation", name="Series").locator(f'[data-series="{reading.lung}"]')
    expect(item.locator("[data-stage=some]")).to_be_visible()
    yellow = fill(part, reading.lung)
    assert red[0] > red[1] + 60 and red[0] > red[2] + 60, red
    assert green[1] > green[0] and green[1] > green[2], green
    assert yellow[0] > 180 and yellow[1] > 140 and yellow[2] < 110, yellow
    held.let_go()
    part.loaded(SLICES)


def fill(window: Window, series_uid: str) -> tuple[int, ...]:
    """Red, green and blue of a progress bar's filled part."""
    colour = window.page.evaluate(
        """uid => getComputedStyle(
               document.querySelector(`[data-series='${uid}'] [role=progressbar] span`)).backgroundColor""",
        series_uid,
    )
    return tuple(int(part) for part in re.findall(r"\d+", colour)[:3])


def test_no_more_than_five_requests_are_in_hand_at_the_server(look: Looker, reading: Reading) -> None:
    window = look("staff")
    since = datetime.now(UTC)
    window.open(f"/viewer/{reading.study}")
    expect(window.page.locator("[data-stage=all]")).to_have_count(3)
    window.read(reading.study, reading.soft)
    window.loaded(20)
    assert 1 <= reading.most_at_once(since) <= 5


def test_a_second_visit_asks_the_server_for_no_pixel(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.read(reading.study, reading.lung, 30)
    window.loaded(SLICES)
    expect(window.page.locator("[data-kept]")).to_have_attribute("data-kept", str(SLICES))
    before = settles(reading.pixel_requests)
    assert before > 0
    window.page.reload()
    window.shows(30)
    window.loaded(SLICES)
    window.page.keyboard.press("End")
    window.shows(SLICES)
    assert settles(reading.pixel_requests) == before


def test_another_series_takes_the_line_from_the_one_before(look: Looker, reading: Reading) -> None:
    window = look("staff")
    held = Held(window)
    given_up: list[str] = []
    window.page.on(
        "requestfailed", lambda request: given_up.append(asked_series(request)) if "frames" in request.url else None
    )
    window.open(f"/viewer/{reading.study}/{reading.lung}")
    expect(window.page.get_by_role("heading", name="Lung")).to_be_visible()
    with window.page.expect_request(lambda r: r.url.endswith("/frames") and asked_series(r) == reading.soft):
        window.page.keyboard.press("]")
    end = time.monotonic() + PATIENCE_MS / 1000
    while reading.lung not in given_up and time.monotonic() < end:
        window.page.wait_for_timeout(50)
    assert reading.lung in given_up, "what is no longer looked at is given up"
    held.let_go()
    window.loaded(20)


def test_a_series_that_arrives_while_the_grid_is_open_appears(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.open(f"/viewer/{reading.study}")
    tiles = window.page.get_by_role("list", name="Series").get_by_role("listitem")
    expect(tiles).to_have_count(3)
    late = ct_slices(3, 32, 32, name="late", study="read", SeriesNumber="9", SeriesDescription="Just scanned")
    stored = store(reading.viewing.live, ((f"late {n}", data) for n, data in enumerate(late)))
    expect(tiles).to_have_count(4)
    expect(tiles.nth(3)).to_contain_text("Just scanned")
    expect(tiles.nth(3).locator("[data-stage=all]")).to_be_visible()
    for each in stored:
        reading.viewing.live.orthanc().delete(f"/instances/{each['orthanc_id']}").raise_for_status()
    expect(tiles).to_have_count(3)


def test_what_is_loaded_stays_to_be_read_without_a_line(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    window.read(reading.study, reading.lung, 30)
    window.loaded(SLICES)
    strip = window.page.get_by_role("navigation", name="Series")
    expect(strip.locator("[data-stage=all]")).to_have_count(3)
    window.context.set_offline(True)
    window.page.keyboard.press("End")
    window.shows(SLICES)
    window.page.keyboard.press("]")
    expect(window.page.get_by_role("heading", name="Soft")).to_be_visible()
    window.shows(10)
    window.page.keyboard.press("Home")
    window.shows(1)


def test_a_line_that_breaks_is_said_and_taken_up_by_itself(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.expected.append("ERR_INTERNET_DISCONNECTED")
    window.context.route(FRAMES, lambda route: route.abort("internetdisconnected"))
    window.open(f"/viewer/{reading.study}/{reading.lung}")
    expect(window.page.get_by_text("Offline").first).to_be_visible()
    window.context.unroute(FRAMES)
    window.loaded(SLICES)
    expect(window.page.get_by_text("Offline")).to_have_count(0)


def test_a_series_that_fails_says_so_and_is_tried_again(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.expected.append("404")
    manifest = f"**/series/{reading.soft}/manifest"
    window.context.route(manifest, lambda route: route.fulfill(status=404, json={"error": "not_found", "message": "-"}))
    window.open(f"/viewer/{reading.study}")
    tile = window.page.locator(f'li[data-series="{reading.soft}"]')
    expect(tile).to_contain_text("not here any more, or not yours to see")
    others = window.page.locator("li [data-stage=all]")
    expect(others).to_have_count(2)
    window.context.unroute(manifest)
    tile.get_by_role("button", name="Try again: Soft").click()
    expect(tile.locator("[data-stage=all]")).to_be_visible()
    expect(tile).not_to_contain_text("not here any more")


def test_signing_out_removes_what_the_browser_kept(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.read(reading.study, reading.soft)
    window.loaded(20)
    names = "indexedDB.databases().then(found => found.map(({ name }) => name))"
    assert window.page.evaluate(names) == ["readingroom-frames"]
    window.open(f"/viewer/{reading.study}")
    window.page.get_by_role("button", name="Account of test-staff").click()
    window.page.get_by_role("menuitem", name="Sign out").click()
    expect(window.button("Sign in")).to_be_visible()
    end = time.monotonic() + PATIENCE_MS / 1000
    while (left := window.page.evaluate(names)) and time.monotonic() < end:
        time.sleep(0.1)
    assert left == []
