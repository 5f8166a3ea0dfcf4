"""What draws the pictures: the page itself at first, then Cornerstone by processor or by WebGL. All show the same."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.fixtures.viewer_pages import PATIENCE_MS, Looker, Reading, Window

Greys = np.ndarray[tuple[int, int], np.dtype[np.float64]]

ON_SCREEN: dict[str, Callable[[Greys], Greys]] = {
    "r": lambda shot: np.rot90(shot, -1),
    "Shift+R": lambda shot: np.rot90(shot, 1),
    "h": np.fliplr,
    "v": np.flipud,
}
"""What a key does to what one sees."""

AROUND = 150
"""So far from the middle of the picture pictures are compared, in pixels: no words lie there."""

LITTLE = 30_000
"""Pixels: a few words. The picture alone has a million."""

ALIKE = 4.0
"""Greys of 255 by which two ways to enlarge a picture may differ in the mean."""


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE_MS)
    yield


def test_the_first_picture_is_painted_before_what_draws_is_there_and_looks_the_same(
    look: Looker, reading: Reading
) -> None:
    window = look("staff")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route("**/assets/stack-*.js", hold)
    window.open(f"/viewer/{reading.study}/{reading.lung}?image=30")
    expect(window.picture).to_have_attribute("data-painted", "30")
    expect(window.page.get_by_role("textbox", name="Image number")).to_have_value("30")
    painted = seen(window)
    assert painted.std() > 20, "there is something to be seen"
    window.page.mouse.move(*window.middle())
    window.page.mouse.wheel(0, 100)
    expect(window.picture).to_have_attribute("data-painted", "31")
    assert difference(seen(window), painted) > 0, "the wheel turns already"
    window.page.mouse.wheel(0, -100)
    expect(window.picture).to_have_attribute("data-painted", "30")
    assert len(held) == 1
    held[0].continue_()
    window.shows(30)
    assert window.picture.get_attribute("data-painted") is None
    assert window.picture.locator("canvas").count() == 1, "the painted one has made way"
    looks(lambda: seen(window), painted, "painted and drawn")


def test_until_the_stack_is_there_no_image_stands_under_the_number_of_another(look: Looker, reading: Reading) -> None:
    window = look("staff")
    stack: list[Route] = []
    frames: list[Route] = []

    def hold(route: Route) -> None:
        stack.append(route)

    def first_alone(route: Route) -> None:
        # Other series of the study may ask before it on a slow machine.
        is_lung = json.loads(route.request.post_data or "{}")["seriesUid"] == reading.lung
        frames.extend([route] if is_lung else [])
        if not is_lung or len(frames) == 1:
            route.continue_()

    window.page.route("**/assets/stack-*.js", hold)
    window.context.route("**/api/pacs/frames", first_alone)
    window.open(f"/viewer/{reading.study}/{reading.lung}?image=30")
    expect(window.picture).to_have_attribute("data-painted", "30")
    window.page.keyboard.press("End")
    expect(window.page.get_by_role("textbox", name="Image number")).to_have_value("60")
    expect(window.picture.locator("canvas")).to_have_count(0)
    window.context.unroute("**/api/pacs/frames")  # which lets go of those that are held
    expect(window.picture).to_have_attribute("data-painted", "60")
    for route in stack:
        route.continue_()
    window.shows(60)


def test_a_film_paints_nothing_anew_but_the_words_that_change_with_it(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.read(reading.study, reading.lung, 1)
    window.loaded(60)
    layers: dict[str, dict[str, Any]] = {}

    def hear(said: dict[str, Any]) -> None:
        layers.update({each["layerId"]: each for each in said.get("layers", [])})

    def painted() -> dict[str, int]:
        return {name: each["paintCount"] for name, each in layers.items()}

    browser = window.context.new_cdp_session(window.page)
    browser.on("LayerTree.layerTreeDidChange", hear)
    browser.send("DOM.enable")
    browser.send("LayerTree.enable")
    window.button("Play").click()
    window.page.mouse.move(*window.middle())
    end = time.monotonic() + PATIENCE_MS / 1000
    while True:
        before = painted()
        window.page.wait_for_timeout(1_000)
        again = {name: times - before.get(name, 0) for name, times in painted().items() if times != before.get(name)}
        sizes = {name: (layers[name]["width"], layers[name]["height"]) for name in again}
        # The film's own steps alone: other series of the study may still be on their way, and say so beside it.
        if max(again.values(), default=0) > 2 and all(width * height < LITTLE for width, height in sizes.values()):
            return
        assert time.monotonic() < end, (again, sizes)


def test_processor_and_graphics_card_show_the_same(look: Looker, reading: Reading) -> None:
    one, other = (drawn_by(brush, look, reading) for brush in ("processor", "graphics"))
    looks(lambda: seen(one), lambda: seen(other), "at first")
    for key in ("5", "i", "+", "r", "h", "v", "x", "ArrowDown"):
        before = seen(one)
        assert before.std() > 10, key
        for window in (one, other):
            window.page.keyboard.press(key)
        changed(one, before, key)
        looks(lambda: seen(one), lambda: seen(other), key)
        words = one.corner("bottomRight").inner_text()
        expect(other.corner("bottomRight")).to_have_text(words, use_inner_text=True)


@pytest.mark.parametrize("brush", ["processor", "graphics"])
def test_turns_and_mirrors_are_those_of_the_screen_in_any_order(brush: str, look: Looker, reading: Reading) -> None:
    window = drawn_by(brush, look, reading)
    should = seen(window)
    for key in ("r", "h", "r", "v", "Shift+R", "v", "h", "r"):
        window.page.keyboard.press(key)
        should = ON_SCREEN[key](should)
        looks(lambda: seen(window), should, key)


def drawn_by(brush: str, look: Looker, reading: Reading) -> Window:
    """The lung series, image 30, in a window of somebody who has chosen what draws."""
    window = look("staff")
    kept = json.dumps(json.dumps({"brush": brush}))
    window.page.add_init_script(f"localStorage.setItem('readingroom.viewer', {kept})")
    window.read(reading.study, reading.lung, 30)
    return window


def test_what_draws_is_chosen_in_the_settings_and_changes_at_once(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.read(reading.study, reading.lung, 30)
    before = seen(window)
    window.button("Settings of the viewer").click()
    dialog = window.page.get_by_role("dialog", name="Settings of the viewer")
    dialog.get_by_role("combobox", name="Images are drawn by").click()
    window.page.get_by_role("option", name="Graphics card").click()
    window.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    window.shows(30)
    looks(lambda: seen(window), before, "drawn by the card")
    kept = window.page.evaluate("JSON.parse(localStorage.getItem('readingroom.viewer')).brush")
    assert kept == "graphics"


def seen(window: Window) -> Greys:
    """Greys around the middle of the picture, as on the screen."""
    x, y = window.middle()
    clip = {"x": x - AROUND, "y": y - AROUND, "width": 2 * AROUND, "height": 2 * AROUND}
    shot = window.page.screenshot(clip=clip)  # type: ignore[arg-type]  # Playwright's FloatRect is a dict
    return np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=np.float64)


def looks(now: Callable[[], Greys], should: Greys | Callable[[], Greys], what: str) -> None:
    """Waits until what is seen is what should be."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while (found := difference(now(), should() if callable(should) else should)) >= ALIKE:
        assert time.monotonic() < end, f"{what}: {found:.1f}"


def changed(window: Window, before: Greys, what: str) -> None:
    """Waits until something else is seen."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while difference(seen(window), before) == 0:
        assert time.monotonic() < end, what


def difference(one: Greys, other: Greys) -> float:
    """Mean difference of their greys."""
    return float(np.abs(one - other).mean())
