"""The admins' pages: cases, imports, audit, API."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests import factories
from tests.fixtures.browser import NAMED, Shelf, Visitor


def row_of(page: Page, title: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=title, exact=True))


def create(page: Page, title: str, exam_type: str = "MRI") -> None:
    page.get_by_role("button", name="New case").click()
    dialog = page.get_by_role("dialog", name="New case")
    dialog.get_by_role("combobox", name="Exam type").click()
    page.get_by_role("option", name=exam_type).click()
    dialog.get_by_label("Title").fill(title)
    dialog.get_by_role("button", name="Create case").click()
    expect(dialog).to_have_count(0)


def searched(page: Page, words: str) -> None:
    page.get_by_label("Search number, title or text").fill(words)


def test_a_new_case_gets_the_next_number_and_shows_where_its_images_belong(visit: Visitor, shelf: Shelf) -> None:
    admin = visit("admin")
    admin.go("/admin/cases")
    page = admin.page
    number = shelf.live.admin.get("/api/bestof/cases/next-number").json()["caseNumber"]
    page.get_by_role("button", name="New case").click()
    dialog = page.get_by_role("dialog", name="New case")
    field = dialog.get_by_label("Case number", exact=True)
    expect(field).to_have_value(str(number))
    expect(field).to_have_attribute("readonly", "")
    dialog.get_by_role("combobox", name="Exam type").click()
    page.get_by_role("option", name="Echo").click()
    expect(dialog.get_by_text(f"bestof/Echo/{number:04d}/")).to_be_visible()
    dialog.get_by_label("Title").fill("Palpitations and a murmur")
    dialog.get_by_role("button", name="Create case").click()
    searched(page, "Palpitations")
    row = row_of(page, "Palpitations and a murmur")
    expect(row).to_contain_text(f"{number:04d}")
    badge = row.get_by_role("img", name=re.compile("No files imported"))
    badge.hover()
    expect(page.get_by_role("tooltip")).to_contain_text(f"expected at bestof/Echo/{number:04d}/")


def test_a_taken_number_is_told_at_its_field(visit: Visitor) -> None:
    admin = visit("admin")
    admin.expected.append("status of 409")
    admin.go("/admin/cases")
    page = admin.page
    page.get_by_role("button", name="New case").click()
    dialog = page.get_by_role("dialog", name="New case")
    dialog.get_by_role("combobox", name="Exam type").click()
    page.get_by_role("option", name="CT", exact=True).click()
    dialog.get_by_role("button", name="Unlock the case number").click()
    dialog.get_by_label("Case number", exact=True).fill("101")
    dialog.get_by_role("button", name="Create case").click()
    expect(dialog.get_by_text("0101 is taken by another case.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="New case")).to_be_focused()


def test_an_edit_shows_at_once_and_an_exam_type_can_be_added(visit: Visitor) -> None:
    admin = visit("admin")
    admin.go("/admin/cases")
    page = admin.page
    create(page, "Seizure, first draft")
    searched(page, "first draft")
    row_of(page, "Seizure, first draft").get_by_role("button", name=re.compile("Edit")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Seizure in a 34-year-old, first draft")
    dialog.get_by_role("button", name="Add an exam type").click()
    dialog.get_by_label("Name of the new exam type").fill("PET")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_role("combobox", name="Exam type")).to_have_value("PET")
    dialog.get_by_role("button", name="Save").click()
    expect(row_of(page, "Seizure in a 34-year-old, first draft")).to_contain_text("PET")


def test_a_case_that_names_patients_is_published_only_on_an_explicit_word(visit: Visitor, shelf: Shelf) -> None:
    admin = visit("admin")
    admin.expected.append("status of 409")
    named = shelf.live.admin.get(f"/api/bestof/cases/{shelf.ids[NAMED]}").json()
    assert named["identifiable"]["patientNames"] > 0, "the test's files should carry a (made-up) name"
    shelf.live.admin.put(
        f"/api/bestof/cases/{shelf.ids[NAMED]}", json={"title": "A case with names", "published": False}
    )
    admin.go("/admin/cases")
    page = admin.page
    searched(page, "case with names")
    switch = row_of(page, "A case with names").get_by_role("switch")
    switch.press("Space")
    dialog = page.get_by_role("dialog", name="Publish case 0004?")
    expect(dialog).to_contain_text("A patient's name in")
    expect(dialog.get_by_role("button", name="Publish all the same")).to_be_disabled()
    dialog.get_by_role("button", name="Leave unpublished").click()
    expect(switch).not_to_be_checked()
    switch.press("Space")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Publish all the same").click()
    expect(dialog).to_have_count(0)
    expect(switch).to_be_checked()
    switch.press("Space")
    expect(switch).not_to_be_checked()


def test_withdrawing_asks_first_and_then_takes_the_case_off_the_list(visit: Visitor) -> None:
    admin = visit("admin")
    admin.go("/admin/cases")
    page = admin.page
    create(page, "Made by mistake")
    searched(page, "by mistake")
    row = row_of(page, "Made by mistake")
    row.get_by_role("button", name=re.compile("Withdraw")).click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it as it is").click()
    expect(row).to_be_visible()
    row.get_by_role("button", name=re.compile("Withdraw")).click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw", exact=True).click()
    expect(row).to_have_count(0)


def test_an_import_is_started_watched_and_looked_back_at(visit: Visitor, tmp_path: Path) -> None:
    source = tmp_path / "new cases"
    tree = {f"MRI/0800/IM{index}": factories.dicom_bytes(factories.mr("web", index, study="web")) for index in range(3)}
    factories.write_tree(source, {**tree, "MRI/0800/notes.txt": b"not an image"})
    admin = visit("admin")
    admin.go("/admin/imports")
    page = admin.page
    page.get_by_label("Source").fill(str(source))
    page.get_by_role("button", name="Start import").click()
    expect(page.get_by_text("Import started")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="new cases")
    expect(row).to_contain_text(re.compile("Done|Failed"), timeout=60_000)
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="File by file")).to_be_visible()
    page.get_by_text("Not DICOM (1)").click()
    expect(page.get_by_role("cell", name="MRI/0800/notes.txt")).to_be_visible()
    page.get_by_text("Added (3)").click()
    expect(page.get_by_role("cell", name="MRI/0800/IM2")).to_be_visible()


def test_the_audit_trail_is_narrowed_and_exported(visit: Visitor) -> None:
    admin = visit("admin")
    admin.go("/admin/audit")
    page = admin.page
    expect(page.get_by_role("table")).to_be_visible()
    page.get_by_label("Actor").fill("nobody-of-that-name")
    expect(page.get_by_role("heading", name="No event fits")).to_be_visible()
    page.get_by_label("Actor").fill("admin")
    expect(page.get_by_role("cell", name="admin", exact=True).first).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="Export CSV").click()
    lines = Path(started.value.path()).read_text().splitlines()
    assert lines[0].startswith("id,")
    assert len(lines) > 10


def test_the_api_is_browsed_and_tried(visit: Visitor) -> None:
    admin = visit("admin")
    admin.go("/docs")
    page = admin.page
    page.get_by_label("Filter the calls").fill("/api/me")
    page.get_by_role("button", name="GET /api/me Who I am").click()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text('"user": "admin"')).to_be_visible()
