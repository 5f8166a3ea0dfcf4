"""Who comes to the viewer, and from where: holders of links, students, searches of the NAS, phones, screen readers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect

from tests.browser.test_look import offences
from tests.fixtures.share_pages import PHONE
from tests.fixtures.viewer_pages import PATIENCE_MS, SLICES, Looker, Reading, Window
from tests.fixtures.viewing import COUNT, series_of, study_of


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE_MS)
    yield


def test_a_link_opens_its_one_series_and_nothing_else(look: Looker, reading: Reading) -> None:
    staff = reading.viewing.live.client("staff")
    made = staff.post("/share/create", json={"series_key": reading.lung, "expires_hours": 1})
    assert made.status_code == 201, made.text
    guest = look()
    guest.expected.append("/thumbnail")
    guest.open(f"/share/{made.json()['token']}")
    guest.page.get_by_role("link", name="Open in viewer").click()
    expect(guest.page).to_have_url(re.compile(r"/shared/[^/]+/view"))
    guest.shows(SLICES // 2)
    guest.loaded(SLICES)
    expect(guest.page.get_by_role("note")).to_contain_text("not for primary diagnosis")
    expect(guest.page.get_by_role("navigation", name="Series")).to_have_count(0)
    expect(guest.page.get_by_text("OHIF")).to_have_count(0)
    listed = guest.context.request.get(f"{guest.url}/api/pacs/studies/{reading.study}/series/").json()["series"]
    assert [each["seriesUid"] for each in listed] == [reading.lung]
    for path in (
        f"/api/pacs/studies/{reading.study}/series/{reading.soft}/manifest",
        f"/api/pacs/studies/{reading.viewing.study}/series/",
    ):
        assert guest.context.request.get(guest.url + path).status == 404, path
    guest.page.keyboard.press("End")
    guest.shows(SLICES)
    # A revoked link shuts the viewer too, as soon as it is asked for again.
    assert staff.delete(f"/api/shares/{made.json()['id']}").status_code in (200, 204)
    guest.expected.append("404")
    guest.page.reload()
    expect(guest.page.get_by_role("heading", name="This link is not valid, or no longer")).to_be_visible()


def test_a_student_sees_the_study_of_a_published_case_and_no_other(look: Looker, reading: Reading) -> None:
    student = look("student")
    case = reading.viewing.student.get("/api/bestof/cases").json()["items"][0]
    student.open(f"/cases/{case['id']}")
    student.page.get_by_role("link", name="Open in viewer").click()
    tiles = student.page.get_by_role("list", name="Series").get_by_role("listitem")
    expect(tiles).to_have_count(1)
    expect(tiles.first.locator("[data-stage=all]")).to_be_visible()
    tiles.first.get_by_role("link").click()
    expect(student.picture).to_have_attribute("data-shown", "4")
    student.expected.append("404")
    student.open(f"/viewer/{reading.study}")
    expect(student.page.get_by_role("heading", name="Nothing here")).to_be_visible()
    student.open(f"/viewer/{reading.study}/{reading.lung}")
    expect(student.page.get_by_role("alert")).to_contain_text("cannot be opened")


def test_a_series_on_the_nas_is_read_from_the_search_and_the_way_back_leads_there(
    look: Looker, reading: Reading
) -> None:
    staff = look("staff")
    staff.open("/nas?q=Doe")
    row = staff.page.get_by_role("row").filter(has=staff.page.locator(f'a[href*="{series_of("far", "mixed")}"]'))
    row.get_by_role("link", name=re.compile("^Open in viewer")).click()
    expect(staff.picture).to_have_attribute("data-shown", str(COUNT // 2))
    staff.loaded(COUNT)
    staff.page.get_by_role("link", name="Back").click()
    expect(staff.page).to_have_url(re.compile(r"/nas\?q=Doe$"))
    staff.open(f"/viewer/{study_of('mixed')}")
    far = staff.page.locator(f'li[data-series="{series_of("far", "mixed")}"]')
    expect(far).to_contain_text("NAS")
    expect(staff.page.get_by_role("link", name="Open in OHIF")).to_have_attribute(
        "href", f"/ohif/viewer?StudyInstanceUIDs={study_of('mixed')}"
    )


def test_a_film_begins_at_its_first_image_with_its_own_pace(look: Looker, reading: Reading) -> None:
    staff = look("staff")
    staff.read(study_of("mixed"), series_of("film", "mixed"))
    staff.shows(1)
    expect(staff.page.get_by_role("slider", name="Images a second")).to_have_attribute("aria-valuenow", "25")
    expect(staff.presets).to_have_count(0)
    expect(staff.corner("bottomLeft")).to_contain_text("lengths in pixels")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_grid_and_viewer_have_no_serious_fault_for_screen_readers_or_in_contrast(
    look: Looker, reading: Reading, axe: str, scheme: str
) -> None:
    window = look("staff", color_scheme=scheme)
    window.open(f"/viewer/{reading.study}")
    expect(window.page.locator("[data-stage=all]")).to_have_count(3)
    found = offences(window.page, axe)
    window.read(reading.study, reading.lung, 30)
    found += offences(window.page, axe)
    brightness = "getComputedStyle(document.querySelector('header')).backgroundColor"
    assert window.page.evaluate(brightness) == "rgb(15, 21, 22)", "dark in both schemes"
    window.button("Settings of the viewer").click()
    expect(window.page.get_by_role("dialog")).to_contain_text("kept on this computer")
    found += offences(window.page, axe)
    assert not found, "\n".join(found)


def test_menus_and_dialogs_of_the_viewer_have_no_serious_fault_while_they_are_open(
    look: Looker, reading: Reading, axe: str
) -> None:
    window = look("staff")
    window.read(reading.study, reading.lung, 30)
    found: list[str] = []
    for name in ("Measure", "Turn and mirror", re.compile("^Window presets")):
        window.page.get_by_role("button", name=name).click()
        expect(window.page.get_by_role("menu")).to_be_visible()
        found += offences(window.page, axe)
        window.page.keyboard.press("Escape")
        expect(window.page.get_by_role("menu")).to_have_count(0)
    window.presets.click()
    window.page.get_by_role("menuitem", name="Type centre and width…").click()
    expect(window.page.get_by_role("dialog", name="Centre and width")).to_be_visible()
    found += offences(window.page, axe)
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    window.page.keyboard.press("?")
    expect(window.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    found += offences(window.page, axe)
    assert not found, "\n".join(found)


def test_menus_are_opened_gone_through_and_left_with_the_keyboard_alone(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.read(reading.study, reading.lung, 30)
    window.button("Measure").focus()
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_role("menu")).to_be_visible()
    expect(window.page.get_by_role("menuitem", name=re.compile("^Length"))).to_be_focused()
    window.page.keyboard.press("ArrowDown")
    expect(window.page.get_by_role("menuitem", name=re.compile("^Angle"))).to_be_focused()
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_role("menu")).to_have_count(0)
    measuring = window.button("Measure: Angle")
    expect(measuring).to_be_focused()
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_role("menuitem", name=re.compile("^Length"))).to_be_focused()
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("menu")).to_have_count(0)
    expect(measuring).to_be_focused()
    window.shows(30)  # the arrows were the menu's
    window.page.keyboard.press("ArrowDown")
    window.shows(31)


def test_the_viewers_own_address_leads_on_to_what_one_may_see(look: Looker, reading: Reading) -> None:
    staff = look("staff")
    staff.open("/viewer")
    field = staff.page.get_by_role("textbox", name="StudyInstanceUID")
    field.fill("no UID")
    field.press("Enter")
    expect(staff.page.get_by_text("Digits and points")).to_be_visible()
    field.fill(reading.study)
    field.press("Enter")
    expect(staff.page.get_by_role("heading", name="CT chest with contrast")).to_be_visible()
    staff.open("/viewer")
    search = staff.page.get_by_role("searchbox", name="Patient, number or description")
    search.fill("Doe Jane")
    search.press("Enter")
    expect(staff.page).to_have_url(re.compile(r"/nas\?q=Doe(%20|\+)Jane$"))
    student = look("student")
    student.open("/viewer")
    student.page.get_by_role("link", name="To the cases").click()
    expect(student.page.get_by_role("heading", name="Cases", exact=True)).to_be_visible()
    student.open("/viewer")
    expect(student.page.get_by_role("region", name="A study by its UID")).to_be_visible()
    expect(student.page.get_by_role("searchbox")).to_have_count(0)


def test_fingers_scroll_zoom_and_press_on_a_phone(look: Looker, reading: Reading) -> None:
    window = look("staff", **PHONE)
    window.open(f"/viewer/{reading.study}")
    expect(window.page.locator("[data-stage=all]")).to_have_count(3)
    assert window.page.evaluate("document.documentElement.scrollWidth") <= 390
    window.read(reading.study, reading.lung, 30)
    assert window.page.evaluate("document.documentElement.scrollWidth") <= 390
    x, y = window.middle()
    fingers = window.context.new_cdp_session(window.page)
    swipe(fingers, [(x, y)], [(x, y + 80)])
    expect(window.picture).not_to_have_attribute("data-shown", "30")
    zoom = window.corner("bottomRight").inner_text()
    swipe(fingers, [(x - 40, y), (x + 40, y)], [(x - 90, y), (x + 90, y)])
    expect(window.corner("bottomRight")).not_to_have_text(zoom)
    touch(fingers, "touchStart", [(x, y)])
    expect(window.button("Window")).to_have_attribute("aria-pressed", "true")
    expect(window.corner("bottomRight")).to_contain_text("HU at")
    touch(fingers, "touchEnd", [])
    expect(window.button("Scroll")).to_have_attribute("aria-pressed", "true")


Points = list[tuple[float, float]]


def touch(fingers: CDPSession, kind: str, points: Points) -> None:
    """One event of fingers at these points."""
    sent: list[dict[str, Any]] = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": sent})


def swipe(fingers: CDPSession, start: Points, end: Points, steps: int = 8) -> None:
    """Fingers go from here to there."""
    touch(fingers, "touchStart", start)
    for step in range(1, steps + 1):
        part = step / steps
        touch(
            fingers,
            "touchMove",
            [(a + (c - a) * part, b + (d - b) * part) for (a, b), (c, d) in zip(start, end, strict=True)],
        )
    touch(fingers, "touchEnd", [])


def test_tab_goes_from_the_head_through_the_tools_to_the_picture_and_the_film(look: Looker, reading: Reading) -> None:
    window = look("staff")
    window.read(reading.study, reading.lung, 30)
    stops: list[str] = []
    for _ in range(40):
        window.page.keyboard.press("Tab")
        stops.append(name_of_focus(window))
    wanted = [
        "All series of the study",
        "Window",
        "Measure",
        "Window presets: Mediastinum",
        "Reset the view",
        "Lung, image 30 of 60",
        "Images",
        "Image number",
        "Play",
    ]
    places = [stops.index(each) for each in wanted]
    assert places == sorted(places), stops


def name_of_focus(window: Window) -> str:
    """What a screen reader calls that which has the focus."""
    found: str = window.page.evaluate(
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()"
    )
    return found
