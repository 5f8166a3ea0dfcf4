"""The pages of the NAS index: a run from the page, search as one types, a series, its way into Orthanc."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests import factories
from tests.fixtures.browser import Shelf, Visitor
from tests.fixtures.nas_pages import RUN_MS, configured, index_from_the_page, indexed, lay_down
from tests.fixtures.nas_trees import make_tree


def test_a_run_from_the_page_ends_in_search_detail_and_import(visit: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "small nas"
    jane, other = lay_down(folder)
    admin = visit("admin")
    admin.go("/nas/sources")
    page = admin.page
    index_from_the_page(page, folder)
    panel = page.get_by_role("region", name=re.compile("Run over .*small nas"))
    expect(panel).to_contain_text("6 of 6 files")
    expect(panel.get_by_role("list", name="Recent errors")).to_contain_text("notes.dcm")

    page.get_by_role("link", name="NAS index").first.click()
    box = page.get_by_role("searchbox")
    expect(box).to_be_visible()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type(f"jane {jane.lower()[:-2]}")
    row = page.get_by_role("row").filter(has_text=f"{jane}, Jane Mary")
    expect(row).to_contain_text("18 Jan 2024")
    expect(row).to_contain_text("born 31 Jan 1970")
    expect(row).to_contain_text("Gaps")
    expect(page.get_by_text(f"{other}, Sam")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/nas\?q=jane\+"))
    page.reload()
    expect(row).to_be_visible()

    box.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"{jane}, Jane Mary")).to_be_visible()
    expect(page.get_by_text("2 image numbers are missing: 3–4.")).to_be_visible()
    expect(page.get_by_role("cell", name="MR/IM3")).to_be_visible()
    page.get_by_role("button", name="Import into Orthanc").click()
    expect(page.get_by_text("Imported: 4 files")).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_text("In Orthanc", exact=True)).to_be_visible()
    page.get_by_role("link", name="Back to the search").click()
    expect(row).to_contain_text("In Orthanc")


def test_filters_stand_in_the_address_and_back_undoes_them(visit: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "filtered nas"
    jane, _ = lay_down(folder)
    admin = visit("admin")
    admin.go("/nas/sources")
    index_from_the_page(admin.page, folder)
    admin.go(f"/nas?q={jane}")
    page = admin.page
    row = page.get_by_role("row").filter(has_text=jane)
    expect(row).to_be_visible()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Study from").fill("2024-01-19")
    expect(page.get_by_role("heading", name="No series fits")).to_be_visible()
    expect(page).to_have_url(re.compile("from=2024-01-19"))
    page.go_back()
    expect(row).to_be_visible()


def test_series_are_narrowed_by_medical_aid_and_hospital(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "insured nas"
    jane, other = lay_down(folder)
    indexed(shelf.live, str(folder))
    staff = visit("admin")
    staff.go("/nas")
    page = staff.page
    page.get_by_role("button", name="Filters").click()
    for label, typed, chosen in (
        ("Medical aid", "gem", "GEMS"),
        ("Hospital", "milpark", "Netcare Milpark Hospital"),
        ("Hospital group", "netc", "Netcare"),
    ):
        page.get_by_role("combobox", name=label, exact=True).fill(typed)
        page.get_by_role("option", name=chosen, exact=True).click()
    page.get_by_role("searchbox").fill(jane)
    expect(page.get_by_role("row").filter(has_text=jane)).to_be_visible()
    expect(page).to_have_url(
        re.compile("medical_aid=GEMS&hospital=Netcare\\+Milpark\\+Hospital&hospital_group=Netcare")
    )
    page.get_by_role("searchbox").fill(other)
    expect(page.get_by_role("heading", name="No series fits")).to_be_visible()
    staff.go(f"/nas?q={jane}&hospital=Elsewhere")
    expect(page.get_by_role("combobox", name="Hospital", exact=True)).to_have_value("Elsewhere")
    expect(page.get_by_role("heading", name="No series fits")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("row").filter(has_text=jane)).to_be_visible()


def test_where_the_count_stopped_the_page_says_more_than_and_goes_on(
    visit: Visitor, shelf: Shelf, tmp_path: Path
) -> None:
    folder = tmp_path / "hospital"
    make_tree(folder, 260, 1, junk_of=1000)
    configured(shelf.live, name="hospital", type="local", path=str(folder))
    indexed(shelf.live, "hospital")
    staff = visit("admin")
    staff.go("/nas?source=hospital&q=samples")
    page = staff.page
    expect(page.get_by_text(re.compile(r"More than \d00 series found, newest study first\."))).to_be_visible()
    expect(page.get_by_text(re.compile(r"1–50 of more than \d00"))).to_be_visible()
    page.get_by_role("button", name="Page 5", exact=True).click()
    expect(page.get_by_text("201–250 of more than 250")).to_be_visible()
    page.get_by_role("button", name="Page 6", exact=True).click()
    expect(page.get_by_text("251–260 of 260")).to_be_visible()
    expect(page.get_by_role("button", name="Page 7", exact=True)).to_have_count(0)
    staff.go("/nas?source=hospital&q=samples&page=9")
    page.get_by_role("button", name="To the first page").click()
    expect(page.get_by_text(re.compile("^1–50 of"))).to_be_visible()


def test_a_series_is_found_opened_and_left_with_the_keyboard_alone(
    visit: Visitor, shelf: Shelf, tmp_path: Path
) -> None:
    folder = tmp_path / "keyed nas"
    jane, _ = lay_down(folder)
    indexed(shelf.live, str(folder))
    staff = visit("admin")
    staff.go("/nas")
    page = staff.page
    box = page.get_by_role("searchbox")
    expect(box).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("Open the series")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type(jane[-8:])  # the letters and digits that only this test's names have
    links = page.locator("[data-row-link]")
    expect(links).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"{jane}, Jane Mary")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "page", "the reader starts at the new page"
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Back to the search")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_have_value(jane[-8:])


def test_names_in_arabic_and_hebrew_leave_their_neighbours_in_order(
    visit: Visitor, shelf: Shelf, tmp_path: Path
) -> None:
    folder = tmp_path / "many scripts"
    tree = {
        f"{number}.dcm": factories.dicom_bytes(
            factories.mr(
                f"script {number} {tmp_path}",
                study=f"script {number} {tmp_path}",
                SpecificCharacterSet="ISO_IR 192",
                PatientName=name,
                PatientID=f"SCRIPT-{number}",
                StudyDescription="דימות חזה 2024",
            )
        )
        for number, name in enumerate(("قباني^لنزار", "אברהם^יעקב", "Yamada^Tarou=山田^太郎"))
    }
    factories.write_tree(folder, tree)
    configured(shelf.live, name="many scripts", type="local", path=str(folder))
    indexed(shelf.live, "many scripts")
    staff = visit("admin")
    staff.go("/nas?source=many+scripts")
    page = staff.page
    expect(page.locator("[data-row-link]")).to_have_count(3)
    for row in page.get_by_role("table").get_by_role("row").all()[1:]:
        name = row.locator("[data-row-link] bdi").first
        assert name.evaluate("el => getComputedStyle(el).unicodeBidi") == "isolate"
        # The name stands at the cell's left edge whatever its direction, and its number on the line below it.
        cell, shown = row.get_by_role("cell").first.bounding_box(), name.bounding_box()
        assert cell is not None and shown is not None and shown["x"] - cell["x"] < 20
        expect(row.get_by_role("cell").first).to_contain_text(re.compile(r"SCRIPT-\d"))
    arabic = page.locator("[data-row-link] bdi", has_text="قباني")
    assert arabic.evaluate("el => el.matches(':dir(rtl)')")
    expect(page.get_by_role("link", name="Yamada, Tarou · 山田, 太郎")).to_be_visible()
    arabic.click()
    heading = page.get_by_role("heading", level=1).locator("bdi")
    expect(heading).to_contain_text("قباني")
    assert heading.evaluate("el => el.matches(':dir(rtl)')")


def test_a_student_does_not_see_the_index(visit: Visitor) -> None:
    student = visit("student")
    student.go("/cases")
    page = student.page
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.get_by_role("link", name="NAS index")).to_have_count(0)
    student.go("/nas")
    expect(page.get_by_role("heading", name="Not for this account")).to_be_visible()
    student.go("/nas/sources")
    expect(page.get_by_role("heading", name="Not for this account")).to_be_visible()


def test_on_a_phone_series_are_cards_and_nothing_sticks_out(visit: Visitor, tmp_path: Path, axe: str) -> None:
    folder = tmp_path / "pocket nas"
    jane, _ = lay_down(folder)
    admin = visit("admin", viewport={"width": 390, "height": 844})
    admin.go("/nas/sources")
    page = admin.page
    index_from_the_page(page, folder)
    for address in ("/nas/sources", f"/nas?q={jane}"):
        admin.go(address)
        expect(page.get_by_role("table").last).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.evaluate(axe)
        rules = "axe.run({ runOnly: ['wcag2a', 'wcag2aa'] }).then(said => said.violations.map(each => each.id))"
        found = page.evaluate(rules)
        assert found == [], f"{address}: {found}"
