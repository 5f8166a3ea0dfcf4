"""The pages of the NAS index: a run from the page, search as one types, a series, its way into Orthanc."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from playwright.sync_api import Page, expect

from tests import factories
from tests.fixtures.browser import Visitor

RUN_MS = 60_000
"""How long a run over some dozen files, or an import of four, may take on a busy machine."""


def lay_down(folder: Path) -> tuple[str, str]:
    """A small NAS with a series that lacks an image, another patient's, and a file that is no DICOM; both names."""
    # Names of this test alone: the instance is shared, and a test may run twice on it.
    mark = uuid.uuid4().hex[:8]
    jane, other = f"Wanderer{mark}", f"Sitter{mark}"
    tree = {
        f"MR/IM{index}": factories.dicom_bytes(
            factories.mr(
                f"nas {mark}",
                index,
                study=f"nas {mark}",
                PatientName=f"{jane}^Jane^Mary",
                PatientBirthDate="19700131",
                StudyDate="20240118",
                StudyDescription="Knee after a fall",
                InstanceNumber=number,
            )
        )
        for index, number in enumerate((1, 2, 5, 6))
    }
    alone = factories.mr(f"other {mark}", study=f"other {mark}", PatientName=f"{other}^Sam", StudyDate="20230502")
    factories.write_tree(folder, {**tree, "other/IM1": factories.dicom_bytes(alone), "notes.dcm": b"not an image"})
    return jane, other


def index_from_the_page(page: Page, folder: Path) -> None:
    page.get_by_role("combobox", name="Source").fill(str(folder))
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_text("Run started")).to_be_visible()
    panel = page.get_by_role("region", name=re.compile("Run over .*" + re.escape(folder.name)))
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("Last run over", timeout=RUN_MS)


def test_a_run_from_the_page_ends_in_search_detail_and_import(visit: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "small nas"
    jane, other = lay_down(folder)
    admin = visit("admin")
    admin.go("/nas/sources")
    page = admin.page
    index_from_the_page(page, folder)
    panel = page.get_by_role("region", name=re.compile("Run over"))
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


def test_a_source_is_tested_and_the_answer_says_what_to_do(visit: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "tested nas"
    lay_down(folder)
    admin = visit("admin")
    admin.go("/nas/sources")
    page = admin.page
    index_from_the_page(page, folder)
    row = page.get_by_role("row").filter(has_text="tested nas")
    row.get_by_role("button", name=re.compile("Test the connection")).click()
    expect(row).to_contain_text("Works", timeout=RUN_MS)
    expect(row).to_contain_text("answers in")


def test_a_folder_that_the_server_does_not_allow_is_refused_with_words(visit: Visitor) -> None:
    admin = visit("admin")
    admin.expected.append("status of 400")
    admin.go("/nas/sources")
    page = admin.page
    page.get_by_role("combobox", name="Source").fill("/etc")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("alert")).to_contain_text("NAS_ALLOWED_ROOTS")


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
