"""How the pages look and feel: keyboard, phone, light and dark, what screen readers get, what the browser sends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.fixtures.browser import CROWD, Shelf, Visitor
from tests.fixtures.keyboard import walk_to
from tests.fixtures.nas_pages import configured, indexed

PHONE_WIDTH = 390
PHONE: dict[str, Any] = {"viewport": {"width": PHONE_WIDTH, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="session")
def pages(shelf: Shelf) -> dict[str, str]:
    """Every page by address, with the heading that shows that it is there."""
    run = shelf.live.admin.get("/api/bestof/imports").json()["items"][-1]["runId"]
    # The cases' own folder is a small NAS too: series, and files that are none.
    index_run = indexed(shelf.live, configured(shelf.live, name="bestof", type="local", path=str(shelf.source)))
    series = shelf.live.admin.get("/api/search?source=bestof&limit=1").json()["results"][0]
    study = shelf.live.admin.get(f"/api/bestof/cases/{shelf.ids[3]}").json()["studyUids"][0]
    made = shelf.live.admin.post("/share/create", json={"series_key": series["SeriesKey"]})
    assert made.status_code == 201, made.text
    shared = " · ".join(
        words for words in (series[name] for name in ("Modality", "StudyDescription", "SeriesDescription")) if words
    )
    return {
        "/cases": "Cases",
        f"/cases/{shelf.ids[3]}": "Worst headache of her life",
        "/cases?q=nothing+like+this": "No case fits",
        "/viewer": "Viewer",
        f"/viewer/{study}": "CT chest",
        "/admin/cases": "Manage cases",
        "/admin/imports": "Start an import",
        f"/admin/imports/{run}": "File by file",
        "/admin/audit": "Audit",
        "/nas": "NAS index",
        "/nas?q=nothing+like+this&modality=CT": "No series fits",
        f"/nas/series/{series['SeriesKey']}": "Patient",
        "/nas/sources": "Sources and runs",
        f"/nas/runs/{index_run}": "Index run",
        "/shares": "My links",
        f"/shares/new?series={series['SeriesKey']}": "Share by link",
        "/shares/statistics": "Link statistics",
        f"/share/{made.json()['token']}": shared,
        "/imaging": "Your account belongs to no clinic",
        "/shared/none": "This link is not valid, or no longer",
        "/docs": "API",
        "/cases/no/such/page": "No page at this address",
    }


def settled(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_role("status", name=re.compile("Loading"))).to_have_count(0)
    page.evaluate(
        "Promise.all([document.fonts.ready, ...document.getAnimations().map(each => each.finished.catch(() => 0))])"
    )


def offences(page: Page, axe: str, *rules: str) -> list[str]:
    """Serious and critical findings of axe-core, one line each; by all its rules, or by those named."""
    page.evaluate(axe)
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    result: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{page.url} {found['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for found in result["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def test_what_the_pages_are_made_of_was_packed_when_it_was_built(shelf: Shelf) -> None:
    page = shelf.live.anonymous.get("/").text
    files = set(re.findall(r"/assets/[^\"]+\.(?:js|css)", page))
    assert len(files) > 2
    for file in files:
        plain, packed = (shelf.live.anonymous.get(file, headers={"Accept-Encoding": way}) for way in ("", "gzip"))
        assert packed.content == plain.content
        if len(plain.content) >= 1024:
            assert packed.headers["Content-Encoding"] == "gzip"
            # One that the gateway packs while it sends has no length yet.
            assert int(packed.headers["Content-Length"]) < len(plain.content)


@pytest.mark.parametrize(("scheme", "rules"), [("light", ()), ("dark", ("color-contrast",))])
def test_no_page_has_a_serious_fault_for_screen_readers_or_in_contrast(
    visit: Visitor, pages: dict[str, str], axe: str, scheme: str, rules: tuple[str, ...]
) -> None:
    admin = visit("admin", color_scheme=scheme, reduced_motion="reduce")
    found: list[str] = []
    for address, heading in pages.items():
        admin.go(address)
        settled(admin.page, heading)
        found += offences(admin.page, axe, *rules)
    admin.go("/cases")
    settled(admin.page, "Cases")
    admin.page.get_by_role("checkbox", name="Select all cases on this page").check()
    expect(admin.page.get_by_role("region", name="Selected cases")).to_be_visible()
    found += offences(admin.page, axe, *rules)
    admin.go("/admin/cases")
    admin.page.get_by_role("button", name="New case").click()
    expect(admin.page.get_by_role("button", name="Create case")).to_be_visible()
    found += offences(admin.page, axe, *rules)
    admin.go("/docs")
    settled(admin.page, "API")
    for button in ("Colour scheme", "Account of admin"):
        admin.page.get_by_role("button", name=button).click()
        expect(admin.page.get_by_role("menu")).to_be_visible()
        found += offences(admin.page, axe, *rules)
        admin.page.keyboard.press("Escape")
        expect(admin.page.get_by_role("menu")).to_have_count(0)
    nobody = visit(color_scheme=scheme)
    nobody.go("/sign-in")
    settled(nobody.page, "Sign in")
    found += offences(nobody.page, axe, *rules)
    assert not found, "\n".join(found)


def test_the_check_for_faults_finds_faults(visit: Visitor, axe: str) -> None:
    nobody = visit()
    nobody.go("/sign-in")
    settled(nobody.page, "Sign in")
    broken = "<button></button><p style='color:#eee'>pale</p>"
    nobody.page.evaluate("html => { document.querySelector('form').innerHTML = html }", broken)
    assert len(offences(nobody.page, axe)) == 2


def test_no_page_scrolls_sideways_on_a_phone(visit: Visitor, pages: dict[str, str]) -> None:
    admin = visit("admin", **PHONE)
    wide = []
    for address, heading in pages.items():
        admin.go(address)
        settled(admin.page, heading)
        width = admin.page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE_WIDTH:
            wide.append(f"{address}: {width}")
    assert not wide


def test_on_a_phone_rows_are_cards_and_the_menu_opens(visit: Visitor) -> None:
    admin = visit("admin", **PHONE)
    admin.go("/cases?q=headache")
    page = admin.page
    settled(page, "Cases")
    row = page.get_by_role("row").filter(has_text="headache")
    box = row.bounding_box()
    assert box is not None and box["width"] < 390 and box["height"] > 90, "a card is higher than a line"
    page.get_by_role("checkbox", name="Select case 0003").check()
    expect(page.get_by_role("button", name="Download DICOMs (1 case)")).to_be_in_viewport()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("dialog").get_by_role("link", name="Imports").click()
    expect(page.get_by_role("heading", name="Imports", exact=True)).to_be_visible()


def test_dark_follows_the_system_and_can_be_chosen(visit: Visitor) -> None:
    admin = visit("admin", color_scheme="dark")
    admin.go("/cases")
    page = admin.page
    settled(page, "Cases")
    scheme = "document.documentElement.dataset.mantineColorScheme"
    assert page.evaluate(scheme) == "dark"
    assert brightness(page) < 60
    page.get_by_role("button", name="Colour scheme").click()
    page.get_by_role("menuitemradio", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    page.reload()
    settled(page, "Cases")
    assert page.evaluate(scheme) == "light"
    assert brightness(page) > 200


def brightness(page: Page) -> float:
    """Mean of the page's background colour, 0 to 255."""
    red, green, blue = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    return (int(red) + int(green) + int(blue)) / 3


def test_a_case_is_found_checked_and_downloaded_with_the_keyboard_alone(visit: Visitor) -> None:
    student = visit("student")
    student.go("/cases")
    page = student.page
    settled(page, "Cases")
    page.keyboard.press("/")
    expect(page.get_by_label("Search number, title or text")).to_be_focused()
    page.keyboard.type("cough")
    # Until they are there, the rows are those of before: they would take the focus away with them.
    expect(page.get_by_text(f"{len(CROWD)} cases found")).to_be_visible()
    links = page.locator("[data-row-link]")
    walk_to(page, "el => el.hasAttribute('data-row-link')")
    expect(links.nth(0)).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus can be seen"
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.get_by_text("2 cases selected")).to_be_visible()
    walk_to(page, "el => el.textContent.includes('Download DICOMs (2 cases)')", steps=200)
    with page.expect_download():
        page.keyboard.press("Enter")


def test_question_mark_shows_the_keys_and_escape_closes_them(visit: Visitor) -> None:
    student = visit("student")
    student.go("/cases")
    settled(student.page, "Cases")
    student.page.keyboard.press("?")
    dialog = student.page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_contain_text("Check the case")
    student.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_the_pages_ask_nobody_but_their_own_server(visit: Visitor, shelf: Shelf, pages: dict[str, str]) -> None:
    admin = visit("admin")
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((shelf.live.url, "blob:", "data:")):
            elsewhere.append(request.url)

    admin.page.on("request", note)
    for address, heading in pages.items():
        admin.go(address)
        settled(admin.page, heading)
    assert not elsewhere
