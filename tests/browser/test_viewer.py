"""The viewer in Chromium: the grid, one series on the screen, wheel, keys, film, windows, measurements."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.fixtures.instance import PASSWORD
from tests.fixtures.viewer_pages import PATIENCE_MS, SLICES, Looker, Reading, Window


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE_MS)
    yield


@pytest.fixture
def window(look: Looker, reading: Reading) -> Window:
    """The lung series on the screen, image 30 of 60."""
    opened = look("staff")
    opened.read(reading.study, reading.lung, 30)
    return opened


def test_the_grid_has_one_picture_for_each_series_and_loads_them_all(look: Looker, reading: Reading) -> None:
    grid = look("staff")
    grid.open(f"/viewer/{reading.study}")
    tiles = grid.page.get_by_role("list", name="Series").get_by_role("listitem")
    expect(tiles).to_have_count(3)
    expect(tiles.locator("img")).to_have_count(3)
    for tile, number, name, count in (
        (tiles.nth(0), "2", "Lung", f"{SLICES} images"),
        (tiles.nth(1), "3", "Soft", "20 images"),
        (tiles.nth(2), "4", "T1", "6 images"),
    ):
        expect(tile).to_contain_text(number)
        expect(tile.get_by_role("link")).to_contain_text(name)
        expect(tile).to_contain_text(count)
        expect(tile.locator("[data-stage=all]")).to_be_visible()
        expect(tile.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")
    expect(tiles.nth(0)).to_contain_text(f"{SLICES} / {SLICES} images loaded")
    expect(grid.page.get_by_role("heading", name="CT chest with contrast")).to_be_visible()
    expect(grid.page.get_by_text("Radiant, Thandi · RR-4100")).to_be_visible()
    assert "Radiant" not in grid.page.title(), "titles stand in histories"
    tiles.nth(1).get_by_role("link").focus()
    grid.page.keyboard.press("ArrowRight")
    expect(tiles.nth(2).get_by_role("link")).to_be_focused()
    grid.page.keyboard.press("Enter")
    expect(grid.picture).to_have_attribute("data-shown", "3")
    expect(grid.page.get_by_role("navigation", name="Series").locator("[aria-current]")).to_contain_text("T1")


def test_the_wheel_goes_through_the_images_as_fast_as_the_reader_wants(window: Window) -> None:
    window.page.mouse.move(*window.middle())
    window.page.mouse.wheel(0, 100)
    window.shows(31)
    window.page.mouse.wheel(0, 100)
    window.page.mouse.wheel(0, 100)
    window.shows(33)
    window.page.mouse.wheel(0, -100)
    window.shows(32)
    speed = window.page.get_by_role("slider", name="Speed of the mouse wheel")
    speed.focus()
    window.page.keyboard.press("End")
    expect(speed).to_have_attribute("aria-valuenow", "3")
    window.page.mouse.wheel(0, 100)
    window.shows(35)
    expect(window.page).to_have_url(re.compile("image=35$"))
    window.page.reload()
    window.shows(35)
    expect(speed).to_have_attribute("aria-valuenow", "3")


def test_keys_go_image_by_image_by_tens_and_to_the_ends(window: Window) -> None:
    for key, image in (
        ("ArrowDown", 31),
        ("ArrowRight", 32),
        ("ArrowUp", 31),
        ("ArrowLeft", 30),
        ("PageDown", 40),
        ("PageUp", 30),
        ("End", SLICES),
        ("PageDown", SLICES),
        ("Home", 1),
        ("ArrowUp", 1),
    ):
        window.page.keyboard.press(key)
        window.shows(image)
    window.page.keyboard.press("?")
    expect(window.page.get_by_role("dialog", name="Keyboard")).to_contain_text("Ten images back, on")
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("dialog")).to_have_count(0)


def test_the_counter_says_where_one_is_and_goes_where_it_is_told(window: Window) -> None:
    counter = window.page.get_by_role("textbox", name="Image number")
    expect(counter).to_have_value("30")
    window.page.keyboard.press("g")
    expect(counter).to_be_focused()
    counter.fill("45")
    counter.press("Enter")
    window.shows(45)
    expect(window.page).to_have_url(re.compile(r"image=45$"))
    counter.fill("9999")
    counter.press("Enter")
    window.shows(SLICES)
    counter.fill("no number")
    counter.press("Enter")
    expect(counter).to_have_value(str(SLICES))
    bar = window.page.get_by_role("slider", name="Images", exact=True)
    expect(bar).to_have_attribute("aria-valuetext", re.compile(f"Image {SLICES} of {SLICES}"))
    box = bar.bounding_box()
    assert box is not None
    window.page.mouse.click(box["x"] + 5, box["y"] + box["height"] * 0.251)
    window.shows(16)


def test_the_film_plays_pauses_and_stops_and_its_pace_is_the_readers(window: Window) -> None:
    window.loaded(SLICES)
    window.button("Play").click()
    expect(window.button("Pause")).to_be_visible()
    expect(window.picture).not_to_have_attribute("data-shown", "30")
    window.button("Pause").click()
    window.page.wait_for_timeout(300)
    here = window.picture.get_attribute("data-shown")
    window.page.wait_for_timeout(600)
    assert window.picture.get_attribute("data-shown") == here
    pace = window.page.get_by_role("slider", name="Images a second")
    pace.focus()
    window.page.keyboard.press("Home")
    expect(pace).to_have_attribute("aria-valuenow", "1")
    window.picture.focus()
    window.page.keyboard.press("Space")
    expect(window.button("Pause")).to_be_visible()
    window.button("Stop").click()
    window.shows(1)
    expect(window.button("Play")).to_be_visible()


def test_a_window_is_dragged_chosen_or_typed_in(window: Window) -> None:
    words = window.corner("bottomRight")
    expect(words).to_contain_text("C 40  W 400")
    window.drag((80, 40))
    expect(words).not_to_contain_text("W 400")
    window.presets.click()
    window.page.get_by_role("menuitem", name=re.compile("^Brain")).click()
    expect(words).to_contain_text("C 40  W 80")
    expect(window.presets).to_contain_text("Brain")
    window.page.keyboard.press("3")
    expect(words).to_contain_text("C -600  W 1500")
    window.presets.click()
    window.page.get_by_role("menuitem", name="Type centre and width…").click()
    dialog = window.page.get_by_role("dialog", name="Centre and width")
    dialog.get_by_label("Centre").fill("300")
    dialog.get_by_label("Width").fill("1200")
    dialog.get_by_role("button", name="Set the window").click()
    expect(words).to_contain_text("C 300  W 1200")
    window.page.keyboard.press("i")
    expect(window.button("Invert")).to_have_attribute("aria-pressed", "true")
    expect(words).to_contain_text("C 300  W 1200")
    window.button("Reset the view").click()
    expect(words).to_contain_text("C 40  W 400")
    expect(window.button("Invert")).to_have_attribute("aria-pressed", "false")


def test_a_picture_is_zoomed_turned_mirrored_and_put_back(window: Window) -> None:
    words = window.corner("bottomRight")
    edges = window.page.locator("[data-edge]")
    expect(words).to_contain_text("%")
    fitted = percent(window)
    window.button("Zoom in").click()
    expect(words).not_to_contain_text(f"{fitted} %")
    assert percent(window) == pytest.approx(fitted * 1.25, abs=1)
    window.page.keyboard.press("-")
    expect(words).to_contain_text(f"{fitted} %")
    window.button("1:1, real size").click()
    expect(words).to_contain_text("100 %")
    window.button("Fit to the window").click()
    expect(words).to_contain_text(f"{fitted} %")
    expect(edges).to_have_text(["A", "L", "P", "R"])
    window.page.keyboard.press("r")
    expect(edges).to_have_text(["R", "A", "L", "P"])
    window.button("Turn and mirror").click()
    window.page.get_by_role("menuitem", name=re.compile("^Mirror left and right")).click()
    expect(edges).to_have_text(["R", "P", "L", "A"])
    window.page.keyboard.press("x")
    expect(edges).to_have_text(["A", "L", "P", "R"])


def percent(window: Window) -> int:
    """How far the picture is zoomed, as it says itself."""
    found = re.search(r"(\d+) %", window.corner("bottomRight").inner_text())
    assert found is not None
    return int(found.group(1))


def test_lengths_are_in_millimetres_regions_in_hounsfield_units(window: Window) -> None:
    window.page.keyboard.press("l")
    window.drag((128, 0), (-60, -120))
    length = window.picture.get_by_text(re.compile(r"\d mm$"))
    expect(length).to_be_visible()
    # 360 mm lie across 128 columns, each drawn as wide as the zoom says; the words follow the hand a picture later.
    drawn = 128 / (percent(window) / 100) * 360 / 128
    for _ in range(100):
        told = float(re.sub(r"[^\d.]", "", length.text_content() or ""))
        if told == pytest.approx(drawn, rel=0.03):
            break
        window.page.wait_for_timeout(100)
    assert told == pytest.approx(drawn, rel=0.03)
    window.page.keyboard.press("e")
    window.drag((60, 40), (40, 60))
    region = window.picture.get_by_text(re.compile(r"Mean: -?[\d.]+ HU"))
    expect(region).to_be_visible()
    window.page.keyboard.press("Delete")
    expect(region).to_have_count(0)
    expect(length).to_be_visible()
    window.button("Measure: Ellipse").click()
    window.page.get_by_role("menuitem", name="Remove all measurements").click()
    expect(length).to_have_count(0)
    window.page.mouse.move(*window.middle())
    expect(window.corner("bottomRight")).to_contain_text(re.compile(r"-?\d+ HU at \d+, \d+"))


def test_an_angle_is_drawn_with_three_points(window: Window) -> None:
    window.page.keyboard.press("a")
    x, y = window.middle()
    window.page.mouse.move(x, y - 120)
    window.page.mouse.down()
    window.page.mouse.move(x, y, steps=6)
    window.page.mouse.up()
    window.page.mouse.move(x + 120, y, steps=6)
    window.page.mouse.down()
    window.page.mouse.up()
    told = window.picture.get_by_text(re.compile(r"^[\d.]+ °$"))
    expect(told).to_be_visible()
    assert float((told.text_content() or "").removesuffix(" °")) == pytest.approx(90, abs=1.5)
    window.page.keyboard.press("Delete")
    expect(told).to_have_count(0)


def test_measurements_stay_with_their_series_and_with_who_drew_them(window: Window, reading: Reading) -> None:
    length = window.picture.get_by_text(re.compile(r"\d mm$"))
    window.page.keyboard.press("l")
    window.drag((128, 0), (-60, -120))
    expect(length).to_be_visible()
    window.page.keyboard.press("]")
    expect(window.page.get_by_role("heading", name="Soft")).to_be_visible()
    window.shows(10)
    expect(length).to_have_count(0)
    window.page.keyboard.press("Delete")
    window.button("Measure").click()
    window.page.get_by_role("menuitem", name="Remove all measurements").click()
    within(window, f"/viewer/{reading.study}/{reading.lung}?image=30")
    window.shows(30)
    expect(length).to_be_visible()
    window.page.get_by_role("link", name="All series of the study").click()
    window.page.get_by_role("button", name="Account of test-staff").click()
    window.page.get_by_role("menuitem", name="Sign out").click()
    window.page.get_by_label("User name").fill("test-staff")
    window.page.get_by_label("Password", exact=True).fill(PASSWORD)
    window.button("Sign in").click()
    expect(window.page.get_by_role("heading", level=1)).not_to_have_text("Sign in")
    within(window, f"/viewer/{reading.study}/{reading.lung}?image=30")
    window.shows(30)
    window.page.mouse.move(*window.middle())
    expect(window.corner("bottomRight")).to_contain_text("HU at")
    expect(length).to_have_count(0)


def within(window: Window, path: str) -> None:
    """To another address as the app's own links go there: the page stays."""
    window.page.evaluate(
        "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path
    )


def test_the_viewer_fills_the_screen_with_its_menus_and_leaves_it_again(window: Window) -> None:
    fills = "document.fullscreenElement !== null"
    button = window.button("Full screen")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert window.page.evaluate(fills)
    window.button("Turn and mirror").click()
    window.page.get_by_role("menuitem", name=re.compile("^Turn right")).click()
    expect(window.page.locator("[data-edge]")).to_have_text(["R", "A", "L", "P"])
    window.page.keyboard.press("ArrowDown")
    window.shows(31)
    window.page.keyboard.press("f")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert not window.page.evaluate(fills)


def test_the_words_over_the_picture_say_what_it_is_and_can_be_put_away(window: Window) -> None:
    expect(window.corner("topLeft")).to_contain_text("Radiant, Thandi")
    expect(window.corner("topRight")).to_contain_text("CT chest with contrast")
    expect(window.corner("bottomLeft")).to_contain_text("CT · series 2 · Lung")
    expect(window.corner("bottomLeft")).to_contain_text("2.5 mm thick")
    window.button("Series information").click()
    expect(window.page.locator("[data-overlay]")).to_have_count(0)
    window.page.keyboard.press("o")
    expect(window.corner("topLeft")).to_be_visible()


def test_the_next_series_is_one_key_away(window: Window, reading: Reading) -> None:
    window.page.keyboard.press("]")
    expect(window.page).to_have_url(re.compile(re.escape(reading.soft)))
    expect(window.page.get_by_role("heading", name="Soft")).to_be_visible()
    expect(window.picture).to_have_attribute("data-shown", "10")
    window.page.keyboard.press("[")
    expect(window.page.get_by_role("heading", name="Lung")).to_be_visible()
