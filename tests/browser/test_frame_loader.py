"""The frame loader before a real instance: a whole series in a few requests, each value right, and nothing twice."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.factories import ct_slices, uid
from tests.fixtures.browser import sign_in
from tests.fixtures.instance import LiveInstance, running
from tests.fixtures.live_cases import store

SLICES = 400
PATIENCE_MS = 60_000
"""For a busy machine: what is waited for takes two or three seconds."""

MOST_REQUESTS = 12
"""Manifest and streams together, for a series of 400 slices."""

LISTEN = """
document.addEventListener("CORNERSTONE_STACK_NEW_IMAGE", (event) => {
  window.shown = { index: event.detail.imageIdIndex, image: event.detail.image };
}, true);
"""

SHOWN = """
() => {
  const { index, image } = window.shown;
  const values = image.voxelManager.getScalarData();
  return { index, kind: values.constructor.name, scaled: image.preScale?.scaled ?? false, values: Array.from(values) };
}
"""


@pytest.fixture(scope="module")
def slices() -> list[bytes]:
    """A CT as its files, head first."""
    return list(ct_slices(SLICES, 64, 64, name="loader", study="loader"))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, slices: list[bytes]) -> Iterator[LiveInstance]:
    """An instance with that series in Orthanc."""
    with running(tmp_path_factory.mktemp("loader") / "data") as instance:
        store(instance, ((f"{n}.dcm", data) for n, data in enumerate(slices)))
        yield instance


@pytest.fixture
def context(live: LiveInstance, painter: Browser) -> Iterator[BrowserContext]:
    """Somebody signed in at a browser with an empty store."""
    context = painter.new_context(locale="en-GB", timezone_id="UTC", viewport={"width": 900, "height": 700})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(LISTEN)
    sign_in(context, live.url, "admin")
    yield context
    context.close()


class Gateway:
    """What the gateway was asked since the last look."""

    def __init__(self, live: LiveInstance) -> None:
        self._log = live.data / "logs" / "gateway-access.log"
        self._seen = self._log.stat().st_size

    def asked(self) -> list[dict[str, Any]]:
        """The requests of the viewer, as the access log holds them."""
        with self._log.open("rb") as log:
            log.seek(self._seen)
            lines = log.read().splitlines()
            self._seen = log.tell()
        return [line for line in map(json.loads, lines) if str(line["path"]).startswith("/api/pacs/")]


def of_frames(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that carry pixels."""
    return [line for line in lines if "/frames" in str(line["path"])]


def opened(context: BrowserContext, live: LiveInstance, heard: Callable[[str], None]) -> Page:
    """The series in a new tab, loaded whole."""
    page = context.new_page()
    page.on("pageerror", lambda error: heard(str(error)))
    page.on("console", lambda message: heard(message.text) if message.type == "error" else None)
    page.goto(f"{live.url}/viewer/{uid('study', 'loader')}/{uid('series', 'loader', 'loader')}")
    expect(page.locator(f"[data-loaded='{SLICES}']").first).to_be_attached(timeout=PATIENCE_MS)
    until(page, "() => window.shown !== undefined")
    return page


def until(page: Page, what: str) -> None:
    """Wait until that function says true. Playwright's own wait evaluates a string, which our policy forbids."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(what):
        assert time.monotonic() < end, what
        page.wait_for_timeout(50)


def test_a_series_comes_in_a_few_requests_each_value_as_pydicom_reads_it(
    live: LiveInstance, context: BrowserContext, slices: list[bytes]
) -> None:
    gateway = Gateway(live)
    complaints: list[str] = []
    page = opened(context, live, complaints.append)
    asked = [line for line in gateway.asked() if "/thumbnail" not in str(line["path"])]
    loading = [line for line in asked if "/manifest" in str(line["path"]) or line in of_frames(asked)]
    assert len(loading) <= MOST_REQUESTS, [(line["method"], line["path"], line["status"]) for line in loading]
    assert of_frames(asked)
    by_place = sorted((pydicom.dcmread(io.BytesIO(each)) for each in slices), key=lambda each: each.InstanceNumber)
    for key, index in (("Home", 0), ("End", SLICES - 1), ("PageUp", SLICES - 11)):
        page.keyboard.press(key)
        until(page, f"() => window.shown.index === {index}")
        shown = page.evaluate(SHOWN)
        header = by_place[index]
        wanted = header.pixel_array.astype(np.int32) * int(header.RescaleSlope) + int(header.RescaleIntercept)
        assert shown["scaled"], "the stock loader hands out rescaled values, and so must ours"
        assert shown["kind"] == "Int16Array"
        assert np.array_equal(np.array(shown["values"]), wanted.ravel()), index
    assert not complaints


def test_the_second_visit_asks_for_no_pixel(live: LiveInstance, context: BrowserContext) -> None:
    complaints: list[str] = []
    first = opened(context, live, complaints.append)
    first.wait_for_timeout(1_000)  # the last frames go to the store behind the page's back
    first.close()
    gateway = Gateway(live)
    opened(context, live, complaints.append).close()
    again = gateway.asked()
    assert again, "the manifest is asked for, to know whether the series is still the same"
    assert of_frames(again) == []
    assert not complaints


def test_signing_out_takes_the_pictures_out_of_the_browser(live: LiveInstance, context: BrowserContext) -> None:
    complaints: list[str] = []
    page = opened(context, live, complaints.append)
    kept = "async () => (await indexedDB.databases()).map((each) => each.name)"
    assert page.evaluate(kept) == ["readingroom-frames"]
    other = context.new_page()
    other.goto(f"{live.url}/cases")
    other.get_by_role("button", name="admin").click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(other).to_have_url(f"{live.url}/sign-in")
    until(other, f"async () => (await ({kept})()).length === 0")


def test_pages_without_pictures_load_nothing_of_the_viewer(live: LiveInstance, context: BrowserContext) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{live.url}/cases")
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    weighs = [each for each in asked if "/assets/stack-" in each or "worker" in each.lower()]
    assert weighs == []
